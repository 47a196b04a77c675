"""The loop that ``async`` Python actions run in under :class:`Nango`."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from nango_py import forks
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable

    from nango_py.async_engine import AsyncNango

__all__ = ["Background"]

GRACE = 5.0
"""Seconds for cancelled actions to end in."""


class Background:
    """One event loop in a thread of its own, for ``async`` Python actions under :class:`Nango`.

    It begins with the first action, in a forked child with the child's first one.
    """

    def __init__(self, nango: AsyncNango) -> None:
        self._nango = nango
        self._lock = forks.Lock()
        self._running: tuple[AbstractEventLoop, threading.Thread] | None = None
        self._waiting: set[Future[Any]] = set()
        self._is_closing = False
        forks.watch(self)

    def forget(self) -> None:
        """Leave the loop to the parent process, whose thread it is."""
        forks.bury((self._running, self._waiting))
        self._running, self._waiting = None, set()

    def run(self, work: Callable[[AsyncNango], Awaitable[Any]]) -> Any:
        """Return the value of *work*, done in the loop.

        Raises:
            UsageError: It would wait for itself, or the engine was closed before it was done.
        """
        future = self._submitted(work)
        try:
            return future.result()
        except CancelledError:
            if self._is_closing:
                raise UsageError("the engine was closed while the action ran.") from None
            raise
        except BaseException:
            future.cancel()  # whoever waited was interrupted
            raise
        finally:
            self._waiting.discard(future)

    def close(self) -> None:
        """Cancel what runs, close the loop's connections, and end the thread.

        An action that does not end although it is cancelled is waited for for a moment, and then left.
        """
        from asyncio import run_coroutine_threadsafe  # noqa: PLC0415

        with self._lock:
            if self._running is None:
                return
            loop, thread = self._running
            if threading.current_thread() is thread:
                raise UsageError("an action cannot close the engine that it runs in.")
            self._is_closing = True
        run_coroutine_threadsafe(self._wind_up(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for future in list(self._waiting):
            future.cancel()  # its action was left, and nothing else would ever tell whoever waits
        loop.close()

    async def _wind_up(self) -> None:
        from asyncio import all_tasks, current_task, wait  # noqa: PLC0415

        tasks = all_tasks() - {current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await wait(tasks, timeout=GRACE)
        await self._nango._close_pool()  # noqa: SLF001

    def _submitted(self, work: Callable[[AsyncNango], Awaitable[Any]]) -> Future[Any]:
        from asyncio import new_event_loop, run_coroutine_threadsafe  # noqa: PLC0415 - only async actions need it

        async def main() -> Any:
            return await work(self._nango)

        with self._lock:
            if self._is_closing:
                raise UsageError("the engine is closed.")
            if self._running is None:
                loop = new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="nango_py-actions", daemon=True)
                thread.start()
                self._running = loop, thread
            loop, thread = self._running
            if threading.current_thread() is thread:
                raise UsageError("an async action cannot wait for another one synchronously: await ctx.run(...).")
            future = run_coroutine_threadsafe(main(), loop)
            self._waiting.add(future)
            return future
