"""The request that tells whether credentials work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from nango_py.importers.nango.language import Untranslatable, translate, translate_url
from nango_py.importers.nango.requests import values_of

if TYPE_CHECKING:
    from nango_py.importers.keys import Keys
    from nango_py.importers.nango.language import Words

__all__ = ["verification_of"]


def verification_of(keys: Keys, words: Words, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `verification` of a blueprint, none where its path cannot be said.

    What an *entry* puts into every body, `proxy.body`, is in the body of this request, too.
    """
    first, *others = keys.texts("endpoints") or ("",)
    if not first:
        return {}
    method = keys.text("method")
    try:
        path, params = _path(first, words)
        base = keys.text("base_url_override")
        if base is not None:
            path = f"{translate_url(base, words).rstrip('/')}/{path}"
        data = _filled(_with_every(keys.take("data"), method, entry), words)
    except Untranslatable as error:
        keys.note("endpoints", "lost", f"it holds {error}")
        return {}
    for other in others:
        keys.note("endpoints", "lost", f"one path is tried, not also {other}")
    headers = values_of(keys.below("headers"), words)
    found = {"method": method or "GET", "path": path, "params": params, "headers": headers, "json": data}
    return {name: value for name, value in found.items() if value}


def _path(endpoint: str, words: Words) -> tuple[str, dict[str, Any]]:
    """Return the path below the base URL, and the parameters behind it."""
    path, _, query = endpoint.partition("?")
    params = {name: translate(value, words) for name, value in parse_qsl(query, keep_blank_values=True)}
    return translate(path, words, alternatives=False).lstrip("/") or "/", params


def _with_every(data: Any, method: str | None, entry: Mapping[str, Any]) -> Any:
    proxy = entry.get("proxy")
    every = proxy.get("body") if isinstance(proxy, Mapping) else None
    if method != "POST" or not isinstance(every, Mapping) or not isinstance(data, Mapping | None):
        return data
    return {**(data or {}), **every}


def _filled(value: Any, words: Words) -> Any:
    if isinstance(value, str):
        return translate(value, words)
    if isinstance(value, Mapping):
        return {name: _filled(inner, words) for name, inner in value.items()}
    return [_filled(inner, words) for inner in value] if isinstance(value, list) else value
