"""The locked queue before a limit: requests pass in the order in which they came."""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from nango_py.effects import Join, Sleep
from nango_py.exchange.entry import Entry, TooLate
from nango_py.policy import learnt_limit, rate_limit
from nango_py.policy.learnt_limit import Learnt, Sent
from nango_py.policy.rate_limit import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.policy.limit_headers import Report
    from nango_py.policy.rate_limit import Bucket
    from nango_py.policy.rate_limit_rule import RateLimit

__all__ = ["Gate"]

PATIENCE = 10.0
"""Seconds for which everybody waits until the first answer tells whether there is a limit."""
RECHECK = 60.0
"""Seconds after which one request may try whether a longer hold is still meant."""
MOST_LEARNT = 8


class Gate:
    """Hold the state of the limits that count the same requests; threads and event loops may use it at once."""

    __slots__ = (
        "_clock", "_lock", "answered", "asked_at", "busy", "concurrency", "held_until", "in_flight", "is_taught",
        "learnt", "parts", "queue", "recheck_at", "rules", "states",
    )  # fmt: skip

    def __init__(self, rules: Sequence[RateLimit], clock: Clock, *, learns: bool = False) -> None:
        self._clock = clock
        # The garbage collector may close an answer, or a wait, in the midst of what this lock guards.
        self._lock = threading.RLock()
        self.rules: tuple[tuple[RateLimit, Bucket], ...] = tuple(
            (rule, rule.bucket) for rule in rules if rule.bucket is not None
        )
        self.states = [State() for _ in self.rules]
        self.concurrency = min((rule.concurrency for rule in rules if rule.concurrency), default=None)
        self.learnt: dict[str, Learnt] = {}
        self.parts: dict[str, set[str]] = {}
        self.queue: list[Entry] = []
        self.is_taught = not learns
        self.asked_at = -math.inf
        self.in_flight = self.answered = self.busy = 0
        self.held_until = self.recheck_at = -math.inf

    @property
    def is_trivial(self) -> bool:
        """Whether it holds nobody up and knows of nothing that it should."""
        return not (
            self.rules or self.concurrency or self.learnt or not self.is_taught or self.queue
            or self.held_until > self._clock.monotonic()
        )  # fmt: skip

    def enter(self, entry: Entry, *, longest: float, left: Callable[[], float], first: bool) -> Flow[None]:
        """Wait for the turn of *entry*; *first* puts it before those who wait, for it has waited before.

        Raises:
            TooLate: One wait is longer than *longest* seconds, or all are longer than *left* tells.
        """
        with self._lock:
            if first:
                self.queue.insert(0, entry)
            else:
                self.queue.append(entry)
            wait = self._ask(entry)
        if wait == 0.0:
            return
        try:
            while wait != 0.0:
                yield from self._wait(entry, wait, longest, left)
                with self._lock:
                    wait = self._ask(entry)
        except BaseException:
            self._give_up(entry)
            raise

    def answer(self, entry: Entry, reports: Sequence[Report], *, is_refused: bool, has_answer: bool) -> None:
        """Hear what came of a request that was sent."""
        now = self._clock.monotonic()
        with self._lock:
            self.in_flight -= 1
            for index, (rule, bucket) in enumerate(self.rules):
                if index in entry.in_flight:
                    cost = rule.cost_of(entry.method, entry.path)
                    self.states[index] = rate_limit.settle(bucket, self.states[index], now, cost)
            uncounted = self.in_flight + self.answered - entry.answered_before
            self.answered += 1
            if has_answer:
                self.is_taught = True
                if not is_refused and entry.passed_at >= self.recheck_at - RECHECK:
                    self.held_until = -math.inf
            else:
                self.asked_at = -math.inf
            if has_answer:
                self._learn(entry, reports, now, uncounted, is_refused=is_refused)
            else:
                self._lose(entry)
            self._wake()

    def hear(self, reports: Sequence[Report]) -> None:
        """Hear what an answer says to whose request nobody had to wait."""
        now = self._clock.monotonic()
        with self._lock:
            for said in reports:
                if said.is_partial:
                    self.parts.setdefault(said.name, set())
                self._hear(said, Sent(), now, self.in_flight, is_quiet=False)
            self._wake()

    def undo(self, entry: Entry) -> None:
        """Take back what a request that was never sent has taken."""
        with self._lock:
            self.in_flight -= 1
            self.busy -= 1
            self.asked_at = -math.inf
            for index, (rule, bucket) in enumerate(self.rules):
                cost = rule.cost_of(entry.method, entry.path)
                self.states[index] = rate_limit.undo(
                    bucket, self.states[index], cost, in_flight=index in entry.in_flight
                )
            for name, sent in entry.learnt.items():
                if name in self.learnt:
                    self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent, cost=1)
            self._wake()

    def leave(self) -> None:
        """Free a slot: the answer's stream is closed."""
        with self._lock:
            self.busy -= 1
            self._wake()

    def hold(self, seconds: float) -> None:
        """Let nobody pass for so long: the provider said so."""
        now = self._clock.monotonic()
        with self._lock:
            if now + seconds > self.held_until:
                self.held_until, self.recheck_at = now + seconds, now + RECHECK

    def forget(self) -> None:
        """Start anew in a forked child: the parent's requests and its lock stay with the parent."""
        self._lock = threading.RLock()
        self.queue = []
        self.in_flight = self.busy = 0
        self.answered = 0
        self.asked_at = -math.inf
        self.states = [
            rate_limit.settle(bucket, state, self._clock.monotonic(), state.in_flight)
            for (_, bucket), state in zip(self.rules, self.states, strict=True)
        ]
        lost = Sent(is_probe=True)
        self.learnt = {name: learnt_limit.abandon(known, lost) for name, known in self.learnt.items()}

    def _wait(self, entry: Entry, wait: float, longest: float, left: Callable[[], float]) -> Flow[None]:
        seconds = left()
        is_known = math.isfinite(wait)
        if seconds <= 0 or (is_known and wait > min(longest, seconds)):
            raise TooLate(wait if is_known else None)
        if is_known and not self.in_flight:
            yield Sleep(wait)
            return
        ticket = entry.ticket
        if ticket is None:
            raise AssertionError("a waiter has a ticket")
        try:
            yield Join(lambda: ticket, min(wait, seconds))
        except TimeoutError:
            if left() <= 0:
                raise TooLate(None) from None

    def _ask(self, entry: Entry) -> float:
        """Return 0 and let the entry pass, or the seconds after which to ask again; infinity means: when woken."""
        wait = math.inf if self.queue[0] is not entry else self._seconds(entry)
        if wait:
            if entry.ticket is None or entry.ticket.done():
                entry.ticket = Future()
            return wait
        self.queue.pop(0)
        self.in_flight += 1
        self.busy += 1
        self._wake()
        return 0.0

    def _seconds(self, entry: Entry) -> float:
        """Return the seconds to wait, or 0 when what the request costs has been taken everywhere."""
        now = self._clock.monotonic()
        if wait := self._hold(now):
            return wait
        if self.concurrency is not None and self.busy >= self.concurrency:
            return math.inf
        wait, states = 0.0, []
        for (rule, bucket), state in zip(self.rules, self.states, strict=True):
            after, seconds = rate_limit.decide(bucket, state, now, rule.cost_of(entry.method, entry.path))
            wait = max(wait, seconds)
            states.append(after)
        learnt: dict[str, tuple[Learnt, Sent]] = {}
        for name, known in self.learnt.items():
            if not self._counts(name, entry):
                continue
            changed, seconds, sent = learnt_limit.take(known, now, may_explore=entry.may_explore)
            wait = max(wait, seconds)
            learnt[name] = (changed, sent)
        if wait:
            return wait
        entry.in_flight = tuple(
            index for index, after in enumerate(states) if after.in_flight > self.states[index].in_flight
        )
        self.states = states
        for name, (changed, sent) in learnt.items():
            self.learnt[name], entry.learnt[name] = changed, sent
        entry.answered_before, entry.passed_at = self.answered, now
        if not self.is_taught:
            self.asked_at = now
        return 0.0

    def _hold(self, now: float) -> float:
        if now < self.held_until:
            if self.held_until - now <= RECHECK or now < self.recheck_at:
                return self.held_until - now
            self.recheck_at = now + RECHECK
        if not self.is_taught and now < self.asked_at + PATIENCE:
            return self.asked_at + PATIENCE - now
        return 0.0

    def _learn(
        self, entry: Entry, reports: Sequence[Report], now: float, uncounted: int, *, is_refused: bool
    ) -> None:
        for name, sent in entry.learnt.items():
            if name not in self.learnt:
                continue
            if is_refused:
                self.learnt[name] = learnt_limit.refuse(self.learnt[name], sent, now=now)
            elif all(said.name != name for said in reports):
                self._miss(name, sent)
        for said in reports:
            if said.is_partial and (said.name in self.parts or len(self.parts) < MOST_LEARNT):
                self.parts.setdefault(said.name, set()).add(_part(entry.path))
            self._hear(said, entry.learnt.get(said.name, Sent()), now, uncounted, is_quiet=not self.in_flight)

    def _miss(self, name: str, sent: Sent) -> None:
        """Hear an answer that says nothing of a limit: it does not count the request, or is no more."""
        if sent.is_probe and not sent.is_exploring:
            del self.learnt[name]
        else:
            self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent, cost=1)

    def _lose(self, entry: Entry) -> None:
        for name, sent in entry.learnt.items():
            if name in self.learnt:
                self.learnt[name] = learnt_limit.abandon(self.learnt[name], sent)

    def _counts(self, name: str, entry: Entry) -> bool:
        """Tell whether a learnt limit counts a request, as far as answers to its like have told."""
        return name not in self.parts or _part(entry.path) in self.parts[name]

    def _hear(self, said: Report, sent: Sent, now: float, uncounted: int, *, is_quiet: bool) -> None:
        known = self.learnt.get(said.name)
        if known is not None:
            self.learnt[said.name] = learnt_limit.report(
                known, said, sent, now=now, uncounted=uncounted, is_quiet=is_quiet
            )
        elif len(self.learnt) < MOST_LEARNT:
            self.learnt[said.name] = learnt_limit.first_report(said, now=now, uncounted=uncounted)

    def _wake(self) -> None:
        ticket = self.queue[0].ticket if self.queue else None
        if ticket is not None and not ticket.done():
            ticket.set_result(None)

    def _give_up(self, entry: Entry) -> None:
        with self._lock:
            if entry in self.queue:
                self.queue.remove(entry)
                self._wake()


def _part(path: str) -> str:
    """Return what stands for a kind of requests: the first segment of their paths."""
    return path.partition("/")[0]
