"""Pages that name the next one by a cursor, in the body or in a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    if cursor is None or cursor is False or (isinstance(cursor, str) and not cursor.strip()):
        return None
    if isinstance(cursor, bool) or not isinstance(cursor, str | int | float):
        what = f"cursor_path_in_response holds a {type(cursor).__name__}, but a cursor is a text or a number"
        raise broken_off(step.position, f"{what}. Let the path lead into it")
    return cursor


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    return tuple(_gaps(pagination))


def _gaps(pagination: Pagination) -> Iterator[Gap]:
    if not pagination.cursor_name_in_request:
        yield Gap(
            key="cursor_name_in_request", message="cursor pagination needs the parameter that carries the cursor"
        )
    if not (pagination.cursor_path_in_response or pagination.cursor_header_in_response):
        yield Gap(
            key="cursor_path_in_response",
            message="cursor pagination needs the path of the next cursor, or its header as cursor_header_in_response",
        )


CURSOR = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks, word="cursor")
