"""Say of values that are whole hosts what they may be: they choose who gets the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.template import TemplateError, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["host_formats"]

_SCHEMES = frozenset({"https://", "http://"})
_AFTER_HOST = ("/", ":", "?")


def host_formats(auth: Mapping[str, Any], requests: Mapping[str, Any]) -> dict[str, str]:
    """Return the format of every value of connection config that is the whole host of a URL, or a whole URL."""
    formats: dict[str, str] = {}
    for url in (requests.get("base_url"), *_urls(auth)):
        for name, form in _whole(url):
            formats.setdefault(name, form)
    return formats


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
