"""Cut seeded items into pages, in the shape that a blueprint's ``pagination`` declares."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nango_py.errors import UsageError
from nango_py.paths import compile_path
from nango_py.testing.bodies import get, put
from nango_py.testing.messages import Answered, json_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nango_py.testing.messages import Asked

__all__ = ["are_bare", "page_of", "pagination_for"]

_AFTER = "page_after"
"""The parameter that this provider puts into links of its own."""
_FIRST = "x-first"
"""What the action's own header says, whose place the cursor takes: it asks for the first page."""
_NOWHERE = "https://internal.example.net/next"
"""Where a link leads out of which a cursor is to be taken."""

_PLACES_IN_BODY = (
    "cursor_path_in_response", "link_path_in_response_body", "total_pages_path_in_response",
    "total_items_path_in_response", "has_more_path_in_response",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    start: int
    size: int
    total: int

    @property
    def end(self) -> int:
        return self.start + self.size

    @property
    def pages(self) -> int:
        return -(-self.total // self.size)

    @property
    def has_more(self) -> bool:
        return self.end < self.total


def pagination_for(declared: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any] | None:
    """Return the pagination of a list at *path*: the action's or step's that asks for it, else the common one."""
    common = declared.get("pagination")
    actions = declared.get("actions", {}).values()
    for one in (part for action in actions for part in (action, *action.get("steps", ()))):
        request, paginate = one.get("request", {}), one.get("paginate", False)
        if paginate and request.get("method", "GET") == method and _leads_to(request["path"], path):
            own = paginate if isinstance(paginate, dict) else {}
            items = one.get("output", {}).get("items")
            keys = {**(common or {}), **own, **({} if items is None else {"response_path": items})}
            return {**keys, _FIRST: _first_of(keys, request)} if keys.get("in_header") else keys
    return common


def _first_of(keys: Mapping[str, Any], request: Mapping[str, Any]) -> str | None:
    name = str(keys.get("cursor_name_in_request")).lower()
    return next((text for header, text in request.get("headers", {}).items() if header.lower() == name), None)


def _leads_to(template: str, path: str) -> bool:
    parts = re.split(r"\$\{[^}]*\}", template.partition("?")[0].strip("/"))
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), path) is not None


def page_of(
    keys: Mapping[str, Any], items: Sequence[Any], asked: Asked, *, usual_size: int, place: str | None = None
) -> Answered:
    """Return the page that a request asks for; 400 where it asks for one that is not there.

    *place* is its path below the base URL, where links may lead there without naming the host.
    """
    given = _given(keys, asked)
    size = _whole(given(keys.get("limit_name_in_request"))) or keys.get("limit") or usual_size
    start = _start(keys, given, items, asked, size)
    if start is None or start < 0 or size < 1:
        return json_body(400, {"error": "There is no such page."})
    window = _Window(start=start, size=size, total=len(items))
    kept = list(items[window.start : window.end])
    totals = {"total_pages_header_in_response": window.pages, "total_items_header_in_response": window.total}
    headers = {keys[name]: str(total) for name, total in totals.items() if keys.get(name)}
    if name := keys.get("has_more_header_in_response"):
        headers[name] = "true" if start + size < len(items) else "false"
    link = _link(keys, window, asked, place)
    body: Any = kept
    if not are_bare(keys):
        body = _body_of(keys, kept)
        _tell_in_body(keys, body, window, link)
        if _items_in(keys, body) != kept:
            raise UsageError("simulate() cannot write into the items what stands in them.")
    elif window.has_more and keys.get("cursor_path_in_response") and _in_items(keys, kept) is None:
        raise UsageError("simulate(): the items lack what cursor_path_in_response finds in them.")
    if window.has_more or keys.get("has_more_name_in_link"):
        headers |= _told_in_headers(keys, window, asked, link)
    return json_body(200, body, headers)


def are_bare(keys: Mapping[str, Any]) -> bool:
    """Tell whether the items are the whole answer."""
    paths = [str(keys[name]) for name in _PLACES_IN_BODY if keys.get(name)]
    # What leads into a list, or can be said of one, is no member beside the items.
    is_of_items = any(path.startswith("[") or compile_path(path).find([{}]) is not None for path in paths)
    return not keys.get("response_path") and (is_of_items or not paths)


def _body_of(keys: Mapping[str, Any], items: list[Any]) -> Any:
    body: dict[str, Any] = {}
    put(body, keys.get("response_path") or "items", items)
    return body


def _items_in(keys: Mapping[str, Any], body: Any) -> Any:
    return compile_path(keys.get("response_path") or "items").find(body)


