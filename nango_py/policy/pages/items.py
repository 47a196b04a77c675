"""Find the items of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.errors import PaginationError
from nango_py.paths import compile_path

if TYPE_CHECKING:
    from nango_py.policy.pages.walk import Pagination

__all__ = ["count_of", "items_of"]


def items_of(pagination: Pagination, body: object, items_path: str | None = None) -> tuple[object, ...]:
    """Return the items of a page, from ``items_path`` or else ``response_path``; none where the path leads nowhere.

    A PaginationError says that what is there is no list.
    """
    found = _found(pagination, body, items_path)
    if isinstance(found, list | tuple):
        return tuple(found)
    if found is None:
        return ()
    path = _path(pagination, items_path)
    where = (
        f"response_path {path!r} leads to" if path else "without a response_path the items are the whole answer, here"
    )
    raise PaginationError(
        f"{where} a {type(found).__name__}, not a list. Let response_path lead to the list of items"
    )


def count_of(pagination: Pagination, body: object) -> int:
    """Return how many items a page has, where what is no list counts as one."""
    found = _found(pagination, body, None)
    return len(found) if isinstance(found, list | tuple) else int(found is not None)


def _found(pagination: Pagination, body: object, items_path: str | None) -> object | None:
    return compile_path(_path(pagination, items_path)).find(body)


def _path(pagination: Pagination, items_path: str | None) -> str:
    return (pagination.response_path if items_path is None else items_path) or ""
