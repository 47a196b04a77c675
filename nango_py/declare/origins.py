"""Check the URLs that an integration's credentials may meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from nango_py.template import Expression, plain_text, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.declare.build import Builder
    from nango_py.field import Field
    from nango_py.model import Integration

__all__ = ["check_origins", "filled", "host_of", "is_bound", "open_end"]

_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::[0-9]+)?")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#\s]*)(?:/[^?#\s]*)?(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)
_AUTHORITY = re.compile(
    r"(?P<host>[\w-]+(?:\.[\w-]+)*\.?|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5})?)?"
)
_HOST_ENDS = re.compile(r"[/?#]")
_PORT = re.compile(r":[0-9]*")
_HIGHEST_PORT = 65_535
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def check_auth_urls(builder: Builder, integration: Integration) -> None:
    """Report an endpoint of `auth` that secrets would reach in the clear, or whose host is anybody's choice."""
    fields = {
        field.name: field for field in integration.connection_config if field.name not in integration.auth.picked
    }
    for pointer, text in _auth_urls(builder.merged.data.get("auth", {}), "/auth"):
        parts = split(text).parts
        url = _URL.fullmatch(filled(parts))
        host = None if url is None else _host(url)
        if host is None and (url is not None or isinstance(parts[0], str)):
            builder.report(
                pointer, "auth.url", "this is no http or https URL with a host.",
                "It begins with https:// in small letters, and has no user name, no space, and a port of at most "
                "65535: https://login.example.com/token.",
            )  # fmt: skip
        elif url is not None and url["scheme"] == "http" and host not in _LOOPBACK:
            builder.report(
                pointer, "auth.clear", "credentials must not travel in the clear.",
                "Write https; http is for servers on this machine.",
            )  # fmt: skip
        for name in _open_names(parts, fields):
            builder.report(
                pointer, "auth.host", f"whoever connects an account may name any host as ${{{'.'.join(name)}}}.",
                f"Declare what {name[-1]!r} may be: {_bounds_of(parts)}.",
            )  # fmt: skip


def _open_names(parts: tuple[str | Expression, ...], fields: Mapping[str, Field]) -> Iterator[tuple[str, ...]]:
    """Yield the first name that the host ends with and whose field may be anything."""
    end = open_end(parts)
    for name in () if end is None else sorted(end.names):
        field = fields.get(name[-1]) if name[0] == "connection_config" else None
        if field is not None and not is_bound(field):
            yield name
            return


def _bounds_of(parts: tuple[str | Expression, ...]) -> str:
    """Return what bounds the placeholder that the host of a URL ends with, as people write it."""
    other = "domain-label" if len(list(host_of(parts))) > 1 else "uri"
    return f"`enum`, a `pattern`, or `format: hostname` (or {other})"


def is_bound(field: Field) -> bool:
    """Tell whether it is declared what a field may be."""
    return bool(field.enum or field.pattern or field.format)


def filled(parts: tuple[str | Expression, ...]) -> str:
    """Return a URL in which a digit stands for every placeholder: it may be in a host, a port or a path."""
    return "".join(part if isinstance(part, str) else "1" for part in parts)


def _host(url: re.Match[str]) -> str | None:
    """Return the host of a URL, None where it is none that everybody reads alike (RFC 3986 3.2)."""
    found = _AUTHORITY.fullmatch(url["authority"])
    if found is None or int(found["port"] or 0) > _HIGHEST_PORT or not url["scheme"].islower():
        return None
    if url["rest"] and url["rest"][0] not in "?#":
        return None
    if found["address"] is None:
        return found["host"].lower()
    try:
        return str(IPv6Address(found["address"]))
    except ValueError:
        return None


def _auth_urls(keys: Any, pointer: str) -> Iterator[tuple[str, str]]:
    members = keys.items() if isinstance(keys, Mapping) else enumerate(keys) if isinstance(keys, list) else ()
    for key, value in members:
        if isinstance(value, str) and str(key).endswith("_url"):
            yield f"{pointer}/{key}", value
        yield from _auth_urls(value, f"{pointer}/{key}")


def open_end(parts: tuple[str | Expression, ...]) -> Expression | None:
    """Return the placeholder that the host of a URL ends with: its value says who answers, whatever is before it."""
    host = list(host_of(parts))
    if len(host) > 1 and str(host[-2]).endswith(":"):
        host.pop()  # a port
    if host and _PORT.fullmatch(str(host[-1])):
        host.pop()
    return host[-1] if host and isinstance(host[-1], Expression) else None


def host_of(parts: tuple[str | Expression, ...]) -> Iterator[str | Expression]:
    """Yield the parts of a URL between its scheme and its path, a port among them."""
    is_first = True
    for part in parts:
        if isinstance(part, Expression):
            yield part
        else:
            text = part.partition("://")[2] if is_first and "://" in part else part
            found = _HOST_ENDS.search(text)
            if host := text if found is None else text[: found.start()]:
                yield host
            if found is not None:
                return
        is_first = False


def check_origins(builder: Builder, integration: Integration) -> None:
    """Report a base URL or an allowed origin that has another shape than it must have."""
    check_auth_urls(builder, integration)
    base = integration.requests.base_url
    url = _URL.fullmatch(filled(base.parts))
    is_sound = url is not None and _host(url) is not None and not url["rest"]
    starts_open = not isinstance(base.parts[0], str)
    if not starts_open and not is_sound:
        builder.report(
            "/requests/base_url", "requests.base_url", "base_url must be an http or https URL with a host.",
            "It has no user name, query or fragment: https://api.example.com/v1/.",
        )  # fmt: skip
    for index, origin in enumerate(integration.requests.allowed_origins):
        if not plain_text(origin) or not _ORIGIN.fullmatch(origin):
            builder.report(
                f"/requests/allowed_origins/{index}", "requests.origin", "this is no origin.",
                "Write https://host, https://host:port or https://*.example.com, without placeholders.",
            )  # fmt: skip
