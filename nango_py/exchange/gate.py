"""The locked queue before a limit: requests pass in the order in which they came."""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from nango_py.effects import Join, Sleep
from nango_py.exchange.entry import TooLate
from nango_py.policy.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.entry import Entry
    from nango_py.policy.limit_headers import Report
    from nango_py.policy.rate_limit_rule import RateLimit

__all__ = ["Gate"]


class Gate:
    """Stand before limits that this process counts alone; threads and event loops may use it at once."""

    __slots__ = ("_clock", "_lock", "queue", "tally")

    def __init__(self, rules: Sequence[RateLimit], clock: Clock, *, learns: bool = False) -> None:
        self._clock = clock
        # The garbage collector may close an answer, or a wait, in the midst of what this lock guards.
        self._lock = threading.RLock()
        self.tally = Tally(rules, learns=learns)
        self.queue: list[Entry] = []

    @property
    def is_trivial(self) -> bool:
        """Whether it holds nobody up and knows of nothing that it should."""
        return not self.queue and self.tally.is_trivial(self._clock.monotonic())

    @property
    def has_slots(self) -> bool:
        """Whether a request counts until its answer's stream is closed."""
        return self.tally.concurrency is not None

    def now(self) -> float:
        """Return the time by which the tally counts."""
        return self._clock.monotonic()

    def refresh(self) -> Flow[None]:
        """Bring the tally up to date: it is."""
        yield from ()

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
            self.tally.answer(entry, reports, now, is_refused=is_refused, has_answer=has_answer)
            self._wake()

    def hear(self, reports: Sequence[Report]) -> None:
        """Hear what an answer says to whose request nobody had to wait."""
        now = self._clock.monotonic()
        with self._lock:
            self.tally.hear(reports, now)
            self._wake()

    def undo(self, entry: Entry) -> None:
        """Take back what a request that was never sent has taken."""
        with self._lock:
            self.tally.undo(entry)
            self._wake()

    def leave(self, entry: Entry) -> None:  # noqa: ARG002 - every slot is like the other
        """Free a slot: the answer's stream is closed."""
        with self._lock:
            self.tally.leave()
            self._wake()

    def hold(self, seconds: float) -> None:
        """Let nobody pass for so long: the provider said so."""
        now = self._clock.monotonic()
        with self._lock:
            self.tally.hold(seconds, now)

    def forget(self) -> None:
        """Start anew in a forked child: the parent's requests and its lock stay with the parent."""
        self._lock = threading.RLock()
        self.queue = []
        self.tally.forget(self._clock.monotonic())

    def _wait(self, entry: Entry, wait: float, longest: float, left: Callable[[], float]) -> Flow[None]:
        seconds = left()
        TooLate.check(wait, longest=longest, left=seconds)
        if math.isfinite(wait) and not self.tally.in_flight:
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
        wait = math.inf if self.queue[0] is not entry else self.tally.take(entry, self._clock.monotonic())
        if wait:
            if entry.ticket is None or entry.ticket.done():
                entry.ticket = Future()
            return wait
        self.queue.pop(0)
        self._wake()
        return 0.0

    def _wake(self) -> None:
        if self.queue:
            self.queue[0].wake()

    def _give_up(self, entry: Entry) -> None:
        with self._lock:
            if entry in self.queue:
                self.queue.remove(entry)
                self._wake()
