"""The state of the limits that count the same requests: what may pass now, and what answers teach of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nango_py.policy import learnt_limit, rate_limit
from nango_py.policy.learnt_limit import Learnt, Sent
from nango_py.policy.rate_limit import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nango_py.policy.limit_headers import Report
    from nango_py.policy.rate_limit import Bucket
    from nango_py.policy.rate_limit_rule import RateLimit

__all__ = ["Claim", "Tally"]

PATIENCE = 10.0
"""Seconds for which everybody waits until the first answer tells whether there is a limit."""
RECHECK = 60.0
"""Seconds after which one request may try whether a longer hold is still meant."""
MOST_LEARNT = 8


@dataclass(slots=True, eq=False)
class Claim:
    """What one request has taken of the limits."""

    method: str
    path: str
    may_explore: bool = True
    answered_before: int = 0
    in_flight: tuple[int, ...] = ()
    """The declared limits that count it as in flight, by their places."""
    learnt: dict[str, Sent] = field(default_factory=dict)
    passed_at: float = 0.0


class Tally:
    """Count requests against declared limits and learnt ones; it has neither a lock nor a clock of its own.

    Times are of any clock, in seconds, as long as it is always the same one.
    """

    __slots__ = (
        "answered", "asked_at", "busy", "concurrency", "held_until", "in_flight", "is_taught", "learnt", "parts",
        "recheck_at", "rules", "states",
    )  # fmt: skip

    def __init__(self, rules: Sequence[RateLimit], *, learns: bool = False) -> None:
        self.rules: tuple[tuple[RateLimit, Bucket], ...] = tuple(
            (rule, rule.bucket) for rule in rules if rule.bucket is not None
        )
        self.states = [State() for _ in self.rules]
        self.concurrency = min((rule.concurrency for rule in rules if rule.concurrency), default=None)
        self.learnt: dict[str, Learnt] = {}
        self.parts: dict[str, set[str]] = {}
        self.is_taught = not learns
        self.asked_at = -math.inf
        self.in_flight = self.answered = self.busy = 0
        self.held_until = self.recheck_at = -math.inf

    def is_trivial(self, now: float) -> bool:
        """Tell whether it holds nobody up and knows of nothing that it should."""
        return not (
            self.rules or self.concurrency or self.learnt or not self.is_taught or self.held_until > now
        )  # fmt: skip

    def take(self, claim: Claim, now: float) -> float:
        """Return 0 when what a request costs has been taken everywhere, or the seconds to wait: nothing was taken.

        Infinity means: after the next answer.
        """
        if wait := self._hold(now):
            return wait
        if self.concurrency is not None and self.busy >= self.concurrency:
            return math.inf
        wait, states = 0.0, []
        for (rule, bucket), state in zip(self.rules, self.states, strict=True):
            after, seconds = rate_limit.decide(bucket, state, now, rule.cost_of(claim.method, claim.path))
            wait = max(wait, seconds)
            states.append(after)
        learnt: dict[str, tuple[Learnt, Sent]] = {}
        for name, known in self.learnt.items():
            if not self._counts(name, claim):
                continue
            changed, seconds, sent = learnt_limit.take(known, now, may_explore=claim.may_explore)
            wait = max(wait, seconds)
            learnt[name] = (changed, sent)
        if wait:
            return wait
        claim.in_flight = tuple(
            index for index, after in enumerate(states) if after.in_flight > self.states[index].in_flight
        )
        self.states = states
        for name, (changed, sent) in learnt.items():
            self.learnt[name], claim.learnt[name] = changed, sent
        claim.answered_before, claim.passed_at = self.answered, now
        if not self.is_taught:
            self.asked_at = now
        self.in_flight += 1
        self.busy += 1
        return 0.0

    def answer(
        self, claim: Claim, reports: Sequence[Report], now: float, *, is_refused: bool, has_answer: bool
    ) -> None:
        """Hear what came of a request that was sent."""
        self.in_flight -= 1
        for index in claim.in_flight:
            rule, bucket = self.rules[index]
            cost = rule.cost_of(claim.method, claim.path)
            self.states[index] = rate_limit.settle(bucket, self.states[index], now, cost)
        uncounted = self.in_flight + self.answered - claim.answered_before
        self.answered += 1
        if not has_answer:
            self.asked_at = -math.inf
            self._lose(claim)
            return
        self.is_taught = True
        if not is_refused and claim.passed_at >= self.recheck_at - RECHECK:
            self.held_until = -math.inf
        self._learn(claim, reports, now, uncounted, is_refused=is_refused)

    def hear(self, reports: Sequence[Report], now: float) -> None:
        """Hear what an answer says to whose request nobody had to wait."""
        for said in reports:
            if said.is_partial:
                self.parts.setdefault(said.name, set())
            self._hear(said, Sent(), now, self.in_flight, is_quiet=False)

    def undo(self, claim: Claim) -> None:
        """Take back what a request that was never sent has taken."""
        self.in_flight -= 1
        self.busy -= 1
        self.asked_at = -math.inf
        for index, (rule, bucket) in enumerate(self.rules):
            cost = rule.cost_of(claim.method, claim.path)
            self.states[index] = rate_limit.undo(bucket, self.states[index], cost, in_flight=index in claim.in_flight)
        for name, sent in claim.learnt.items():
            if name in self.learnt:
                self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent, cost=1)

    def leave(self) -> None:
        """Free a slot: the answer's stream is closed."""
        self.busy -= 1

    def hold(self, seconds: float, now: float) -> None:
        """Let nobody pass for so long: the provider said so."""
        if now + seconds > self.held_until:
            self.held_until, self.recheck_at = now + seconds, now + RECHECK

    def forget(self, now: float) -> None:
        """Count every request as answered now: whoever sent them will not tell."""
        self.in_flight = self.busy = self.answered = 0
        self.asked_at = -math.inf
        self.states = [
            rate_limit.settle(bucket, state, now, state.in_flight)
            for (_, bucket), state in zip(self.rules, self.states, strict=True)
        ]
        lost = Sent(is_probe=True)
        self.learnt = {name: learnt_limit.abandon(known, lost) for name, known in self.learnt.items()}

    def _hold(self, now: float) -> float:
        if now < self.held_until:
            if self.held_until - now <= RECHECK or now < self.recheck_at:
                return self.held_until - now
            self.recheck_at = now + RECHECK
        if not self.is_taught and now < self.asked_at + PATIENCE:
            return self.asked_at + PATIENCE - now
        return 0.0

    def _learn(
        self, claim: Claim, reports: Sequence[Report], now: float, uncounted: int, *, is_refused: bool
    ) -> None:
        for name, sent in claim.learnt.items():
            if name not in self.learnt:
                continue
            if is_refused:
                self.learnt[name] = learnt_limit.refuse(self.learnt[name], sent, now=now)
            elif all(said.name != name for said in reports):
                self._miss(name, sent)
        for said in reports:
            if said.is_partial and (said.name in self.parts or len(self.parts) < MOST_LEARNT):
                self.parts.setdefault(said.name, set()).add(_part(claim.path))
            self._hear(said, claim.learnt.get(said.name, Sent()), now, uncounted, is_quiet=not self.in_flight)

    def _miss(self, name: str, sent: Sent) -> None:
        """Hear an answer that says nothing of a limit: it does not count the request, or is no more."""
        if sent.is_probe and not sent.is_exploring:
            del self.learnt[name]
        else:
            self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent, cost=1)

    def _lose(self, claim: Claim) -> None:
        for name, sent in claim.learnt.items():
            if name in self.learnt:
                self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent)

    def _counts(self, name: str, claim: Claim) -> bool:
        """Tell whether a learnt limit counts a request, as far as answers to its like have told."""
        return name not in self.parts or _part(claim.path) in self.parts[name]

    def _hear(self, said: Report, sent: Sent, now: float, uncounted: int, *, is_quiet: bool) -> None:
        known = self.learnt.get(said.name)
        if known is not None:
            self.learnt[said.name] = learnt_limit.report(
                known, said, sent, now=now, uncounted=uncounted, is_quiet=is_quiet
            )
        elif len(self.learnt) < MOST_LEARNT:
            self.learnt[said.name] = learnt_limit.first_report(said, now=now, uncounted=uncounted)


def _part(path: str) -> str:
    """Return what stands for a kind of requests: the first segment of their paths."""
    return path.partition("/")[0]
