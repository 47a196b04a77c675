"""Pages that are asked for by the number of items, or of pages, to skip."""

from __future__ import annotations

from nango_py.policy.pages.walk import Gap, Kind, Mark, Pagination, Step

__all__ = ["OFFSET"]


def _start(pagination: Pagination) -> Mark | None:
    return pagination.offset_start_value


def _name(pagination: Pagination) -> str | None:
    return pagination.offset_name_in_request


def _advance(step: Step) -> Mark | None:
    if step.is_short:
        return None
    stride = step.count if step.pagination.offset_calculation_method == "by-response-size" else 1
    # An empty page leaves an offset that counts items where it was, whatever the answer promises.
    return _current(step) + stride if stride else None


def _current(step: Step) -> int:
    mark = step.position.mark
    return mark if isinstance(mark, int) else step.pagination.offset_start_value


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    if pagination.offset_name_in_request:
        return ()
    message = "offset pagination needs the parameter that carries the offset"
    return (Gap(key="offset_name_in_request", message=message),)


OFFSET = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks)
