"""What both connections of ``pool="fast"`` have in common: everything but input and output."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import httpcore

from nango_py.exchange.pool.http11 import Framing
from nango_py.exchange.pool.wire import to_core

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from nango_py.exchange.pool.http11 import Body, Outgoing
    from nango_py.http import Request

__all__ = ["NO_ANSWER", "Answer", "Opened", "Parts", "already_sent", "extensions_of", "is_ordinary", "whole"]

NO_ANSWER = "Server disconnected without sending a response."
_LOG = logging.getLogger("httpcore.http11")
_CONNECTION_LOG = logging.getLogger("httpcore.connection")
_OWN_WAYS = frozenset({"trace", "sni_hostname", "target"})


class Answer(NamedTuple):
    """What a connection returns: the names are those of httpcore's response."""

    status: int
    headers: list[tuple[bytes, bytes]]
    stream: Any
    extensions: dict[str, Any]


class Opened:
    """What FastConnection and its twin for event loops have in common: everything but input and output.

    *spare* makes httpcore's own connection, which takes over for good at the first request or answer that is not
    ordinary, where httpcore's debug log is on, and from the start where it is not *is_direct* (a proxy).
    """

    def __init__(
        self,
        *,
        origin: httpcore.Origin,
        context: ssl.SSLContext | None,
        backend: Any,
        spare: Callable[[], Any],
        is_direct: bool,
    ) -> None:
        self._origin = origin
        self._context = context
        self._backend = backend
        self._spare = spare
        self._other: Any = None if is_direct else spare()
        self._stream: Any = None
        self._is_idle = False

    def is_available(self) -> bool:
        """Tell whether it waits for its next request."""
        return self._is_idle if self._other is None else bool(self._other.is_available())

    def has_expired(self) -> bool:
        """Tell whether the other side closed it meanwhile."""
        if self._other is not None:
            return bool(self._other.has_expired())
        return self._is_idle and self._stream is not None and bool(self._stream.get_extra_info("is_readable"))


class Parts:
    """What the bodies of answers have in common."""

    __slots__ = ("_body", "_connection", "_first", "_is_read", "_keeps_alive", "_seconds", "_stream")

    def __init__(
        self,
        connection: Any,
        stream: Any,
        body: Body,
        first: bytes,
        seconds: float | None,
        *,
        keeps_alive: bool,
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._body = body
        self._first = first
        self._seconds = seconds
        self._is_read = body.done
        self._keeps_alive = keeps_alive and not (body.done and first)

    @property
    def _is_reusable(self) -> bool:
        return self._keeps_alive and self._is_read and not self._body.rest


def is_ordinary(request: Request) -> bool:
    """Tell whether nobody listens to httpcore, by a trace or its log, and no extension changes the connection."""
    is_heard = _LOG.isEnabledFor(logging.DEBUG) or _CONNECTION_LOG.isEnabledFor(logging.DEBUG)
    return not is_heard and _OWN_WAYS.isdisjoint(request.extensions)


def whole(body: Iterable[bytes], outgoing: Outgoing) -> bytes:
    """Return a request whose body is at hand, so that it can leave in one packet."""
    framing = Framing(outgoing.length)
    return outgoing.head + b"".join([framing.part(part) for part in body]) + framing.end()


def extensions_of(reason: bytes, stream: Any) -> dict[str, Any]:
    """Return an answer's extensions, as httpcore has them."""
    return {"http_version": b"HTTP/1.1", "reason_phrase": reason, "network_stream": stream}


def already_sent(request: Request, *, is_reusable: bool) -> httpcore.Request:
    """Return the request without its body: it has left already, and only what it says of the answer counts."""
    core = to_core(request)
    headers = [(name, value) for name, value in core.headers if name.lower() not in _OF_BODY]
    if not is_reusable:
        headers.append((b"Connection", b"close"))
    return httpcore.Request(core.method, core.url, headers=headers, extensions=core.extensions)


_OF_BODY = frozenset({b"content-length", b"transfer-encoding"})
