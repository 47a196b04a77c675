"""Pages that are asked for by their number."""

from __future__ import annotations

from nango_py.policy.pages.walk import Gap, Kind, Mark, Pagination, Step

__all__ = ["PAGE"]


def _start(pagination: Pagination) -> Mark | None:
    return pagination.page_start_value


def _name(pagination: Pagination) -> str | None:
    return pagination.page_name_in_request


def _advance(step: Step) -> Mark | None:
    keys = step.pagination
    start, total = (
        keys.page_start_value,
        step.total(keys.total_pages_path_in_response, keys.total_pages_header_in_response),
    )
    mark = step.position.mark
    following = (mark if isinstance(mark, int) else start) + 1
    is_over = step.is_short if total is None else following - start >= total
    return None if is_over else following


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    if pagination.page_name_in_request:
        return ()
    message = "page pagination needs the parameter that carries the page number"
    return (Gap(key="page_name_in_request", message=message),)


PAGE = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks)
