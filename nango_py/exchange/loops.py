"""Meet between worker threads and event loops, asyncio's and trio's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nango_py.errors import UsageError
from nango_py.exchange.pool.profile import DEADLINE_EXTENSION
from nango_py.http import BaseTransport, ConnectError, ConnectTimeout, ReadError, ReadTimeout, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future

    from nango_py.http import AsyncBaseTransport, Request

__all__ = ["LoopBridge", "bridge_to", "result_of", "sync_transport"]

_LOOP_ENDED = "the event loop that the transport serves has ended"
_GRACE = 1.0
_NAP = 0.25


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
        self._run: Callable[[Callable[[], Awaitable[Response]], float], Response] | None = None

    def attach(self) -> None:
        """Use the running loop from now on."""
        import sniffio  # noqa: PLC0415

        self._run = _in_trio() if sniffio.current_async_library() == "trio" else _in_asyncio()

    def handle_request(self, request: Request) -> Response:
        """Return the answer, its body read, of the request that is sent in the loop; errors are httpx's.

        Raises:
            ReadTimeout: The request's own deadline is over.
            ReadError: The loop ended meanwhile.
        """
        if self._run is None:
            raise UsageError("the given transport= serves event loops only, and none has been running yet.")
        left = request.extensions.get(DEADLINE_EXTENSION, float("inf")) - time.monotonic()
        if left <= 0:
            raise ConnectTimeout("the deadline of the request is over", request=request)
        try:
            return self._run(lambda: self._exchange(request, left), left)
        except TimeoutError:
            raise ReadTimeout("the deadline of the request is over", request=request) from None

    async def _exchange(self, request: Request, seconds: float) -> Response:
        import anyio  # noqa: PLC0415

        with anyio.fail_after(seconds):
            answer = await self._transport.handle_async_request(request)
            try:
                await answer.aread()
            finally:
                await answer.aclose()
        return Response(answer.status_code, headers=_plain(answer), content=answer.content)


def _in_asyncio() -> Callable[[Callable[[], Awaitable[Response]], float], Response]:
    import asyncio  # noqa: PLC0415
    from concurrent.futures import CancelledError  # noqa: PLC0415

    loop = asyncio.get_running_loop()

    def run(work: Callable[[], Awaitable[Response]], seconds: float) -> Response:
        job = _awaited(work)
        try:
            running = asyncio.run_coroutine_threadsafe(job, loop)
        except RuntimeError:
            job.close()
            raise ConnectError(_LOOP_ENDED) from None
        ends_at = time.monotonic() + seconds + _GRACE
        while True:
            try:
                return running.result(_NAP)
            except CancelledError:
                raise ReadError(_LOOP_ENDED) from None
            except TimeoutError:
                # What a loop was given that ends, or stands still, is never done.
                if running.done() or time.monotonic() > ends_at:
                    raise
                if loop.is_closed():
                    raise ReadError(_LOOP_ENDED) from None

    return run


def _in_trio() -> Callable[[Callable[[], Awaitable[Response]], float], Response]:
    import trio  # noqa: PLC0415

    token = trio.lowlevel.current_trio_token()

    def run(work: Callable[[], Awaitable[Response]], _seconds: float) -> Response:
        try:
            answer: Response = trio.from_thread.run(work, trio_token=token)
        except trio.RunFinishedError:
            raise ConnectError(_LOOP_ENDED) from None
        except trio.Cancelled:
            raise ReadError(_LOOP_ENDED) from None
        return answer

    return run


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
