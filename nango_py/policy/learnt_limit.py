"""Decide when a request may be sent under a limit that is known only from what answers say of it.

Providers count in fixed windows, in sliding ones, or in buckets that refill all the time, and their headers do not
say in which: ``limit``, ``remaining`` and ``reset`` look alike. What tells them apart is how many requests the
provider has handed out in all, ``remaining`` plus those sent: within a fixed window that sum stands still, a bucket's
grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nango_py.policy.limit_headers import Report

__all__ = ["Learnt", "Sent", "abandon", "first_report", "level_at", "refuse", "report", "take"]

TOLERANCE: Final = 1e-6
EXPLORED: Final = 60.0
"""Resets up to so many seconds away are tried out once before their time, to see whether requests flow back."""
SHORTEST: Final = 0.02
LONGEST: Final = 5.0
"""A pause before such a try is between these, in seconds."""
LONG_BASELINE: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is known of one limit, at the time ``at`` of any clock in seconds.

    ``level`` requests may be sent, those on their way already taken off. ``flow`` requests a second flow back before
    ``reset_at``: what was proven, never more. It is measured from an anchor, since when ``sent`` were sent.
    """

    limit: float
    level: float
    at: float
    reset_at: float
    highest: float
    """The most that was ever left: a bucket holds no more, whatever it says of its limit."""
    anchor_at: float
    anchor_level: float
    sent: float = 0.0
    flow: float = 0.0
    lowest: float = math.inf
    """The least that was reported since the last moment with nothing on its way."""
    probing: bool = False
    explore_after: float | None = None
    """The pause after which a reset is tried out, once one was found whole before its time."""
    explored: bool = False
    grace: float = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request was let through, and what for."""

    at: float = math.inf
    is_probe: bool = False
    is_exploring: bool = False


def first_report(said: Report, *, now: float, uncounted: float) -> Learnt:
    """Return what the first report teaches; *uncounted* requests it may not know of yet."""
    level = said.remaining - uncounted
    return Learnt(
        limit=_limit(said),
        level=level,
        at=now,
        reset_at=now + (_reset(said) or 0.0),
        highest=said.remaining,
        anchor_at=now,
        anchor_level=level,
    )


def level_at(learnt: Learnt, now: float) -> float:
    """Return how many requests may be sent at a later time."""
    if not learnt.flow or now <= learnt.at:
        return learnt.level
    # The bucket was seen with so much in it right after a request.
    full = learnt.highest + 1
    return max(learnt.level, min(full, learnt.level + learnt.flow * (now - learnt.at)))


def take(learnt: Learnt, now: float, cost: float = 1, *, may_explore: bool = True) -> tuple[Learnt, float, Sent]:
    """Return the state after a request that may be sent now and 0, or the same state and the seconds to wait.

    Once the limit is whole again, or may be, a single request is let through: its answer says what came back. Whether
    anything comes back before that, *may_explore* only one that can be sent again, should it be refused.
    Infinity means: after the next answer.
    """
    level = level_at(learnt, now)
    if level + TOLERANCE >= cost:
        return replace(learnt, level=level - cost, at=now, sent=learnt.sent + cost), 0.0, Sent(now)
    if learnt.probing:
        return learnt, math.inf, Sent()
    due = _due(learnt, level, now, cost, may_explore=may_explore)
    if due > now + TOLERANCE:
        return learnt, due - now, Sent()
    sent = Sent(now, is_probe=True, is_exploring=now + TOLERANCE < learnt.reset_at + learnt.grace)
    return replace(learnt, level=level - cost, at=now, sent=learnt.sent + cost, probing=True), 0.0, sent


def report(learnt: Learnt, said: Report, sent: Sent, *, now: float, uncounted: float, is_quiet: bool) -> Learnt:
    """Return what the answer to a request teaches.

    *uncounted* other requests may have been counted after it: those that were on their way at some time between its
    sending and now. *is_quiet* tells that none is on its way any more.
    """
    lowest = min(learnt.lowest, said.remaining)
    proven, most = said.remaining - uncounted, said.remaining + uncounted
    if is_quiet and lowest >= proven:
        # The last one that was counted is among those answered by now.
        proven = most = lowest
    level = max(min(level_at(learnt, now), said.remaining), proven)
    is_whole = most + 1 >= _limit(said)
    is_new_window = now >= learnt.reset_at
    after = replace(
        learnt,
        limit=_limit(said),
        level=level,
        at=now,
        reset_at=_reset_at(learnt, said, now, anew=is_new_window or is_whole),
        highest=max(learnt.highest, said.remaining),
        lowest=math.inf if is_quiet else lowest,
        probing=learnt.probing and not sent.is_probe,
    )
    if sent.is_exploring and is_whole:
        after = replace(after, explore_after=max(SHORTEST, _pause(learnt) / 2))
    begin = min(sent.at, now)
    if is_whole or is_new_window:
        return _anchored(after, said.remaining, begin)
    return _measured(after, said, proven, now=now, begin=begin)


def refuse(learnt: Learnt, sent: Sent, *, now: float, cost: float = 1) -> Learnt:
    """Return what a refusal teaches, before its report is heard: nothing is left, whatever was thought."""
    after = replace(
        learnt,
        level=min(level_at(learnt, now) + cost, 0.0),
        at=now,
        flow=learnt.flow if sent.is_exploring else learnt.flow / 2,
        probing=learnt.probing and not sent.is_probe,
        explored=learnt.explored or sent.is_exploring,
        # Resets in whole seconds may be stated up to one second early.
        grace=min(1.0, max(0.05, 2 * learnt.grace)) if sent.is_probe and not sent.is_exploring else learnt.grace,
    )
    return _anchored(after, after.level, now)


def abandon(learnt: Learnt, sent: Sent, *, cost: float = 0) -> Learnt:
    """Return the state after a request that came to no report; *cost* is given back where it was never sent."""
    return replace(
        learnt,
        level=learnt.level + cost,
        sent=learnt.sent - cost,
        probing=learnt.probing and not sent.is_probe,
    )


def _due(learnt: Learnt, level: float, now: float, cost: float, *, may_explore: bool) -> float:
    """Return when a request may be sent, though it is not known that one is left."""
    due = learnt.reset_at + learnt.grace
    if learnt.flow:
        return min(due, now + (cost - level) / learnt.flow) if cost <= learnt.highest + 1 else due
    if learnt.explored or not may_explore or learnt.reset_at - learnt.at > EXPLORED:
        return due
    return min(due, learnt.at + _pause(learnt))


def _pause(learnt: Learnt) -> float:
    if learnt.explore_after is not None:
        return learnt.explore_after
    return min(max(SHORTEST, (learnt.reset_at - learnt.at) / 2), LONGEST)


def _measured(learnt: Learnt, said: Report, proven: float, *, now: float, begin: float) -> Learnt:
    """Measure what flowed back, at the least: between the most that the anchor may mean and the least that this does.

    Whole numbers round down, so that one of the gain may be none.
    """
    gain = proven + learnt.sent - learnt.anchor_level
    seconds = now - learnt.anchor_at
    if gain < 2 or seconds <= 0:  # noqa: PLR2004
        return learnt
    flow = (gain - 1) / seconds
    if gain < LONG_BASELINE / 5:
        return replace(learnt, flow=max(flow, learnt.flow))
    measured = replace(learnt, flow=flow)
    return _anchored(measured, said.remaining, begin) if gain >= LONG_BASELINE else measured


def _anchored(learnt: Learnt, level: float, now: float) -> Learnt:
    return replace(learnt, anchor_at=now, anchor_level=level, sent=0.0)


def _reset_at(learnt: Learnt, said: Report, now: float, *, anew: bool) -> float:
    if said.reset is not None:
        reset_at = now + said.reset
        # Whole seconds are rounded up, unless it was seen that they are not: the earliest is the nearest.
        is_rounded = said.reset % 1 == 0 and not learnt.grace
        return reset_at if anew or not is_rounded else min(reset_at, learnt.reset_at)
    # Only the window's length is known: it began when the limit was found whole.
    return now + (said.window or 0.0) if anew else learnt.reset_at


def _reset(said: Report) -> float | None:
    return said.window if said.reset is None else said.reset


def _limit(said: Report) -> float:
    return max(said.limit or 0.0, said.remaining + 1 if said.limit is None else said.remaining, 1.0)
