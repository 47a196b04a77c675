"""What is left of the limits before which a gate stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nango_py.policy import learnt_limit, rate_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.exchange.stored_gate import AnyGate

__all__ = ["Limit", "views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What is left of one limit.

    ``source`` says who told: the blueprint or the integration (``declared``), the provider's headers (``learnt``), or
    a refused request's answer (``stated``). ``left`` requests may be sent now; in ``whole_in`` seconds it is whole
    again if none is sent, None where that depends on requests on their way. ``waiting`` counts those in line.
    """

    name: str
    source: Literal["declared", "learnt", "stated"]
    scope: Literal["integration", "connection"]
    limit: int
    left: int
    whole_in: float | None
    per: float | None = None
    waiting: int = 0


def views(gate: AnyGate, scope: Literal["integration", "connection"]) -> Iterator[Limit]:
    """Yield the limits of a gate as they are now."""
    waiting, tally, now = len(gate.queue), gate.tally, gate.now()
    for (rule, bucket), state in zip(tally.rules, list(tally.states), strict=True):
        yield Limit(
            name=rule.name or f"{bucket.limit} in {bucket.per:g} s",
            source="declared",
            scope=scope,
            limit=bucket.limit,
            left=rate_limit.left(bucket, state, now),
            whole_in=rate_limit.whole_in(bucket, state, now),
            per=bucket.per,
            waiting=waiting,
        )
    if tally.concurrency is not None:
        free = max(0, tally.concurrency - tally.busy)
        yield Limit(
            name=f"{tally.concurrency} at once",
            source="declared",
            scope=scope,
            limit=tally.concurrency,
            left=free,
            whole_in=0.0 if free == tally.concurrency else None,
            waiting=waiting,
        )
    for name, known in list(tally.learnt.items()):
        level = learnt_limit.level_at(known, now)
        is_over = now >= known.reset_at
        yield Limit(
            name=name,
            source="learnt",
            scope=scope,
            limit=math.floor(known.limit),
            left=math.floor(known.limit if is_over else max(0.0, level)),
            whole_in=max(0.0, known.reset_at - now),
            waiting=waiting,
        )
    if tally.held_until > now:
        yield Limit(
            name="refused", source="stated", scope=scope, limit=0, left=0, whole_in=tally.held_until - now,
            waiting=waiting,
        )  # fmt: skip
