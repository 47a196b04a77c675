"""How a connection is made: httpcore builds it, straight or through a proxy."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import httpcore

from nango_py.errors import UsageError
from nango_py.exchange.pool.deadline import AsyncTimed, Timed, least
from nango_py.exchange.pool.profile import DEFAULT, PROFILE_EXTENSION
from nango_py.exchange.pool.proxies import parse_proxy, proxy_for
from nango_py.log import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from nango_py.exchange.pool.guard import AsyncResolve, Resolve
    from nango_py.exchange.pool.profile import Profile
    from nango_py.exchange.pool.tls import Contexts
    from nango_py.http import URL, Request

__all__ = ["AsyncRecorder", "Dialler", "Kit", "Recorder", "end_of", "origin_key", "profile_of", "to_core"]

_KNOWN_EXTENSIONS = ("timeout", "sni_hostname", "trace", "target")
_PORTS = {"http": 80, "https": 443}


class Recorder(httpcore.NetworkBackend):
    """Remember the socket of one connection: httpcore loses it when it fails between connect and handshake."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend
        self._stream: httpcore.NetworkStream | None = None
        self.ends_at = math.inf
        """When, by ``time.monotonic()``, the request that is under way must be over."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect as the backend does."""
        seconds = least(timeout, self.ends_at, httpcore.ConnectTimeout)
        self._stream = self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
        return Timed(self._stream, self)

    def close(self) -> None:
        """Close the socket; closing it again changes nothing."""
        if self._stream is not None:
            self._stream.close()


class AsyncRecorder(httpcore.AsyncNetworkBackend):
    """Do what Recorder does, on an event loop; here a cancellation loses sockets, too."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend
        self._stream: httpcore.AsyncNetworkStream | None = None
        self.ends_at = math.inf

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect as the backend does."""
        seconds = least(timeout, self.ends_at, httpcore.ConnectTimeout)
        self._stream = await self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
        return AsyncTimed(self._stream, self)

    async def aclose(self) -> None:
        """Close the socket; closing it again changes nothing."""
        if self._stream is not None:
            await self._stream.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The sync or the async half of httpcore."""

    direct: type[Any]
    http_proxy: type[Any]
    socks_proxy: type[Any]
    guard: type[Any]
    http2: Callable[[], tuple[type[Any], type[Any]]]
    """Imports the connection that may speak HTTP/2 and the network below it."""
    fast: type[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialler:
    """Make connections that are not connected yet: they connect with their first request."""

    kit: Kit
    contexts: Contexts
    environ: Mapping[str, str]
    resolve: Resolve | AsyncResolve | None = None

    def dial(self, profile: Profile, url: URL, backend: Any) -> Any:
        """Return a connection to the URL's origin over the backend; raise UsageError for an impossible proxy."""
        secure = url.scheme == "https"
        http2 = profile.http2 and secure
        context = self.contexts.get(profile.verify, profile.client_certificate, http2=http2) if secure else None
        address = proxy_for(url, self.environ) if profile.proxy is None else profile.proxy
        if not address and not profile.allow_private:
            backend = self.kit.guard(backend, self.resolve)
        plain = partial(self._plain, profile, url, context, address)

        def connect() -> Any:
            if not http2:
                return plain(backend)
            connection, network = self.kit.http2()
            return connection(lambda frames: plain(network(backend, frames), http2=True))

        if self.kit.fast is None:
            return connect()
        if address or http2:
            _tell_of_default("proxies" if address else "HTTP/2")
        is_direct = not (address or http2)
        return self.kit.fast(
            origin=_origin(url), context=context, backend=backend, spare=connect, is_direct=is_direct
        )

    def _plain(
        self, profile: Profile, url: URL, context: Any, address: str | None, backend: Any, *, http2: bool = False
    ) -> Any:
        common = {"ssl_context": context, "network_backend": backend, "http2": http2}
        factory = self._through(parse_proxy(address), profile, common) if address else self.kit.direct(**common)
        return factory.create_connection(_origin(url))

    def _through(self, proxy: URL, profile: Profile, common: Mapping[str, Any]) -> Any:
        credentials = (proxy.username.encode(), proxy.password.encode()) if proxy.userinfo else None
        options = {"proxy_url": _core_url(proxy), "proxy_auth": credentials, **common}
        if proxy.scheme.startswith("socks5"):
            _require_socksio()
            return self.kit.socks_proxy(**options)
        if proxy.scheme == "https":
            # The client certificate is for the API, not for the proxy.
            options["proxy_ssl_context"] = self.contexts.get(profile.verify)
        return self.kit.http_proxy(**options)


def end_of(request: Request) -> float:
    """Return when, by ``time.monotonic()``, a request that begins now must be over: its timeout ``total``."""
    seconds = request.extensions.get("timeout", {}).get("total")
    return math.inf if seconds is None else time.monotonic() + seconds


def profile_of(request: Request) -> Profile:
    """Return the profile that the request asks for; refuse a scheme that no connection speaks."""
    if request.url.scheme not in _PORTS:
        raise httpcore.UnsupportedProtocol("the request's URL has to start with http:// or https://")
    profile: Profile = request.extensions.get(PROFILE_EXTENSION, DEFAULT)
    return profile


def origin_key(profile: Profile, url: URL) -> Hashable:
    """Return what requests have in common that share connections."""
    return (profile, url.raw_scheme, url.raw_host, url.port)


def to_core(request: Request) -> httpcore.Request:
    """Return httpcore's form of the request, with the extensions that httpcore knows."""
    extensions = request.extensions
    core = httpcore.Request(
        request.method,
        _core_url(request.url),
        content=request.stream,
        extensions={name: extensions[name] for name in _KNOWN_EXTENSIONS if name in extensions},
    )
    # Not by the constructor: it would look at every name and value, to find that each is bytes.
    core.headers = request.headers.raw
    return core


def _core_url(url: URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _origin(url: URL) -> httpcore.Origin:
    return httpcore.Origin(url.raw_scheme, url.raw_host, url.port or _PORTS[url.scheme])


@cache
def _tell_of_default(left: str) -> None:
    """Log, once in a process, what ``pool="fast"`` leaves to the default pool's connections."""
    emit("info", "pool.default", secrets=tuple, reason=f'pool="fast" leaves {left} to the default pool')


def _require_socksio() -> None:
    try:
        import socksio  # noqa: F401, PLC0415 - an optional package
    except ImportError:
        raise UsageError("proxy: a SOCKS proxy needs the package socksio: pip install 'nango-py[socks]'.") from None
