"""Meet between worker threads and event loops, asyncio's and trio's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.errors import UsageError
from nango_py.http import BaseTransport, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future

    from nango_py.http import AsyncBaseTransport, Request

__all__ = ["LoopBridge", "bridge_to", "result_of", "sync_transport"]


async def result_of(ticket: Future[Any], seconds: float | None = None) -> Any:
    """Return what *ticket* brings, or raise TimeoutError after *seconds*; ending the wait leaves the work alone."""
    import anyio  # noqa: PLC0415 - synchronous programs never need it

    if not ticket.done():
        settled = anyio.Event()
        wake = _waker()
        ticket.add_done_callback(lambda _: wake(settled.set))
        with anyio.fail_after(seconds):
            await settled.wait()
    return ticket.result()


def _waker() -> Callable[[Callable[[], object]], None]:
    """Return what runs a function in this loop, from any thread; a loop that is gone hears nothing."""
    post = _poster()

    def wake(call: Callable[[], object]) -> None:
        try:
            post(call)
        except RuntimeError:  # trio's RunFinishedError is one, too
            return

    return wake


def _poster() -> Callable[[Callable[[], object]], object]:
    import sniffio  # noqa: PLC0415

    if sniffio.current_async_library() == "trio":
        import trio  # noqa: PLC0415

        post: Callable[[Callable[[], object]], object] = trio.lowlevel.current_trio_token().run_sync_soon
        return post
    import asyncio  # noqa: PLC0415

    return asyncio.get_running_loop().call_soon_threadsafe


class LoopBridge(BaseTransport):
    """Let worker threads send through a transport that serves event loops only: each request runs in the loop."""

    def __init__(self, transport: AsyncBaseTransport) -> None:
        self._transport = transport
        self._run: Callable[[Callable[[], Awaitable[Response]]], Response] | None = None

    def attach(self) -> None:
        """Use the running loop from now on."""
        import sniffio  # noqa: PLC0415

        if sniffio.current_async_library() == "trio":
            import trio  # noqa: PLC0415

            token = trio.lowlevel.current_trio_token()
            self._run = lambda work: trio.from_thread.run(work, trio_token=token)
        else:
            import asyncio  # noqa: PLC0415

            loop = asyncio.get_running_loop()
            self._run = lambda work: asyncio.run_coroutine_threadsafe(_awaited(work), loop).result()

    def handle_request(self, request: Request) -> Response:
        """Send the request in the loop and return its answer, the body read."""
        if self._run is None:
            raise UsageError("the given transport= serves event loops only, and none has been running yet.")
        return self._run(lambda: self._exchange(request))

    async def _exchange(self, request: Request) -> Response:
        answer = await self._transport.handle_async_request(request)
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return Response(answer.status_code, headers=_plain(answer), content=answer.content)


def bridge_to(transport: BaseTransport | AsyncBaseTransport | None) -> LoopBridge | None:
    """Return a bridge to a transport that serves event loops only; None where threads need none."""
    if transport is None or isinstance(transport, BaseTransport):
        return None
    return LoopBridge(transport)


def sync_transport(transport: BaseTransport | AsyncBaseTransport | None, environ: Mapping[str, str]) -> BaseTransport:
    """Return what worker threads send through: the given transport, or a connection of its own for each request."""
    if isinstance(transport, BaseTransport):
        return transport
    from nango_py.exchange.pool.single import OneShot  # noqa: PLC0415 - few programs renew at once

    return OneShot(environ=environ)


async def _awaited(work: Callable[[], Awaitable[Response]]) -> Response:
    return await work()


def _plain(answer: Response) -> list[tuple[str, str]]:
    """Return the headers without those of a coding that has been taken off."""
    coded = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in coded]
