"""The one home of httpx: every other module takes its names from here.

httpx 0.28.1 is quiet upstream and its fork has the same interface with incompatible objects; a move is this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from httpx import (
    URL,
    AsyncBaseTransport,
    AsyncByteStream,
    AsyncClient,
    BaseTransport,
    ByteStream,
    Client,
    ConnectError,
    ConnectTimeout,
    Cookies,
    DecodingError,
    Headers,
    HTTPError,
    InvalidURL,
    LocalProtocolError,
    NetworkError,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    QueryParams,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    Request,
    Response,
    StreamError,
    SyncByteStream,
    Timeout,
    TimeoutException,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
    create_ssl_context,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = [
    "URL",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "BaseTransport",
    "ByteStream",
    "Client",
    "ConnectError",
    "ConnectTimeout",
    "Cookies",
    "DecodingError",
    "HTTPError",
    "Headers",
    "InvalidURL",
    "LocalProtocolError",
    "NetworkError",
    "PoolTimeout",
    "PrivateAddressError",
    "ProtocolError",
    "ProxyError",
    "QueryParams",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "Request",
    "Response",
    "StreamError",
    "SyncByteStream",
    "Timeout",
    "TimeoutException",
    "TooLargeError",
    "TransportError",
    "UnsupportedProtocol",
    "WriteError",
    "WriteTimeout",
    "bare_request",
    "create_ssl_context",
    "is_same_origin",
    "with_query",
]


class PrivateAddressError(ConnectError):
    """The host resolves to private addresses only, and the request may not meet those; nothing was sent."""


class TooLargeError(TransportError):
    """The answer is larger than the integration's ``response_limit``; it was closed."""


def bare_request(
    method: str,
    url: URL,
    *,
    headers: Headers,
    stream: SyncByteStream | AsyncByteStream,
    extensions: Mapping[str, Any],
) -> Request:
    """Return a request with a copy of these headers and no others."""
    # Not by the constructor: it copies what is never changed, the URL, and does not keep the headers' encoding, which
    # then has to be found out once more.
    request = Request.__new__(Request)
    request.method, request.url, request.stream = method.upper(), url, stream
    request.headers, request.extensions = headers.copy(), dict(extensions)
    return request


def with_query(url: URL, pairs: Iterable[tuple[str, str]]) -> URL:
    """Return *url* with *pairs* behind its query; what stood there stays as it was written."""
    added = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    if not added:
        return url
    query = url.query.decode("ascii")
    return url.copy_with(query=f"{query}&{added}".lstrip("&").encode("ascii"))


def is_same_origin(one: URL, other: URL) -> bool:
    """Tell whether two URLs have one origin: scheme, host and port (RFC 6454)."""
    return (one.scheme, one.host, _port(one)) == (other.scheme, other.host, _port(other))


def _port(url: URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
