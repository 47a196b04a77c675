"""Decide where a list begins, where its next page is, and when it is over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from nango_py.errors import UsageError
from nango_py.paths import compile_path
from nango_py.policy.pages.cursor import CURSOR
from nango_py.policy.pages.guards import guard_empty, guard_items, guard_mark, guard_repeats
from nango_py.policy.pages.items import count_of, items_of
from nango_py.policy.pages.link import LINK
from nango_py.policy.pages.offset import OFFSET
from nango_py.policy.pages.page import PAGE
from nango_py.policy.pages.walk import Gap, PageAnswer, Pagination, Position, Step, Turn, broken_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.policy.pages.walk import Kind, Mark

__all__ = [
    "KINDS",
    "Gap",
    "PageAnswer",
    "Pagination",
    "Position",
    "Turn",
    "check",
    "first",
    "following",
    "items_of",
    "resume",
    "set_members",
]

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({"cursor": CURSOR, "link": LINK, "offset": OFFSET, "page": PAGE})
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_PATHS: Final = (
    "cursor_path_in_response",
    "link_path_in_response_body",
    "total_pages_path_in_response",
    "total_items_path_in_response",
    "response_path",
    "has_more_path_in_response",
)


def first(pagination: Pagination, *, page_size: int | None = None, method: str = "GET") -> Turn:
    """Return what to put into a request to ask for the first page; ``page_size`` takes the place of ``limit``."""
    in_body = method.upper() in BODY_METHODS if pagination.in_body is None else pagination.in_body
    in_body = in_body and not pagination.in_header
    mark = KINDS[pagination.type].start(pagination)
    return _turn(pagination, Position(type=pagination.type, mark=mark, page_size=page_size, in_body=in_body))


def resume(pagination: Pagination, position: Position) -> Turn:
    """Return what to put into the original request to ask for the page at a saved position."""
    if position.type != pagination.type:
        raise UsageError(
            f"the position belongs to {position.type} pagination, but this list has {pagination.type} pagination. "
            "Begin it without a position"
        )
    if not _fits(pagination, position.mark):
        raise UsageError("the position holds what no header can. Pass the text of `Page.position` unchanged")
    return _turn(pagination, position)


def following(pagination: Pagination, position: Position, answer: PageAnswer) -> Turn | None:
    """Return what to ask for after the answer to ``position``, or None at the end of the list.

    A PaginationError says what repeats itself, or that the pages stay empty.
    """
    step = _step(pagination, position, answer)
    if step.more is False or position.number >= (pagination.max_pages or position.number + 1):
        return None
    mark = KINDS[pagination.type].advance(step)
    if not _fits(pagination, mark):
        what = f"the {KINDS[pagination.type].word} to the next page holds what no header can"
        raise broken_off(position, f"{what}: it is no plain ASCII text, or has spaces around it")
    return None if mark is None else _turn(pagination, _guarded(step, mark))


def set_members(body: object, members: tuple[tuple[str, Mark], ...]) -> object:
    """Return a JSON body with members set; dotted names nest, and what is there otherwise stays."""
    for name, value in members:
        body = _set(body, name.split("."), value)
    return body


def check(pagination: Pagination) -> tuple[Gap, ...]:
    """Return what a declaration lacks to work, none where it is complete."""
    return tuple(_gaps(pagination))


def _gaps(pagination: Pagination) -> Iterator[Gap]:
    kind = KINDS.get(pagination.type)
    if kind is None:
        yield Gap(key="type", message=f"pagination is one of {', '.join(KINDS)}, not {pagination.type!r}")
        return
    yield from kind.lacks(pagination)
    if pagination.limit and not pagination.limit_name_in_request:
        yield Gap(key="limit_name_in_request", message="limit needs the parameter that carries the page size")
    if pagination.has_more_name_in_link and not pagination.link_rel_in_response_header:
        message = "a parameter of a link needs the link's relation: link_rel_in_response_header"
        yield Gap(key="has_more_name_in_link", message=message)
    if pagination.in_header:
        yield from _header_gaps(pagination)
    yield from _path_gaps(pagination)


def _header_gaps(pagination: Pagination) -> Iterator[Gap]:
    if pagination.in_body:
        yield Gap(key="in_header", message="parameters travel in the body or in headers, not in both")
    for key in ("cursor_name_in_request", "offset_name_in_request", "page_name_in_request", "limit_name_in_request"):
        name = getattr(pagination, key)
        if name and not _HEADER_NAME.fullmatch(name):
            yield Gap(key=key, message=f"{name!r} is no name of a header")


def _path_gaps(pagination: Pagination) -> Iterator[Gap]:
    for key in _PATHS:
        try:
            compile_path(getattr(pagination, key) or "")
        except ValueError as error:
            yield Gap(key=key, message=str(error))


def _turn(pagination: Pagination, position: Position) -> Turn:
    name = KINDS[pagination.type].name(pagination)
    limit = _limit(pagination, position)
    members: list[tuple[str, Mark]] = [] if limit is None else [(str(pagination.limit_name_in_request), limit)]
    if name is not None and position.mark is not None:
        members.append((name, position.mark))
    url = position.mark if name is None and isinstance(position.mark, str) else None
    if position.in_body:
        return Turn(position=position, body=tuple(members), url=url)
    if pagination.in_header:
        return Turn(position=position, headers=tuple((key, str(value)) for key, value in members), url=url)
    params = () if url is not None else tuple((key, str(value)) for key, value in members)
    return Turn(position=position, params=params, url=url)


def _fits(pagination: Pagination, mark: Mark | None) -> bool:
    """Tell whether a mark can be sent where the declaration puts it; what an answer says must not split headers."""
    if not pagination.in_header or not isinstance(mark, str):
        return True
    return mark.isascii() and mark.isprintable() and mark == mark.strip()


def _limit(pagination: Pagination, position: Position) -> int | None:
    size = pagination.limit if position.page_size is None else position.page_size
    return size if size and size > 0 and pagination.limit_name_in_request else None


def _step(pagination: Pagination, position: Position, answer: PageAnswer) -> Step:
    answer, count = _counted(pagination, answer)
    return Step(
        pagination=pagination, position=position, answer=answer, count=count, limit=_limit(pagination, position)
    )


def _counted(pagination: Pagination, answer: PageAnswer) -> tuple[PageAnswer, int]:
    if answer.items is not None:
        return answer, len(answer.items)
    # Cursors and links are followed without looking at the items; counting needs a list.
    if KINDS[pagination.type].word is not None:
        return answer, count_of(pagination, answer.body)
    items = items_of(pagination, answer.body)
    return replace(answer, items=items), len(items)


def _guarded(step: Step, mark: Mark) -> Position:
    word, position = KINDS[step.pagination.type].word, guard_empty(step)
    if word is None:
        position = guard_items(step, position)
    elif not step.pagination.allow_repeated_cursor:
        position = guard_repeats(step, guard_mark(step, position, mark=mark, word=word))
    return replace(position, mark=mark, items=position.items + step.count)


def _set(body: object, names: list[str], value: Mark) -> dict[str, object]:
    members = dict(body) if isinstance(body, Mapping) else {}
    name, *rest = names
    members[name] = _set(members.get(name), rest, value) if rest else value
    return members
