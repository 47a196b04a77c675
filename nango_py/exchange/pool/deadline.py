"""Streams whose every operation ends by one moment, however slowly bytes trickle in."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Protocol

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

__all__ = ["AsyncTimed", "Ending", "Timed", "least"]

# What one `send` takes as a whole: a partial one would start its timeout anew.
_PIECE = 4096


class Ending(Protocol):
    """Say by what moment, of ``time.monotonic()``, everything must be over; it may change between requests."""

    ends_at: float


class Timed(httpcore.NetworkStream):
    """Give each operation of a stream its own timeout or what is left, whichever is less.

    The operation that meets the end fails as with a timeout of its own.
    """

    def __init__(self, stream: httpcore.NetworkStream, ending: Ending) -> None:
        self._stream = stream
        self._ending = ending

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read as the stream does."""
        return self._stream.read(max_bytes, least(timeout, self._ending.ends_at, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write as the stream does."""
        for piece in _pieces(buffer, self._ending.ends_at):
            self._stream.write(piece, least(timeout, self._ending.ends_at, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS as the stream does."""
        seconds = least(timeout, self._ending.ends_at, httpcore.ConnectTimeout)
        return Timed(self._stream.start_tls(ssl_context, server_hostname, seconds), self._ending)

    def get_extra_info(self, info: str) -> Any:
        """Return what the stream knows."""
        return self._stream.get_extra_info(info)


class AsyncTimed(httpcore.AsyncNetworkStream):
    """Do what Timed does, on an event loop."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, ending: Ending) -> None:
        self._stream = stream
        self._ending = ending

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """Read as the stream does."""
        return await self._stream.read(max_bytes, least(timeout, self._ending.ends_at, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write as the stream does."""
        for piece in _pieces(buffer, self._ending.ends_at):
            await self._stream.write(piece, least(timeout, self._ending.ends_at, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Start TLS as the stream does."""
        seconds = least(timeout, self._ending.ends_at, httpcore.ConnectTimeout)
        return AsyncTimed(await self._stream.start_tls(ssl_context, server_hostname, seconds), self._ending)

    def get_extra_info(self, info: str) -> Any:
        """Return what the stream knows."""
        return self._stream.get_extra_info(info)


def least(timeout: float | None, ends_at: float, over: type[httpcore.TimeoutException]) -> float | None:
    """Return the timeout or what is left, whichever is less; raise *over* when nothing is."""
    if ends_at == math.inf:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise over("the deadline of the request is over")
    return left if timeout is None else min(timeout, left)


def _pieces(buffer: bytes, ends_at: float) -> Iterable[bytes]:
    if ends_at == math.inf or 0 < len(buffer) <= _PIECE:
        return (buffer,)
    return (buffer[start : start + _PIECE] for start in range(0, len(buffer), _PIECE))
