"""Which proxy a URL goes through, by the environment variables that everybody uses."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from nango_py.errors import UsageError
from nango_py.http import URL, InvalidURL

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROXY_SCHEMES", "parse_proxy", "proxy_for"]

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: URL, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's URL, or None for a direct connection.

    Reads ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` as httpx does, lower case first. Beyond
    httpx, ``NO_PROXY`` also knows networks (``10.0.0.0/8``), ``*.example.com``, and a scheme's default port.
    """
    bypasses = [entry.strip() for entry in (_variable(environ, "no_proxy") or "").split(",")]
    if any(entry and _is_bypassed(url, entry) for entry in bypasses):
        return None
    proxy = _variable(environ, f"{url.scheme}_proxy") or _variable(environ, "all_proxy")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def parse_proxy(text: str) -> URL:
    """Return a proxy's URL; raise UsageError without quoting it, for it may hold a password."""
    try:
        url = URL(text)
    except InvalidURL:
        url = URL("")
    if url.scheme not in PROXY_SCHEMES or not url.host:
        raise UsageError(f"proxy: not the URL of a proxy; write {'://, '.join(PROXY_SCHEMES)}:// and a host")
    return url


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    if name in environ:
        return environ[name] or None
    # In a CGI script HTTP_PROXY is the client's header "Proxy" (CVE-2016-1000110).
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return None
    return environ.get(name.upper()) or None


def _is_bypassed(url: URL, entry: str) -> bool:
    scheme, _, place = entry.lower().rpartition("://")
    if scheme not in ("", "all", url.scheme):
        return False
    network = _is_within(url.host, place)
    if network is not None:
        return network
    host, port = _split(place)
    if port and port != str(url.port or _PORTS.get(url.scheme)):
        return False
    return any(_is_host(name, host, exact=bool(scheme)) for name in (url.host, url.raw_host.decode("ascii")))


def _is_within(host: str, place: str) -> bool | None:
    """Return None where the entry is neither an address nor a network."""
    try:
        network = ip_network(place.strip("[]"), strict=False)
    except ValueError:
        return None
    try:
        return ip_address(host) in network
    except ValueError:
        return False


def _split(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _is_host(name: str, pattern: str, *, exact: bool) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith(("*.", ".")):
        return name.endswith(pattern.removeprefix("*"))
    return name == pattern.removeprefix("*") or (
        (not exact or pattern.startswith("*")) and name.endswith(f".{pattern.removeprefix('*')}")
    )
