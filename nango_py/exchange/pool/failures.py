"""httpcore's exceptions as httpx's: the one table."""

from __future__ import annotations

import ssl
from types import MappingProxyType
from typing import TYPE_CHECKING

import httpcore

from nango_py import http
from nango_py.exchange.pool.guard import PrivateAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.exchange.pool.profile import Profile

__all__ = ["ROWS", "no_slot", "translated"]

ROWS: Mapping[type[BaseException], type[http.TransportError]] = MappingProxyType(
    {
        httpcore.TimeoutException: http.TimeoutException,
        httpcore.ConnectTimeout: http.ConnectTimeout,
        httpcore.ReadTimeout: http.ReadTimeout,
        httpcore.WriteTimeout: http.WriteTimeout,
        httpcore.PoolTimeout: http.PoolTimeout,
        httpcore.NetworkError: http.NetworkError,
        httpcore.ConnectError: http.ConnectError,
        PrivateAddress: http.PrivateAddressError,
        httpcore.ReadError: http.ReadError,
        httpcore.WriteError: http.WriteError,
        httpcore.ProxyError: http.ProxyError,
        httpcore.UnsupportedProtocol: http.UnsupportedProtocol,
        httpcore.ProtocolError: http.ProtocolError,
        httpcore.LocalProtocolError: http.LocalProtocolError,
        httpcore.RemoteProtocolError: http.RemoteProtocolError,
        # httpx has no row for it, because httpcore's own pool catches it: nothing was sent.
        httpcore.ConnectionNotAvailable: http.ConnectError,
        # An alert after the handshake, such as a missing client certificate in TLS 1.3: httpcore translates it for
        # threads only, and httpx lets it through.
        ssl.SSLError: http.ReadError,
    }
)


def translated(error: BaseException, request: http.Request) -> http.TransportError | None:
    """Return httpx's exception, to be raised outside of the ``except`` block, or None to let the error pass.

    It carries the request, and the error as its cause unless that one quotes a header or a host.
    """
    row = _row(error)
    if row is None:
        return None
    if row is http.LocalProtocolError and "Illegal header value" in str(error):
        return row(_illegal_header(request), request=request)
    failure = row(str(error), request=request)
    # A host can hold a credential; above, it is masked in the failure's own text, but not in a cause.
    if not isinstance(error, PrivateAddress):
        failure.__cause__ = error
    return failure


def no_slot(request: http.Request, profile: Profile, seconds: float | None) -> httpcore.PoolTimeout:
    """Return the error of a request that waited in vain."""
    url, limit = request.url, profile.max_connections
    origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
    message = f"all {limit} connections to {origin} were in use for {seconds} s; read or close the answers"
    return httpcore.PoolTimeout(message)


def _row(error: BaseException) -> type[http.TransportError] | None:
    for base in type(error).__mro__:
        if base in ROWS:
            return ROWS[base]
    # httpcore lets the answers of a broken SOCKS proxy through.
    return http.ProxyError if type(error).__module__.startswith("socksio") else None


def _illegal_header(request: http.Request) -> str:
    """Name the header; h11 would quote its value, which may be a credential with a line break after it."""
    names = [name.decode("ascii", "replace") for name, value in request.headers.raw if _is_illegal(value)]
    subject = f"header {names[0]!r}" if names else "a header"
    return f"the request's {subject} cannot be sent: it has a line break, a NUL, or a blank at an end"


def _is_illegal(value: bytes) -> bool:
    return value != value.strip() or any(character in value for character in (b"\0", b"\r", b"\n"))
