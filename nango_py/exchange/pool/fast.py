"""The connection of ``pool="fast"``, for threads: ordinary exchanges without h11, all others by httpcore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from collections.abc import Iterator

    from nango_py.exchange.pool.http11 import Outgoing
    from nango_py.http import Request

__all__ = ["FastConnection"]


class FastConnection(Opened):
    """Do what httpcore's connection does, over the same sockets and with the same errors, in less time."""

    _backend: httpcore.NetworkBackend
    _stream: httpcore.NetworkStream | None

    def handle_request(self, request: Request) -> Any:
        """Return the answer as soon as its head is there; raise httpcore's errors."""
        if self._other is None:
            outgoing = head_of(request) if is_ordinary(request) else None
            if outgoing is not None:
                return self._exchange(request, outgoing)
            self._other = self._spare() if self._stream is None else _over(self._origin, self._stream)
        return self._other.handle_request(to_core(request))

    def close(self) -> None:
        """Close the connection."""
        self._is_idle = False
        opened = self._stream if self._other is None else self._other
        if opened is not None:
            opened.close()

    def finish(self, *, is_reusable: bool) -> None:
        """Take note that the answer's stream was closed."""
        self._is_idle = is_reusable
        if not is_reusable:
            self.close()

    def _exchange(self, request: Request, outgoing: Outgoing) -> Any:
        timeouts = request.extensions.get("timeout", {})
        self._is_idle, keeps_alive = False, outgoing.keeps_alive
        if self._stream is None:
            self._stream = self._connect(timeouts.get("connect"))
        try:
            self._send(self._stream, request, outgoing, timeouts.get("write"))
        except httpcore.WriteError:
            # The server may have answered before it had read everything.
            keeps_alive = False
        return self._receive(self._stream, request, timeouts.get("read"), keeps_alive=keeps_alive)

    def _connect(self, seconds: float | None) -> httpcore.NetworkStream:
        host = self._origin.host.decode("ascii")
        stream = self._backend.connect_tcp(host, self._origin.port, seconds)
        if self._context is None:
            return stream
        self._context.set_alpn_protocols(["http/1.1"])
        return stream.start_tls(self._context, host, seconds)

    def _send(
        self, stream: httpcore.NetworkStream, request: Request, outgoing: Outgoing, seconds: float | None
    ) -> None:
        if type(request.stream) is ByteStream:
            stream.write(whole(request.stream, outgoing), seconds)
            return
        framing, parts = Framing(outgoing.length), request.stream
        stream.write(outgoing.head, seconds)
        for part in parts:  # type: ignore[union-attr]
            stream.write(framing.part(part), seconds)
        stream.write(framing.end(), seconds)

    def _receive(
        self, stream: httpcore.NetworkStream, request: Request, seconds: float | None, *, keeps_alive: bool
    ) -> Any:
        received, end = b"", None
        while end is None:
            part = stream.read(MOST, seconds)
            if not part:
                raise httpcore.RemoteProtocolError(NO_ANSWER)
            known, received = len(received), received + part
            end = find_end(received, known)
        head = read_head(received[:end], request.method) if end > 0 else None
        if head is None:
            self._other = _over(self._origin, _Replay(stream, received))
            return self._other.handle_request(already_sent(request, is_reusable=keeps_alive))
        keeps_alive = keeps_alive and head.keeps_alive
        parts = _Parts(self, stream, head.body, received[end:], seconds, keeps_alive=keeps_alive)
        return Answer(head.status, head.fields, parts, extensions_of(head.reason, stream))


class _Parts(Parts):
    """The body of an answer, as it comes in."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        body = self._body
        yield from body.feed(self._first)
        while not body.done:
            part = self._stream.read(MOST, self._seconds)
            if not part:
                raise httpcore.RemoteProtocolError(body.unfinished)
            yield from body.feed(part)
        self._is_read = True

    def close(self) -> None:
        self._connection.finish(is_reusable=self._is_reusable)


class _Replay(httpcore.NetworkStream):
    """A connection that has sent its request, and received something, before httpcore takes it over."""

    def __init__(self, stream: httpcore.NetworkStream, received: bytes) -> None:
        self._stream = stream
        self._received = received

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._received:
            return self._stream.read(max_bytes, timeout)
        part, self._received = self._received[:max_bytes], self._received[max_bytes:]
        return part

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._received:
            self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _over(origin: httpcore.Origin, stream: httpcore.NetworkStream) -> httpcore.HTTP11Connection:
    return httpcore.HTTP11Connection(origin, stream)
