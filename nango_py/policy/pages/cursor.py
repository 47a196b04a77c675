"""Pages that name the next one by a cursor: in the body, in a header, or within a link."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from nango_py.policy.pages.link import has_place, link_in
from nango_py.policy.pages.walk import Gap, Kind, Mark, Pagination, Step, broken_off

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CURSOR"]


def _start(_pagination: Pagination) -> Mark | None:
    return None


def _name(pagination: Pagination) -> str | None:
    return pagination.cursor_name_in_request


def _advance(step: Step) -> Mark | None:
    if step.pagination.allow_repeated_cursor and step.count == 0:
        return None
    header = step.answer.headers.get(step.pagination.cursor_header_in_response or "")
    cursor = header or step.value(step.pagination.cursor_path_in_response)
    if _is_none(cursor):
        cursor = _in_link(step)
    if _is_none(cursor):
        return None
    if isinstance(cursor, bool) or not isinstance(cursor, str | int | float):
        what = f"cursor_path_in_response holds a {type(cursor).__name__}, but a cursor is a text or a number"
        raise broken_off(step.position, f"{what}. Let the path lead into it")
    return cursor


def _is_none(cursor: object | None) -> bool:
    return cursor is None or cursor is False or (isinstance(cursor, str) and not cursor.strip())


def _in_link(step: Step) -> str | None:
    """Return the cursor within the link to the next page, None without a link."""
    name = step.pagination.cursor_name_in_link
    link = None if name is None else link_in(step)
    if name is None or link is None:
        return None
    try:
        found = parse_qs(urlsplit(link).query, keep_blank_values=True).get(name)
    except ValueError:
        found = None
    if found is None:
        what = f"the link to the next page has no parameter {name!r}"
        raise broken_off(step.position, f"{what}. Let cursor_name_in_link name the one that holds the cursor")
    return found[0]


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    return tuple(_gaps(pagination))


def _gaps(pagination: Pagination) -> Iterator[Gap]:
    if not pagination.cursor_name_in_request:
        yield Gap(
            key="cursor_name_in_request", message="cursor pagination needs the parameter that carries the cursor"
        )
    if pagination.cursor_name_in_link and not has_place(pagination):
        yield Gap(
            key="cursor_name_in_link",
            message="a cursor within a link needs the place of that link: link_rel_in_response_header (of the Link "
            "header), link_header_in_response or link_path_in_response_body",
        )
    if not (
        pagination.cursor_path_in_response or pagination.cursor_header_in_response or pagination.cursor_name_in_link
    ):
        yield Gap(
            key="cursor_path_in_response",
            message="cursor pagination needs the path of the next cursor, or its header as "
            "cursor_header_in_response, or its parameter in a link as cursor_name_in_link",
        )


CURSOR = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks, word="cursor")
