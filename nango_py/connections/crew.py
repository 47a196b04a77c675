"""Threads for work that belongs to a connection: it goes on when whoever asked for it does not wait any more."""

from __future__ import annotations

import contextvars
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Crew"]

_THREADS = 16
"""Of one group: a provider that hangs holds its own, and nobody else's."""


class Crew:
    """Do one piece of work a key at a time; whoever asks meanwhile gets the same ticket.

    The threads end with the process, after their work: an exit between a token's arrival and its storage would lose
    it. A forked child starts with none.
    """

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._groups: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[str, Future[Any]] = {}

    def join(self, group: str, key: str, work: Callable[[], Any]) -> Future[Any]:
        """Return the ticket of the work under *key*, begun now unless it is going on."""
        if os.getpid() != self._pid:
            self._start()
        with self._lock:
            ticket = self._running.get(key)
            if ticket is not None and not ticket.done():
                return ticket
            ticket = self._running[key] = Future()
            ticket.set_running_or_notify_cancel()
            job = _once(ticket, partial(contextvars.copy_context().run, work))
            is_begun = self._begin(group, job)
        ticket.add_done_callback(lambda done: self._forget(key, done))
        if not is_begun:
            job()  # without the lock: the work may ask for other work
        return ticket

    def close(self) -> None:
        """Wait for what is going on, and let the threads go."""
        if os.getpid() != self._pid:
            return
        # Work that ends may have asked for other work.
        while True:
            with self._lock:
                running = [ticket for ticket in self._running.values() if not ticket.done()]
                groups = list(self._groups.values())
                self._groups.clear()
            if not running and not groups:
                return
            wait(running)
            for group in groups:
                group.shutdown()

    def _begin(self, group: str, job: Callable[[], None]) -> bool:
        executor = self._groups.get(group)
        if executor is None:
            executor = self._groups[group] = ThreadPoolExecutor(_THREADS, f"nango_py-{group}")
        try:
            executor.submit(job)
        except RuntimeError:  # no thread can be started any more, as when the interpreter is on its way out
            return False
        return True

    def _forget(self, key: str, ticket: Future[Any]) -> None:
        with self._lock:
            if self._running.get(key) is ticket:
                del self._running[key]


def _once(ticket: Future[Any], work: Callable[[], Any]) -> Callable[[], None]:
    """Return what does the work for *ticket*, once: an executor that could start no thread has queued it still."""
    is_free = threading.Lock()

    def job() -> None:
        if not is_free.acquire(blocking=False):
            return
        try:
            result = work()
        except BaseException as error:
            ticket.set_exception(error)
        else:
            ticket.set_result(result)

    return job
