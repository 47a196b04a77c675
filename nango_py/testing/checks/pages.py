"""Whether lists are walked to their end: every item once, in order, no page twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from nango_py.errors import UsageError
from nango_py.testing.checks.bench import USER, Lab, fail, skip
from nango_py.testing.lists import are_bare

__all__ = ["checks"]

_PAGE_SIZE = 10
_MOST_PAGES = 4
"""Three that hold items, and one that shows the end where nothing else does."""

_NAMES = ("cursor_name_in_request", "offset_name_in_request", "page_name_in_request")


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield a check for the integration's pagination, and one for each action's own."""
    yield "pagination.walk", lambda: _walk_common(lab)
    for name, action in lab.tested.declared.get("actions", {}).items():
        if action.get("paginate") and "request" in action:
            yield f"pagination.{name}", partial(_walk_of_action, lab, action)


def _walk_common(lab: Lab) -> None:
    keys = lab.truth.declared.get("pagination")
    if not keys:
        skip("no pagination is declared.")
    if not keys.get("response_path") and not are_bare(keys):
        skip("each action says where its items are.")
    _walk(lab, "conformance-items", "GET", keys, {})


def _walk_of_action(lab: Lab, action: Mapping[str, Any]) -> None:
    path = re.sub(r"\$\{[^}]*\}", "x", action["request"]["path"]).partition("?")[0].strip("/")
    method = action["request"].get("method", "GET")
    own = dict(action["paginate"]) if isinstance(action["paginate"], Mapping) else {}
    items = action.get("output", {}).get("items")
    changes = {**own, **({} if items is None else {"response_path": items})}
    _walk(lab, path, method, {**(lab.truth.declared.get("pagination") or {}), **changes}, changes)


def _walk(lab: Lab, path: str, method: str, keys: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    size = (keys.get("limit") if keys.get("limit_name_in_request") else None) or _PAGE_SIZE
    items = [_item(keys, number) for number in range(int(2.5 * size))]
    try:
        with lab.connected(lists={path: items}, page_size=_PAGE_SIZE) as bench:
            options: dict[str, Any] = {"method": method, "pagination": dict(changes) or None}
            pages = list(bench.nango.pages("it", USER, path, **options))
            found = [item for page in pages for item in page.items]
            if found != items:
                fail(f"of {len(items)} items {len(found)} came, or in another order.")
            names = [str(keys[name]).lower() for name in _NAMES if keys.get("in_header") and keys.get(name)]
            asked = [
                (seen.url, seen.content, tuple(seen.headers.get(name) for name in names))
                for seen in bench.provider.seen
            ]
            if len(set(asked)) != len(asked):
                fail("one page was asked for twice.")
            if len(asked) > _MOST_PAGES:
                fail(f"{len(asked)} requests were sent for three pages.")
            rest = [
                item
                for page in bench.nango.pages("it", USER, path, **options, position=pages[0].position)
                for item in page.items
            ]
            if rest != items[len(pages[0].items) :]:
                fail("a walk that was resumed after its first page brought other items.")
    except UsageError as error:
        if "simulate()" not in str(error):
            raise
        skip(str(error))


def _item(keys: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return an item, with the member by which the last of a page is the cursor."""
    last = re.fullmatch(r".*\[-1\]\.(\w+)", str(keys.get("cursor_path_in_response", "")))
    return {**({} if last is None else {last[1]: f"cursor-{number}"}), "id": number}
