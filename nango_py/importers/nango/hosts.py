"""Say of values that are hosts, or that hosts end with, what they may be: they choose who gets the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.declare.origins import host_of, open_end
from nango_py.template import TemplateError, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["host_bounds"]

_SCHEMES = frozenset({"https://", "http://"})
_AFTER_HOST = ("/", ":", "?")
_SUFFIX = r"^[a-z]{2,3}(\.[a-z]{2})?$"
"""What providers with several regions end their hosts with: `com`, `eu`, `com.au`, `co.uk`."""


def host_bounds(auth: Mapping[str, Any], requests: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the keys that bound a value of connection config which is a URL, its host, or the end of its host."""
    bounds: dict[str, dict[str, str]] = {}
    for url in (requests.get("base_url"), *_urls(auth)):
        for name, form in _whole(url):
            bounds.setdefault(name, {"format": form})
    for url in _urls(auth):
        for name in _suffixes(url):
            bounds.setdefault(name, {"pattern": _SUFFIX})
    return bounds


def _urls(keys: Any) -> Iterator[str]:
    if isinstance(keys, dict):
        for key, value in keys.items():
            if isinstance(value, str) and key.endswith("_url"):
                yield value
            yield from _urls(value)
    elif isinstance(keys, list):
        for value in keys:
            yield from _urls(value)


def _whole(url: str | None) -> Iterator[tuple[str, str]]:
    try:
        parts = split(url).parts if url else ()
    except TemplateError:
        return
    form = "uri"
    if len(parts) > 1 and parts[0] in _SCHEMES:
        parts, form = parts[1:], "hostname"
    if not parts or isinstance(parts[0], str):
        return
    after = parts[1] if len(parts) > 1 else "/"
    # A choice at the beginning may be a URL or a part of one: what it names stays as it is declared.
    if isinstance(after, str) and after.startswith(_AFTER_HOST) and (form == "hostname" or parts[0].path):
        yield from ((name[1], form) for name in parts[0].names if name[0] == "connection_config" and len(name) > 1)


def _suffixes(url: str) -> Iterator[str]:
    try:
        parts = split(url).parts
    except TemplateError:
        return
    end = open_end(parts)
    if end is not None and len(list(host_of(parts))) > 1:
        yield from (name[1] for name in end.names if name[0] == "connection_config" and len(name) > 1)
