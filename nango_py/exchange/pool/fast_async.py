"""The connection of ``pool="fast"`` for event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpcore

from nango_py.exchange.pool.fast_common import (
    NO_ANSWER,
    Answer,
    Opened,
    Parts,
    already_sent,
    extensions_of,
    is_ordinary,
    whole,
)
from nango_py.exchange.pool.http11 import MOST, Framing, find_end, head_of, read_head
from nango_py.exchange.pool.wire import to_core
from nango_py.http import ByteStream

if TYPE_CHECKING:
    from nango_py.exchange.pool.http11 import Outgoing
    from nango_py.http import Request

__all__ = ["AsyncFastConnection"]


class AsyncFastConnection(Opened):
    """Do what FastConnection does, on an event loop."""

    _backend: httpcore.AsyncNetworkBackend
    _stream: httpcore.AsyncNetworkStream | None

    async def handle_async_request(self, request: Request) -> Any:
        """Return the answer as soon as its head is there; raise httpcore's errors."""
        if self._other is None:
            outgoing = head_of(request) if is_ordinary(request) else None
            if outgoing is not None:
                return await self._exchange(request, outgoing)
            self._other = (
                self._spare() if self._stream is None else httpcore.AsyncHTTP11Connection(self._origin, self._stream)
            )
        return await self._other.handle_async_request(to_core(request))

    async def aclose(self) -> None:
        """Close the connection."""
        self._is_idle = False
        opened = self._stream if self._other is None else self._other
        if opened is not None:
            await opened.aclose()

    async def finish(self, *, is_reusable: bool) -> None:
        """Take note that the answer's stream was closed."""
        self._is_idle = is_reusable
        if not is_reusable:
            await self.aclose()

    async def _exchange(self, request: Request, outgoing: Outgoing) -> Any:
        timeouts = request.extensions.get("timeout", {})
        self._is_idle, keeps_alive = False, outgoing.keeps_alive
        if self._stream is None:
            self._stream = await self._connect(timeouts.get("connect"))
        try:
            await self._send(self._stream, request, outgoing, timeouts.get("write"))
        except httpcore.WriteError:
            # The server may have answered before it had read everything.
            keeps_alive = False
        return await self._receive(self._stream, request, timeouts.get("read"), keeps_alive=keeps_alive)

    async def _connect(self, seconds: float | None) -> httpcore.AsyncNetworkStream:
        host = self._origin.host.decode("ascii")
        stream = await self._backend.connect_tcp(host, self._origin.port, seconds)
        if self._context is None:
            return stream
        self._context.set_alpn_protocols(["http/1.1"])
        return await stream.start_tls(self._context, host, seconds)

    async def _send(
        self, stream: httpcore.AsyncNetworkStream, request: Request, outgoing: Outgoing, seconds: float | None
    ) -> None:
        if type(request.stream) is ByteStream:
            await stream.write(whole(request.stream, outgoing), seconds)
            return
        framing, parts = Framing(outgoing.length), request.stream
        await stream.write(outgoing.head, seconds)
        async for part in parts:  # type: ignore[union-attr]
            await stream.write(framing.part(part), seconds)
        await stream.write(framing.end(), seconds)

    async def _receive(
        self, stream: httpcore.AsyncNetworkStream, request: Request, seconds: float | None, *, keeps_alive: bool
    ) -> Any:
        received, end = b"", None
        while end is None:
            part = await stream.read(MOST, seconds)
            if not part:
                raise httpcore.RemoteProtocolError(NO_ANSWER)
            known, received = len(received), received + part
            end = find_end(received, known)
        head = read_head(received[:end], request.method) if end > 0 else None
        if head is None:
            self._other = httpcore.AsyncHTTP11Connection(self._origin, _Replay(stream, received))
            return await self._other.handle_async_request(already_sent(request, is_reusable=keeps_alive))
        keeps_alive = keeps_alive and head.keeps_alive
        parts = _Parts(self, stream, head.body, received[end:], seconds, keeps_alive=keeps_alive)
        return Answer(head.status, head.fields, parts, extensions_of(head.reason, stream))


class _Parts(Parts):
    """The body of an answer, as it comes in; no generator, for a loop keeps account of each of those."""

    __slots__ = ("_pieces",)

    def __aiter__(self) -> Self:
        self._pieces = iter(self._body.feed(self._first))
        return self

    async def __anext__(self) -> bytes:
        body = self._body
        while True:
            for piece in self._pieces:
                return piece
            if body.done:
                self._is_read = True
                raise StopAsyncIteration
            part = await self._stream.read(MOST, self._seconds)
            if not part:
                raise httpcore.RemoteProtocolError(body.unfinished)
            self._pieces = iter(body.feed(part))

    async def aclose(self) -> None:
        await self._connection.finish(is_reusable=self._is_reusable)


class _Replay(httpcore.AsyncNetworkStream):
    """A connection that has sent its request, and received something, before httpcore takes it over."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, received: bytes) -> None:
        self._stream = stream
        self._received = received

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if not self._received:
            return await self._stream.read(max_bytes, timeout)
        part, self._received = self._received[:max_bytes], self._received[max_bytes:]
        return part

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if not self._received:
            await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
