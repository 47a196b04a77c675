"""Pages that are looked for in two places at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.document import pointer_to
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject
    from nango_py.policy.pagination import Pagination

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    pages = [("/pagination", subject.integration.pagination)]
    for name, keys, action in subject.actions():
        if isinstance(keys.get("paginate"), dict):
            pages.append((pointer_to("actions", name, "paginate"), action.paginate))
    for pointer, pagination in pages:
        if pagination is not None:
            yield from (Finding(pointer=f"{pointer}/{key}", message=message) for key, message in _clashes(pagination))


def _clashes(pagination: Pagination) -> Iterator[tuple[str, str]]:
    name = {"offset": pagination.offset_name_in_request, "page": pagination.page_name_in_request}.get(
        pagination.type, pagination.cursor_name_in_request if pagination.type == "cursor" else None
    )
    if name is not None and name == pagination.limit_name_in_request:
        yield "limit_name_in_request", f"{name!r} would carry the page size and the place in the list at once."
    counts_items = pagination.type == "offset" and pagination.offset_calculation_method == "by-response-size"
    if counts_items and pagination.offset_start_value == 1 and name in {"page", "page_number", "pageNumber"}:
        yield "offset_name_in_request", f"{name!r} counts pages by its name, and the offset counts items."


RULE = Rule(
    id="pagination-contradiction",
    reason="A walk that asks for the wrong page misses items or repeats them, and says nothing.",
    fix="Name one parameter for each, and the type that the provider documents.",
    find=_find,
)
