"""How Python actions run under either engine: what they are given, and the loop of those that are ``async``."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from nango_py.actions.context import Context
from nango_py.errors import UsageError
from nango_py.log import logger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable

    from nango_py.actions.python import PythonAction
    from nango_py.async_engine import AsyncNango
    from nango_py.connections.connection import ConnectionView
    from nango_py.engine import Nango
    from nango_py.exchange.session import Session

__all__ = ["Background", "context_of"]


def context_of(
    nango: Nango | AsyncNango, session: Session, action: PythonAction, http: Any, view: ConnectionView
) -> Context:
    """Return what an action is given; its calls are *nango*'s, plain or awaited."""
    name, user = session.integration.name, session.user_id
    log = logger(
        session.secrets, level=session.integration.log_level, integration=name, action=action.name, user_id=user
    )
    return Context(
        http=http,
        connection=view,
        log=log,
        _paginate=partial(nango.paginate, name, user),
        _run=lambda other, more=None: nango.trigger_action(name, other, user, more),
    )


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

        return self._asyncio.run_coroutine_threadsafe(main(), self._loop).result()

    def close(self) -> None:
        """Stop the loop and close its connections."""
        self._asyncio.run_coroutine_threadsafe(self._nango._close_pool(), self._loop).result()  # noqa: SLF001
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
