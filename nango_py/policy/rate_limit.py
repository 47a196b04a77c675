"""Decide when a request may be sent under a declared limit (generic cell rate algorithm)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Bucket", "State", "decide"]

# A clock's own rounding must not make a waiter that woke in time wait again.
TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """At most ``limit`` requests in ``per`` seconds, counted for an integration or for each connection.

    Without ``burst`` no window of ``per`` seconds sees more than ``limit`` requests: a tenth of them may come at
    once, the rest is spread. With it, that many may come at once, and ``limit`` flow back in every ``per`` seconds:
    so count providers with a leaky bucket.
    """

    limit: int
    per: float
    scope: Literal["integration", "connection"] = "connection"
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.limit < 1 or (self.burst is not None and self.burst < 1):
            raise ValueError(f"limit {self.limit} and burst {self.burst} have to be whole numbers from 1 on")
        if not (math.isfinite(self.per) and self.per > 0):
            raise ValueError(f"per is {self.per}, but it has to be a number of seconds above 0")

    @property
    def at_once(self) -> int:
        """Return how many requests may come together after a pause."""
        return max(1, self.limit // 10) if self.burst is None else self.burst

    @property
    def interval(self) -> float:
        """Return the seconds between requests when they come steadily."""
        # A window that begins with a burst has room for the rest only.
        return self.per / (self.limit if self.burst is not None else self.limit - self.at_once + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How much of a bucket is in use: the time at which it will be whole again."""

    whole_at: float = -math.inf


def decide(bucket: Bucket, state: State, now: float) -> tuple[State, float]:
    """Return the state after a request that may be sent now and 0, or the same state and the seconds to wait.

    Nothing is taken while the wait is above 0: ask again after it. ``now`` is any clock's time in seconds.
    """
    whole_at = _within_reach(bucket, state, now)
    wait = whole_at - (bucket.at_once - 1) * bucket.interval - now
    if wait > TOLERANCE:
        return state, wait
    return State(whole_at=whole_at + bucket.interval), 0.0


def _within_reach(bucket: Bucket, state: State, now: float) -> float:
    # A clock that was set back must not hold everything up.
    return min(max(state.whole_at, now), now + bucket.at_once * bucket.interval)
