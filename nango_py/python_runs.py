"""The loop that ``async`` Python actions run in under :class:`Nango`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from nango_py.errors import UsageError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable

    from nango_py.async_engine import AsyncNango

__all__ = ["Background"]


class Background:
    """One event loop in a thread of its own, for ``async`` Python actions under :class:`Nango`."""

    def __init__(self, nango: AsyncNango) -> None:
        import asyncio  # noqa: PLC0415 - only async actions need it

        self._asyncio = asyncio
        self._loop: AbstractEventLoop = asyncio.new_event_loop()
        self._nango = nango
        self._thread = threading.Thread(target=self._loop.run_forever, name="nango_py-actions", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[AsyncNango], Awaitable[Any]]) -> Any:
        """Return the value of *work*, done in the loop."""
        if threading.current_thread() is self._thread:
            raise UsageError("an async action cannot wait for another one synchronously: await ctx.run(...).")

        async def main() -> Any:
            return await work(self._nango)

        future = self._asyncio.run_coroutine_threadsafe(main(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # whoever waited was interrupted
            raise

    def close(self) -> None:
        """Stop the loop and close its connections."""
        self._asyncio.run_coroutine_threadsafe(self._nango._close_pool(), self._loop).result()  # noqa: SLF001
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
