"""The queue before limits that several processes count together, through the store.

One sync at a time tells the store what has happened here since the last one, and asks it for all who stand in line:
requests that come together cost one transaction. What an answer brings is told by the next request's sync, or else by
the keeper's.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nango_py.effects import Call, Join, Sleep
from nango_py.errors import StoreError
from nango_py.exchange.entry import TooLate
from nango_py.exchange.gate import Gate
from nango_py.policy.stored_tally import StoredTally
from nango_py.policy.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.entry import Entry
    from nango_py.exchange.keeper import Keeper
    from nango_py.policy.limit_headers import Report
    from nango_py.policy.rate_limit_rule import RateLimit

__all__ = ["AnyGate", "Revise", "StoredGate"]

Change: TypeAlias = "Callable[[str | None, float], tuple[str, float]]"
Revise: TypeAlias = "Callable[[str, Change], None]"
"""Replace the text under a name, as :meth:`nango_py.connections.store.Store.revise` does."""

SOONEST = 0.02
LATEST = 1.0
"""Whoever waits for other processes asks again after so many seconds, and after twice as many each time."""
ABSENT = 1.0
"""Seconds after the time at which a process wanted to ask again, from which on nobody waits for it."""


@dataclass(frozen=True, slots=True)
class _News:
    """Something that has happened here; *matters* tells that it may make requests wait."""

    tell: Callable[[StoredTally], None]
    matters: bool


@dataclass(slots=True)
class _Sync:
    """What one sync tells and asks, and what it comes to."""

    news: list[_News]
    queue: list[Entry]
    owners: tuple[str, ...]
    passed: list[Entry] = field(default_factory=list)
    wait: float = 0.0


class StoredGate:
    """Stand before limits that processes count together; threads and event loops may use it at once."""

    def __init__(
        self,
        name: str,
        rules: Sequence[RateLimit],
        clock: Clock,
        *,
        revise: Revise,
        keeper: Keeper,
        learns: bool = False,
    ) -> None:
        self.name = name
        self._rules, self._learns = rules, learns
        self._clock, self._revise, self._keeper = clock, revise, keeper
        self.tally = Tally(rules, learns=learns)
        """As it was at the last sync."""
        self._ahead = 0.0
        """Seconds by which the store's clock is ahead of ours."""
        self._fresh()

    def _fresh(self) -> None:
        # The garbage collector may close an answer, or a wait, in the midst of what this lock guards.
        self._lock = threading.RLock()
        self._syncing = threading.Lock()
        self.queue: list[Entry] = []
        self._news: list[_News] = []
        self._held: dict[str, int] = {}
        """How much is held under each of this process's names: a request on its way and a slot count one each."""
        self._member = uuid.uuid4().hex
        self._owner = ""
        self._due = -math.inf
        self._pause = SOONEST
        self._wait_until = math.inf
        self._is_awaited = False
        self._synced_at = -math.inf

    @property
    def is_trivial(self) -> bool:
        """Whether it holds nobody up and knows of nothing that it should."""
        is_calm = not self.queue and not any(news.matters for news in self._news)
        return is_calm and self.tally.is_trivial(self.now())

    @property
    def has_slots(self) -> bool:
        """Whether a request counts until its answer's stream is closed."""
        return self.tally.concurrency is not None

    @property
    def is_awaited(self) -> bool:
        """Whether another process waits for what this one may have to tell."""
        return self._is_awaited

    @property
    def has_news(self) -> bool:
        """Whether something has happened that the store does not know of."""
        return bool(self._news)

    def is_due(self, seconds: float) -> bool:
        """Tell whether it is time to sync: there is news, or what it holds was renewed *seconds* ago."""
        return self.has_news or (bool(self._held) and time.monotonic() - self._synced_at >= seconds)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to tell, nor anything to renew."""
        return not (self._held or self._news)

    def now(self) -> float:
        """Return the time by which the tally counts."""
        return self._clock.monotonic() + self._ahead

    def refresh(self) -> Flow[None]:
        """Bring the tally up to date."""
        yield Call(lambda: self.sync(anyway=True))

    def enter(self, entry: Entry, *, longest: float, left: Callable[[], float], first: bool) -> Flow[None]:
        """Wait for the turn of *entry*; as :meth:`Gate.enter`.

        Raises:
            TooLate: One wait is longer than *longest* seconds, or all are longer than *left* tells.
            StoreError: The store cannot be reached.
        """
        entry.came_at = self._clock.monotonic()
        with self._lock:
            entry.ticket = Future()
            if first:
                self.queue.insert(0, entry)
            else:
                self.queue.append(entry)
        try:
            while not entry.has_passed:
                if self._may_ask(entry):
                    yield Call(self.sync)
                if not entry.has_passed:
                    yield from self._wait(entry, longest, left)
        except BaseException:
            self._give_up(entry)
            raise

    def answer(self, entry: Entry, reports: Sequence[Report], *, is_refused: bool, has_answer: bool) -> None:
        """Hear what came of a request that was sent."""

        def tell(counts: StoredTally) -> None:
            counts.answer(entry, entry.owner, reports, is_refused=is_refused, has_answer=has_answer)
            if not self.has_slots:
                counts.leave(entry.owner)

        self._tell(tell, entry, frees=1 if self.has_slots else 2, matters=bool(reports) or is_refused)

    def hear(self, reports: Sequence[Report]) -> None:
        """Hear what an answer says to whose request nobody had to wait."""
        self._tell(lambda counts: counts.tally.hear(reports, counts.now), matters=True)

    def undo(self, entry: Entry) -> None:
        """Take back what a request that was never sent has taken."""
        self._tell(lambda counts: counts.undo(entry, entry.owner), entry, frees=2)

    def leave(self, entry: Entry) -> None:
        """Free a slot: the answer's stream is closed."""
        self._tell(lambda counts: counts.leave(entry.owner), entry, frees=1)

    def hold(self, seconds: float) -> None:
        """Let nobody pass for so long: the provider said so."""
        self._tell(lambda counts: counts.tally.hold(seconds, counts.now), matters=True)

    def forget(self) -> None:
        """Start anew in a forked child: what the parent holds stays with the parent."""
        self._fresh()

    def sync(self, *, anyway: bool = False) -> None:
        """Tell the store what has happened, and ask it for all who stand in line; *anyway*, if there is nothing.

        Raises:
            StoreError: It cannot be reached; whoever stands in line is told so, too.
        """
        with self._syncing:
            with self._lock:
                sync = _Sync(self._news, list(self.queue), tuple(self._held))
                self._news = []
            if not (sync.news or sync.queue or anyway):
                return
            begun = time.monotonic()  # of the host: a name is renewed in real time
            try:
                self._revise(self.name, partial(self._change, sync))
            except BaseException as error:
                self._lose(sync.queue, error)
                raise
            self._synced_at = begun
            self._settle(sync)

    def _change(self, sync: _Sync, kept: str | None, now: float) -> tuple[str, float]:
        monotonic = self._clock.monotonic()
        counts = StoredTally(self._rules, learns=self._learns, kept=kept, now=now)
        for one in sync.news:
            one.tell(counts)
        counts.renew(sync.owners)
        if not counts.knows(self._owner):
            # A name that held nothing any more may have been taken from us, with requests still on their way.
            self._owner = uuid.uuid4().hex
        for entry in sync.queue:
            since = now - (monotonic - entry.came_at)
            sync.wait = counts.take(entry, self._owner) if counts.is_turn_of(self._member, since) else math.inf
            if sync.wait:
                counts.line_up(self._member, since, until=now + self._next_pause(sync) + ABSENT)
                break
            entry.owner = self._owner
            sync.passed.append(entry)
        else:
            counts.line_up(self._member, None)
        self.tally, self._ahead = counts.tally, now - monotonic
        self._is_awaited = counts.others_wait(self._member)
        return counts.text(), counts.matters_for()

    def _next_pause(self, sync: _Sync) -> float:
        """Return the seconds after which to ask again, unless something happens here."""
        if math.isfinite(sync.wait):
            return min(sync.wait, LATEST)
        return SOONEST if sync.passed else self._pause

    def _settle(self, sync: _Sync) -> None:
        with self._lock:
            monotonic = self._clock.monotonic()
            for entry in sync.passed:
                self._held[entry.owner] = self._held.get(entry.owner, 0) + 2
                entry.has_passed = True
                if entry in self.queue:
                    self.queue.remove(entry)
                    entry.wake()
                else:
                    self.undo(entry)  # it waits no longer
            self._due = -math.inf
            self._wait_until = math.inf
            if sync.wait:
                pause = self._next_pause(sync)
                self._due = monotonic + pause
                self._pause = SOONEST if sync.passed else min(2 * self._pause, LATEST / 4)
                self._wait_until = monotonic + sync.wait
            else:
                self._pause = SOONEST
            if self.queue and (not sync.wait or self.queue[0] is not sync.queue[len(sync.passed)]):
                self.queue[0].wake()
        if self._held:
            self._keeper.watch(self)

    def _may_ask(self, entry: Entry) -> bool:
        with self._lock:
            is_first = bool(self.queue) and self.queue[0] is entry
            if entry.ticket is None or entry.ticket.done():
                if entry.ticket is not None:
                    entry.ticket.result()  # the store may have failed whoever asked for all
                entry.ticket = Future()
            return is_first and self._clock.monotonic() >= self._due

    def _wait(self, entry: Entry, longest: float, left: Callable[[], float]) -> Flow[None]:
        with self._lock:
            is_first = bool(self.queue) and self.queue[0] is entry
            monotonic = self._clock.monotonic()
            wait = self._wait_until - monotonic if is_first else math.inf
            pause = max(0.0, self._due - monotonic) if is_first else math.inf
            ticket = entry.ticket
        seconds = left()
        TooLate.check(wait, longest=longest, left=seconds)
        if ticket is None:
            raise AssertionError("a waiter has a ticket")
        if is_first and not self._held:
            yield Sleep(min(pause, seconds))
            return
        try:
            yield Join(lambda: ticket, min(pause, seconds))
        except TimeoutError:
            if left() <= 0:
                raise TooLate(None) from None

    def _tell(
        self,
        tell: Callable[[StoredTally], None],
        entry: Entry | None = None,
        *,
        frees: int = 0,
        matters: bool = False,
    ) -> None:
        with self._lock:
            if entry is not None:
                left = self._held.get(entry.owner, 0) - frees
                if left < 0:
                    return  # it is the parent's, of which this process is a fork
                if left:
                    self._held[entry.owner] = left
                else:
                    del self._held[entry.owner]
            self._news.append(_News(tell, matters))
            if self.queue:
                self._due = -math.inf
                self.queue[0].wake()
        self._keeper.watch(self)

    def _give_up(self, entry: Entry) -> None:
        with self._lock:
            if entry.has_passed:
                self.undo(entry)
            elif entry in self.queue:
                was_first = self.queue[0] is entry
                self.queue.remove(entry)
                if was_first and self.queue:
                    self._due = -math.inf
                    self.queue[0].wake()
                elif not self.queue:
                    self._tell(lambda counts: counts.line_up(self._member, None))

    def _lose(self, queue: list[Entry], error: BaseException) -> None:
        """Take another name, for nobody knows what was counted; let those in line fail where the store does."""
        with self._lock:
            self._owner = ""
            self._due = -math.inf
            for entry in queue if isinstance(error, StoreError) else ():
                if entry in self.queue:
                    self.queue.remove(entry)
                    if entry.ticket is not None and not entry.ticket.done():
                        entry.ticket.set_exception(StoreError(str(error)))
            if self.queue:
                self.queue[0].wake()


AnyGate: TypeAlias = Gate | StoredGate
