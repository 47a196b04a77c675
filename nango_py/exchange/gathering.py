"""Several flows at once in threads, for :class:`nango_py.effects.Gather`.

The calling thread works, too, and helpers come only as long as there are any: however deep gatherings nest, no thread
waits for another one to become free.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from nango_py.clock import SystemClock
from nango_py.effects import Close, Gather, HandOver, Join, ReadAnswer, Sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Effect, Flow

__all__ = ["HELPERS", "Gathering"]

HELPERS = 128
"""Threads that help one engine's gatherings at a time."""


class Gathering:
    """The flows of one gathering; *perform* does an effect, *helpers* counts the threads that are free."""

    def __init__(
        self,
        flows: Sequence[Flow[Any]],
        *,
        perform: Callable[[Effect], Any],
        clock: Clock,
        helpers: threading.Semaphore,
    ) -> None:
        self._results: list[Any] = [None] * len(flows)
        self._left = iter(enumerate(flows))
        self._do = perform
        self._clock = clock
        self._helpers = helpers
        self._failure: BaseException | None = None
        self._inner: set[Gathering] = set()
        self._waiting: set[Future[Any]] = set()
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self, at_most: int) -> list[Any]:
        """Return what the flows end with, in their order; *at_most* so many are under way.

        The first failure is raised when no thread works on any flow any more.
        """
        threads: list[threading.Thread] = []
        try:
            while len(threads) < min(at_most, len(self._results)) - 1 and (thread := self._helper()) is not None:
                threads.append(thread)
            self._work()
            for thread in threads:
                thread.join()
        except BaseException as error:
            self._fail(error)
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure
        return self._results

    def stop(self) -> None:
        """Let the flows go no further."""
        with self._lock:
            self._stopped.set()
            inner, waiting = tuple(self._inner), tuple(self._waiting)
        for each in inner:
            each.stop()
        for one in waiting:
            _settle(one)

    def _helper(self) -> threading.Thread | None:
        """Return a thread that has begun to help; None where no other is allowed, or can be started."""
        if not self._helpers.acquire(blocking=False):
            return None
        context = copy_context()

        def help_out() -> None:
            try:
                context.run(self._work)
            finally:
                self._helpers.release()

        thread = threading.Thread(target=help_out, name="nango_py-gathering", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._helpers.release()
            return None
        return thread

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            index, flow = taken
            try:
                self._results[index] = self._run(flow)
            except BaseException as error:
                self._fail(error)

    def _take(self) -> tuple[int, Flow[Any]] | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._left, None)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self._failure is None and not self._stopped.is_set():
                self._failure = error
        self.stop()

    def _run(self, flow: Flow[Any]) -> Any:
        try:
            effect = next(flow)
            while not self._stopped.is_set():
                try:
                    result = self._perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
            _let_go(effect)
        except StopIteration as end:
            return end.value
        finally:
            flow.close()
        return None

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Gather(flows, at_most):
                return self._nested(flows, at_most)
            case Join(start, seconds):
                return self._joined(start(), seconds)
            case Sleep(seconds) if isinstance(self._clock, SystemClock):
                return self._stopped.wait(seconds)
        return self._do(effect)

    def _nested(self, flows: Sequence[Flow[Any]], at_most: int) -> list[Any]:
        nested = Gathering(flows, perform=self._do, clock=self._clock, helpers=self._helpers)
        with self._lock:
            self._inner.add(nested)
            if self._stopped.is_set():
                nested._stopped.set()
        try:
            return nested.run(at_most)
        finally:
            with self._lock:
                self._inner.discard(nested)

    def _joined(self, ticket: Future[Any], seconds: float | None) -> Any:
        """Wait for work of other threads, or until nobody wants to know any more."""
        waiting: Future[Any] = Future()
        with self._lock:
            self._waiting.add(waiting)
            if self._stopped.is_set():
                _settle(waiting)
        ticket.add_done_callback(lambda _: _settle(waiting))
        try:
            waiting.result(seconds)
        finally:
            with self._lock:
                self._waiting.discard(waiting)
        return ticket.result(0) if ticket.done() or not self._stopped.is_set() else None


def _settle(waiting: Future[Any]) -> None:
    """Let whoever waits go on; two may say so."""
    try:
        waiting.set_result(None)
    except InvalidStateError:
        return


def _let_go(effect: Effect) -> None:
    """Close the answer that a flow was about to read: nobody will."""
    if isinstance(effect, Close | HandOver | ReadAnswer):
        effect.answer.close()
