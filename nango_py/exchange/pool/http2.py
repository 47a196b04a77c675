"""Connections that may speak HTTP/2: httpcore's, with one request at a time.

httpcore can send several at once over one connection, but then a read timeout of one of them ends all the others, and
a thread that reads for all keeps no other's timeout. So the pool's books stay as they are: a connection is busy until
its answer is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

__all__ = ["AsyncHttp2Connection", "AsyncHttp2Network", "Frames", "Http2Connection", "Http2Network"]

_MOST = 65536
_READS = 16
"""Reads of what was said between requests: who goes on beyond them may do so for ever."""
_AT_ONCE = 0.001
"""Seconds for what has arrived to be read: it may be no more than a part of a TLS record."""
_HEAD = 9
_GOAWAY = 7
_LAST_STREAM, _CODE = slice(9, 13), slice(13, 17)


class Frames:
    """Withhold a server's goodbye (GOAWAY, RFC 9113 section 6.8) that lets the request under way come to its end.

    h2 takes every goodbye for the end of the connection, and would lose the answer that comes after it: nginx says
    it in front of its thousandth answer.
    """

    def __init__(self) -> None:
        self.is_spoken = False
        """Whether the other side speaks HTTP/2."""
        self.is_ending = False
        """Whether it takes no further requests."""
        self._stream = -1
        self._passing = 0
        self._held = b""

    def begin(self) -> None:
        """Take note of a request: a client's streams have odd numbers."""
        self._stream += 2

    def pass_on(self, received: bytes) -> bytes:
        """Return what httpcore is to see of received bytes; the beginning of a frame may be held back."""
        if not self.is_spoken:
            return received
        buffer, seen = self._held + received, []
        while True:
            part, buffer = buffer[: self._passing], buffer[self._passing :]
            seen.append(part)
            self._passing -= len(part)
            size = _HEAD + int.from_bytes(buffer[:3], "big")
            if len(buffer) < _HEAD or (buffer[3] == _GOAWAY and len(buffer) < size):
                self._held = buffer
                return b"".join(seen)
            if buffer[3] == _GOAWAY and self._is_harmless(buffer):
                self.is_ending, buffer = True, buffer[size:]
            else:
                self._passing = size

    def _is_harmless(self, goodbye: bytes) -> bool:
        last_stream = int.from_bytes(goodbye[_LAST_STREAM], "big") & 0x7FFFFFFF
        return not int.from_bytes(goodbye[_CODE], "big") and last_stream >= self._stream


class _Connection:
    """Tell that a connection is free when its answer was read to the end.

    HTTP/2 would let it go on after an answer that is closed early, and the server would go on sending that.
    """

    def __init__(self, dial: Callable[[Frames], Any]) -> None:
        self._dial = dial
        self.is_read = False
        self._start()

    def _start(self) -> None:
        self._frames = Frames()
        self._inner = self._dial(self._frames)
        self._stream: Any = None

    def is_available(self) -> bool:
        """Tell whether it waits for its next request."""
        return self.is_read and not self._frames.is_ending and bool(self._inner.is_available())

    def has_expired(self) -> bool:
        """Tell whether the other side closed it meanwhile; with HTTP/2 the next request finds out, and connects."""
        return not self._frames.is_spoken and bool(self._inner.has_expired())

    @property
    def _is_called(self) -> bool:
        """Whether something has come since the last answer: mostly that the server has seen a frame, or a goodbye."""
        is_open = self._frames.is_spoken and self._stream is not None
        return is_open and bool(self._stream.get_extra_info("is_readable"))


class Http2Connection(_Connection):
    """Send requests one after the other, for threads."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Return the answer as soon as its head is there; raise httpcore's errors."""
        self.is_read = False
        if self._is_called and not self._stream.listens():
            self._inner.close()
            self._start()
        self._frames.begin()
        answer: httpcore.Response = self._inner.handle_request(request)
        self._stream = answer.extensions["network_stream"]
        answer.stream = _Parts(self, answer.stream)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()


class AsyncHttp2Connection(_Connection):
    """Send requests one after the other, on an event loop."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Return the answer as soon as its head is there; raise httpcore's errors."""
        self.is_read = False
        if self._is_called and not await self._stream.listens():
            await self._inner.aclose()
            self._start()
        self._frames.begin()
        answer: httpcore.Response = await self._inner.handle_async_request(request)
        self._stream = answer.extensions["network_stream"]
        answer.stream = _AsyncParts(self, answer.stream)
        return answer

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()


class _Parts:
    def __init__(self, connection: Http2Connection, parts: Any) -> None:
        self._connection = connection
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        self._connection.is_read = True

    def close(self) -> None:
        self._parts.close()


class _AsyncParts:
    def __init__(self, connection: AsyncHttp2Connection, parts: Any) -> None:
        self._connection = connection
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._parts:
            yield part
        self._connection.is_read = True

    async def aclose(self) -> None:
        await self._parts.aclose()


class Http2Network(httpcore.NetworkBackend):
    """Open sockets as the backend does, whose frames are looked at once HTTP/2 is agreed upon."""

    def __init__(self, backend: httpcore.NetworkBackend, frames: Frames) -> None:
        self._backend = backend
        self._frames = frames

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect as the backend does."""
        return _Stream(self._backend.connect_tcp(host, port, timeout, local_address, socket_options), self._frames)


class AsyncHttp2Network(httpcore.AsyncNetworkBackend):
    """Do what Http2Network does, on an event loop."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, frames: Frames) -> None:
        self._backend = backend
        self._frames = frames

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect as the backend does."""
        return _AsyncStream(
            await self._backend.connect_tcp(host, port, timeout, local_address, socket_options), self._frames
        )


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, frames: Frames) -> None:
        self._stream = stream
        self._frames = frames
        self._kept = b""

    def listens(self) -> bool:
        """Tell whether the other side takes further requests, and keep what it has said for httpcore.

        Who does not stop talking between requests is not listened to.
        """
        try:
            for _ in range(_READS):
                received = self._stream.read(_MOST, _AT_ONCE)
                self._kept += self._frames.pass_on(received)
                if not received or self._frames.is_ending:
                    break
        except httpcore.ReadTimeout:
            return not self._frames.is_ending
        except httpcore.NetworkError:
            return False
        return False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._kept:
            kept, self._kept = self._kept, b""
            return kept
        while received := self._stream.read(max_bytes, timeout):
            if seen := self._frames.pass_on(received):
                return seen
        return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, timeout)
        self._frames.is_spoken = _speaks_http2(secured)
        return _Stream(secured, self._frames)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, frames: Frames) -> None:
        self._stream = stream
        self._frames = frames
        self._kept = b""

    async def listens(self) -> bool:
        """Do what _Stream does."""
        try:
            for _ in range(_READS):
                received = await self._stream.read(_MOST, _AT_ONCE)
                self._kept += self._frames.pass_on(received)
                if not received or self._frames.is_ending:
                    break
        except httpcore.ReadTimeout:
            return not self._frames.is_ending
        except httpcore.NetworkError:
            return False
        return False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        if self._kept:
            kept, self._kept = self._kept, b""
            return kept
        while received := await self._stream.read(max_bytes, timeout):
            if seen := self._frames.pass_on(received):
                return seen
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        secured = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        self._frames.is_spoken = _speaks_http2(secured)
        return _AsyncStream(secured, self._frames)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _speaks_http2(stream: httpcore.NetworkStream | httpcore.AsyncNetworkStream) -> bool:
    secure = stream.get_extra_info("ssl_object")
    return secure is not None and secure.selected_alpn_protocol() == "h2"