def _given(keys: Mapping[str, Any], asked: Asked) -> Any:
    if keys.get("in_header"):
        return lambda name: None if name is None else asked.headers.get(name.lower())
    in_body = keys.get("in_body")
    if in_body is None:
        in_body = asked.method in {"POST", "PUT", "PATCH"}
    query, body = asked.query, asked.json
    return lambda name: None if name is None else (get(body, name) if in_body else query.get(name))


def _start(keys: Mapping[str, Any], given: Any, items: Sequence[Any], asked: Asked, size: int) -> int | None:
    kind = keys["type"]
    if kind == "link":
        return _place_of(asked.query.get(_AFTER))
    mark = given(keys.get(f"{kind}_name_in_request"))
    if kind == "cursor":
        place = 0 if mark == keys.get(_FIRST) else _place_of(mark)
        return _behind(keys, items, mark) if place is None else place
    first = keys.get(f"{kind}_start_value", 1 if kind == "page" else 0)
    number = _whole(first if mark is None else mark)
    if number is None:
        return None
    counts_pages = kind == "page" or keys.get("offset_calculation_method") == "per-page"
    return (number - int(first)) * (size if counts_pages else 1)


def _behind(keys: Mapping[str, Any], items: Sequence[Any], mark: Any) -> int | None:
    """Return the place behind the item that bears a mark, where cursors stand in items."""
    for place, item in enumerate(items, 1):
        found = _in_items(keys, [item])
        if found is not None and str(found) == str(mark):
            return place
    return None


def _in_items(keys: Mapping[str, Any], items: list[Any]) -> Any:
    path = keys.get("cursor_path_in_response")
    return compile_path(path).find(items if are_bare(keys) else _body_of(keys, items)) if path else None


def _tell_in_body(keys: Mapping[str, Any], body: dict[str, Any], window: _Window, link: str) -> None:
    if path := keys.get("has_more_path_in_response"):
        put(body, path, window.has_more)
    if path := keys.get("total_pages_path_in_response"):
        put(body, path, window.pages)
    if path := keys.get("total_items_path_in_response"):
        put(body, path, window.total)
    cursor = keys.get("cursor_path_in_response") if keys["type"] == "cursor" and window.has_more else None
    # Where the last item is the cursor, it is there already.
    if cursor is not None and compile_path(cursor).find(body) is None:
        put(body, cursor, _mark_at(window.end))
    if _has_link(keys) and (path := keys.get("link_path_in_response_body")) and window.has_more:
        put(body, path, link)


def _told_in_headers(keys: Mapping[str, Any], window: _Window, asked: Asked, link: str) -> dict[str, str]:
    if (name := keys.get("cursor_header_in_response")) and window.has_more:
        return {name: _mark_at(window.end)}
    if _has_link(keys) and (relation := keys.get("link_rel_in_response_header")):
        more = keys.get("has_more_name_in_link")
        told = f'; {more}="{"true" if window.has_more else "false"}"' if more else ""
        return {"Link": f'<{asked.address}>; rel="first", <{link}>; rel="{relation}"{told}'}
    if _has_link(keys) and (name := keys.get("link_header_in_response")):
        return {name: link}
    return {}


def _has_link(keys: Mapping[str, Any]) -> bool:
    return keys["type"] == "link" or (keys["type"] == "cursor" and bool(keys.get("cursor_name_in_link")))


def _link(keys: Mapping[str, Any], window: _Window, asked: Asked, place: str | None) -> str:
    if keys["type"] == "cursor":
        # Whoever follows it, rather than take the cursor out, finds nothing.
        return f"{_NOWHERE}?{urlencode({keys.get('cursor_name_in_link', _AFTER): _mark_at(window.end)})}"
    link = _link_to(window.end, asked.url)
    if keys.get("link_relative_to") == "base_url" and place is not None:
        return f"/{place}?{link.partition('?')[2]}"
    return link


def _mark_at(place: int) -> str:
    """Return a cursor that a program cannot do sums with."""
    return urlsafe_b64encode(f"after:{place}".encode()).decode()


def _place_of(mark: Any) -> int | None:
    if mark is None:
        return 0
    try:
        word, _, number = urlsafe_b64decode(str(mark)).decode().partition(":")
    except ValueError:
        return None
    return _whole(number) if word == "after" else None


def _link_to(place: int, url: str) -> str:
    parts = urlsplit(url)
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != _AFTER]
    return urlunsplit(parts._replace(query=urlencode([*pairs, (_AFTER, _mark_at(place))])))


def _whole(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None
