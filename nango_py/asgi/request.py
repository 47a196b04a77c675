"""Read what an ASGI server, or a framework that mounts the app, says of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from nango_py.address import is_loopback
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Address", "Request", "address_in", "address_of", "query_of"]

_HOST = re.compile(r"(?P<name>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ROUTE = re.compile(r"/(?P<name>connect|callback|connected|failed)(?:/(?P<what>[^/]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where browsers find the app: ``https://app.example.com`` and ``/nango``, or an empty path."""

    origin: str
    path: str

    @property
    def is_secure(self) -> bool:
        """Tell whether cookies can be kept to TLS: always but for loopback, which has none."""
        return self.origin.startswith("https://")

    @property
    def callback_path(self) -> str:
        """Return the path that the binding's cookie is sent to, and no other."""
        return f"{self.path}/callback"

    @property
    def redirect_uri(self) -> str:
        """Return what is registered at the provider."""
        return self.origin + self.callback_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the app; *route* is ``connect``, ``callback``, ..., or empty when there is no such page."""

    method: str
    route: str
    what: str
    query: str = field(repr=False)
    """It may bear a code."""
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Request:
        """Return the request of an ASGI scope."""
        route, what = _route(scope["path"], scope.get("root_path") or "")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            # HTTP/2 may split the cookies over several fields (RFC 9113 section 8.2.3).
            headers[key] = f"{headers[key]}; {text}" if key == "cookie" and key in headers else text
        return cls(
            method=scope["method"],
            route=route,
            what=what,
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=headers,
            cookies=_cookies(headers.get("cookie", "")),
        )

    @property
    def is_from_elsewhere(self) -> bool:
        """Tell whether a page of another site led here (Fetch Metadata); older browsers do not say."""
        return self.headers.get("sec-fetch-site", "none") == "cross-site"


def address_in(base_url: str) -> Address:
    """Return the address that the program states.

    Raises:
        UsageError: It is no address that cookies and codes are safe at.
    """
    parts = urlsplit(base_url)
    if parts.query or parts.fragment or not _HOST.fullmatch(parts.netloc) or parts.scheme not in {"http", "https"}:
        raise UsageError("connect_app: base_url must be like https://app.example.com/nango, without a query.")
    return _checked(Address(origin=f"{parts.scheme}://{parts.netloc}", path=_path(parts.path)), "base_url is")


def address_of(request: Request, scope: Mapping[str, Any]) -> Address:
    """Return the address that the request was sent to, as the server tells it.

    The ``Host`` header is the sender's word. That a browser sends a foreign one takes no attacker of this app, and
    providers send codes to registered addresses only; to depend on neither, state ``base_url``.
    """
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise UsageError("connect_app: the request has no sensible Host header. State base_url.")
    address = Address(origin=f"{scope.get('scheme', 'http')}://{host}", path=_path(scope.get("root_path") or ""))
    return _checked(address, "this request came")


def query_of(request: Request) -> dict[str, str]:
    """Return the parameters of the query.

    Raises:
        ValueError: One comes twice, or it cannot be read.
    """
    pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict", max_num_fields=100)
    if len(pairs) != len({name for name, _ in pairs}):
        raise ValueError("a parameter comes twice")
    return dict(pairs)


def _route(path: str, root: str) -> tuple[str, str]:
    """Return the page that a path names.

    By the ASGI specification ``path`` begins with ``root_path``; frameworks used to cut it off when they mount.
    """
    below = path.removeprefix(root) if root and path.startswith(f"{root.rstrip('/')}/") else path
    for candidate in (below, path):
        if found := _ROUTE.fullmatch(candidate):
            name, what = found["name"], found["what"] or ""
            return (name, what) if bool(what) == (name != "callback") else ("", "")
    return "", ""


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _path(path: str) -> str:
    return quote(path.rstrip("/"), safe="/%:@!$&'()*+,=~")


def _checked(address: Address, what: str) -> Address:
    host = str(urlsplit(address.origin).hostname)
    if address.is_secure or is_loopback(host) or host.endswith(".localhost"):
        return address
    raise UsageError(
        f"connect_app: {what} over plain HTTP ({address.origin}), where codes and cookies can be read on the way. "
        "State base_url as the https:// address that browsers use."
    )
