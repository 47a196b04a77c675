"""Decide when a request may be sent under a declared limit, whatever time it takes on its way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

__all__ = ["Bucket", "State", "decide", "left", "settle", "undo", "whole_in"]

# A clock's own rounding must not make a waiter that woke in time wait again.
TOLERANCE: Final = 1e-6
# Answers of larger limits are counted in slices of a window: the longest wait grows by one of them.
SLICES: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """At most ``limit`` requests in ``per`` seconds, counted for an integration or for each connection.

    Without ``burst`` no window of ``per`` seconds sees more than ``limit`` requests, wherever it begins. With it,
    that many may come at once, and ``limit`` flow back in every ``per`` seconds: so count leaky buckets.
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
        return self.limit if self.burst is None else self.burst

    @property
    def interval(self) -> float:
        """Return the seconds between requests when they come steadily."""
        return self.per / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How much of a bucket is in use.

    A provider counts a request when it arrives: some time between its sending and its answer. ``in_flight`` counts
    those whose answer is awaited, where that time still matters; ``answered`` those of the last window, by the time
    of their answers. ``whole_at`` is when a bucket with a burst will be whole again.
    """

    in_flight: int = 0
    answered: tuple[tuple[float, int], ...] = ()
    whole_at: float = -math.inf


def decide(bucket: Bucket, state: State, now: float, cost: int = 1) -> tuple[State, float]:
    """Return the state after a request that may be sent now and 0, or the same state and the seconds to wait.

    Nothing is taken while the wait is above 0: ask again after it; infinity means after the next answer. ``now`` is
    any clock's time in seconds. A cost beyond what may ever come at once counts as just that.
    """
    cost = min(cost, bucket.at_once)
    if not cost:
        return state, 0.0
    return _leak(bucket, state, now, cost) if bucket.burst is not None else _count(bucket, state, now, cost)


def settle(bucket: Bucket, state: State, now: float, cost: int = 1) -> State:
    """Return the state after the answer, or the failure, of a request that ``decide`` has counted as in flight."""
    cost = min(cost, bucket.at_once)
    if not cost:
        return state
    if bucket.burst is not None:
        whole_at = _within_reach(bucket, state, now) + cost * bucket.interval
        return replace(state, in_flight=max(0, state.in_flight - cost), whole_at=whole_at)
    answered = _recent(bucket, state, now)
    width = bucket.per / SLICES if bucket.limit > SLICES else 0.0
    moment = math.ceil(now / width) * width if width else now
    if answered and answered[-1][0] >= moment:
        answered = (*answered[:-1], (answered[-1][0], answered[-1][1] + cost))
    else:
        answered = (*answered, (moment, cost))
    return replace(state, in_flight=max(0, state.in_flight - cost), answered=answered)


def undo(bucket: Bucket, state: State, cost: int = 1, *, in_flight: bool = True) -> State:
    """Return the state as if a request that was never sent had not been let through, *in_flight* or not."""
    cost = min(cost, bucket.at_once)
    if not in_flight:
        return replace(state, whole_at=state.whole_at - cost * bucket.interval)
    return replace(state, in_flight=max(0, state.in_flight - cost))


def left(bucket: Bucket, state: State, now: float) -> int:
    """Return how many requests may be sent at once now."""
    if bucket.burst is None:
        return bucket.limit - state.in_flight - sum(count for _, count in _recent(bucket, state, now))
    used = state.in_flight + (_within_reach(bucket, state, now) - now) / bucket.interval
    return max(0, math.floor(bucket.burst - used + TOLERANCE))


def whole_in(bucket: Bucket, state: State, now: float) -> float:
    """Return the seconds until nothing is in use, if the answers that are awaited came now."""
    if bucket.burst is not None:
        return state.in_flight * bucket.interval + _within_reach(bucket, state, now) - now
    if state.in_flight:
        return bucket.per
    return max((moment + bucket.per - now for moment, _ in _recent(bucket, state, now)), default=0.0)


def _count(bucket: Bucket, state: State, now: float, cost: int) -> tuple[State, float]:
    """Count a window: whatever is in flight, or was answered within it, may lie in the provider's window as well."""
    answered = _recent(bucket, state, now)
    missing = state.in_flight + sum(count for _, count in answered) + cost - bucket.limit
    if missing <= 0:
        return replace(state, in_flight=state.in_flight + cost, answered=answered), 0.0
    for moment, count in answered:
        missing -= count
        if missing <= 0:
            return state, moment + bucket.per - now
    return state, math.inf


def _recent(bucket: Bucket, state: State, now: float) -> tuple[tuple[float, int], ...]:
    answered = state.answered
    if answered and answered[-1][0] > now + bucket.per / SLICES:
        # A clock that was set back must not hold everything up.
        answered = tuple((min(moment, now), count) for moment, count in answered)
    begin = now - bucket.per + TOLERANCE
    past = next((index for index, (moment, _) in enumerate(answered) if moment > begin), len(answered))
    return answered[past:]


def _leak(bucket: Bucket, state: State, now: float, cost: int) -> tuple[State, float]:
    """Take from a leaky bucket (generic cell rate algorithm).

    The provider's bucket refills only after a request has arrived. So those that are sent to a bucket which is whole
    are counted as if they arrived just now, until their answers tell that they did; one that is sent later arrives at
    a bucket that has refilled meanwhile.
    """
    whole_at = _within_reach(bucket, state, now)
    wait = whole_at + (state.in_flight + cost - bucket.at_once) * bucket.interval - now
    if wait > TOLERANCE:
        return state, math.inf if state.in_flight + cost > bucket.at_once else wait
    if whole_at <= now:
        return replace(state, in_flight=state.in_flight + cost), 0.0
    return replace(state, whole_at=whole_at + cost * bucket.interval), 0.0


def _within_reach(bucket: Bucket, state: State, now: float) -> float:
    # A clock that was set back must not hold everything up.
    return min(max(state.whole_at, now), now + bucket.at_once * bucket.interval)
