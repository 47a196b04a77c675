"""What every request has in common, how it is repeated and how lists are walked: `proxy`, as our sections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py.authoring.pasted import PASTED, is_pasted
from nango_py.importers.nango.language import Untranslatable, translate, translate_url
from nango_py.importers.nango.tables import PROXY_KEYS
from nango_py.policy.pagination import Pagination, check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.importers.keys import Keys
    from nango_py.importers.nango.language import Words
    from nango_py.importers.nango.names import Names

__all__ = ["pagination_of", "requests_of", "retry_of"]

_LISTS = ("after", "at", "error_code")
_PAGES = (
    "type", "cursor_name_in_request", "cursor_path_in_response", "link_rel_in_response_header",
    "link_path_in_response_body", "offset_name_in_request", "offset_start_value", "offset_calculation_method",
    "limit_name_in_request", "limit", "response_path", "in_body",
)  # fmt: skip


def requests_of(proxy: Keys, words: Names, own_headers: frozenset[str]) -> dict[str, Any]:
    """Return the `requests` of a blueprint, without the headers that our scheme sets as its *own*."""
    requests: dict[str, Any] = {}
    base = proxy.text("base_url")
    if base:
        try:
            requests["base_url"] = translate_url(base, words)
        except Untranslatable as error:
            proxy.note("base_url", "lost", f"it holds {error}")
    headers = proxy.below("headers")
    for name in headers:
        if name.lower() in own_headers:
            headers.take(name)
    if values := values_of(headers, replace(words, names_request=True)):
        requests["headers"] = values
    if values := values_of(proxy.below("query"), words):
        requests["params"] = values
    for key, (outcome, reason) in PROXY_KEYS.items():
        proxy.drop(key, outcome, reason)
    return requests


def values_of(keys: Keys, words: Words) -> dict[str, Any]:
    """Return headers or parameters; one that cannot be said is left out and noted."""
    values: dict[str, Any] = {}
    for name in keys:
        value = keys.take(name)
        try:
            made = translate(value, words) if isinstance(value, str) else value
        except Untranslatable as error:
            keys.note(name, "lost", f"it holds {error}")
            continue
        if is_pasted(name, made):
            keys.note(name, "lost", PASTED)
        else:
            values[name] = made
    return values


def retry_of(keys: Keys) -> dict[str, Any]:
    """Return the `retry` of a blueprint, whose keys have the same names."""
    retry: dict[str, Any] = {}
    for name in _LISTS:
        if texts := keys.texts(name):
            retry[name] = texts[0] if len(texts) == 1 and name != "error_code" else list(texts)
    if (header := keys.text("remaining")) is not None:
        retry["remaining"] = header
    in_body = keys.below("in_body")
    found = {name: text for name in ("path", "value", "strategy") if (text := in_body.text(name)) is not None}
    if "path" in found:
        retry["in_body"] = found
    elif found:
        keys.note("in_body", "lost", "it has no path")
    return retry


def pagination_of(keys: Keys) -> dict[str, Any]:
    """Return the `pagination` of a blueprint, whose keys have the same names; none where it could not work."""
    found = {name: keys.take(name) for name in _PAGES if name in keys}
    if not found:
        return {}
    gaps = _gaps(found)
    for name in found if gaps else ():
        keys.note(name, "lost", f"the pagination cannot work: {gaps}")
    if found.get("type") == "link":
        # There a link without a host is put behind the base URL.
        found["link_relative_to"] = "base_url"
    return {} if gaps else found


def _gaps(found: Mapping[str, Any]) -> str:
    try:
        return "; ".join(gap.message for gap in check(Pagination(**found)))
    except (TypeError, ValueError, AttributeError) as error:
        return str(error)
