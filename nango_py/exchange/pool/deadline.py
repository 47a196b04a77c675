"""A network whose every operation ends by one moment, however slowly bytes trickle in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

__all__ = ["Hurried"]

# What one `send` takes as a whole: a partial one would start its timeout anew.
_PIECE = 4096


class Hurried(httpcore.NetworkBackend):
    """Connect through *backend*, and give each operation its own timeout or what is left, whichever is less.

    *ends_at* is a moment of ``time.monotonic()``. The operation that meets it fails as with a timeout of its own.
    """

    def __init__(self, backend: httpcore.NetworkBackend, ends_at: float) -> None:
        self._backend = backend
        self._ends_at = ends_at

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect as the backend does."""
        seconds = _least(timeout, self._ends_at, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
        return _Stream(stream, self._ends_at)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _least(timeout, self._ends_at, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            seconds = _least(timeout, self._ends_at, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _PIECE], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = _least(timeout, self._ends_at, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _least(timeout: float | None, ends_at: float, over: type[httpcore.TimeoutException]) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise over("the deadline of the request is over")
    return left if timeout is None else min(timeout, left)
