"""Call what the program hands in, plain or async, and take part in the server's life."""

from __future__ import annotations

from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

__all__ = ["called", "live"]


async def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a plain or an async function returns; a plain one may block, and runs in a worker thread."""
    if iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return await function(*args, **kwargs)
    result = await run_sync(partial(function, *args, **kwargs))
    return await result if isawaitable(result) else result


async def live(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer the events of the lifespan; there is nothing to do, for the engine is the program's to close."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
