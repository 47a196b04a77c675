"""Pages that are asked for by their number."""

from __future__ import annotations

from nango_py.policy.pages.walk import Gap, Kind, Mark, Pagination, Step

__all__ = ["PAGE"]


def _start(pagination: Pagination) -> Mark | None:
    return pagination.page_start_value


def _name(pagination: Pagination) -> str | None:
    return pagination.page_name_in_request


def _advance(step: Step) -> Mark | None:
    start, total = step.pagination.page_start_value, _total(step)
    mark = step.position.mark
    following = (mark if isinstance(mark, int) else start) + 1
    is_over = step.is_short if total is None else following - start >= total
    return None if is_over else following


def _total(step: Step) -> int | None:
    value = step.value(step.pagination.total_pages_path_in_response)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value[:18])
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    if pagination.page_name_in_request:
        return ()
    message = "page pagination needs the parameter that carries the page number"
    return (Gap(key="page_name_in_request", message=message),)


PAGE = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks)
