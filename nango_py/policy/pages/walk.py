"""What every kind of pagination shares: what is declared, where a walk stands, what one answer says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from nango_py.errors import PaginationError
from nango_py.paths import compile_path
from nango_py.policy.pages.link_header import parameter_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nango_py.http import Headers

__all__ = ["Gap", "Kind", "Mark", "PageAnswer", "PageType", "Pagination", "Position", "Step", "Turn", "broken_off"]

PageType = Literal["cursor", "link", "offset", "page"]
LinkBase = Literal["request", "base_url"]
# Where the next page is: a cursor, a URL, an offset or a page number.
Mark = str | int | float

_FALSE: Final = (False, 0, "false", "False", "0")


def _holds_none(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """How a provider's lists are walked; the paths lead into the JSON body of an answer.

    ``limit`` is the page size asked for. ``in_body`` puts the parameters into the JSON body, where dotted names nest;
    None leaves that to the method: POST, PUT and PATCH do. ``in_header`` makes headers of them. A false value where a
    ``has_more_`` key looks ends a walk, a true one lets it go on after a short page, and so does a total of items
    that is not reached. ``allow_repeated_cursor`` is for providers that keep one cursor for a whole walk, which then
    ends at the first empty page. With ``cursor_name_in_link`` the cursor is taken out of the link that the ``link_``
    keys find, wherever that leads. ``link_relative_to`` says what a relative link is resolved against: the request
    that was answered (RFC 3986 section 5.1.3), or the base URL with its path.
    """

    type: PageType
    cursor_name_in_request: str | None = None
    cursor_path_in_response: str | None = None
    cursor_header_in_response: str | None = None
    cursor_name_in_link: str | None = None
    allow_repeated_cursor: bool = False
    link_rel_in_response_header: str | None = None
    link_header_in_response: str | None = None
    link_path_in_response_body: str | None = None
    link_relative_to: LinkBase = "request"
    offset_name_in_request: str | None = None
    offset_start_value: int = 0
    offset_calculation_method: Literal["by-response-size", "per-page"] = "by-response-size"
    page_name_in_request: str | None = None
    page_start_value: int = 1
    total_pages_path_in_response: str | None = None
    total_pages_header_in_response: str | None = None
    total_items_path_in_response: str | None = None
    total_items_header_in_response: str | None = None
    limit_name_in_request: str | None = None
    limit: int | None = None
    response_path: str | None = None
    in_body: bool | None = None
    in_header: bool = False
    has_more_path_in_response: str | None = None
    has_more_header_in_response: str | None = None
    has_more_name_in_link: str | None = None
    max_pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a walk stands: the page to ask for, counted from 1, and what its guards remember.

    ``items`` is how many came on the pages before. ``seen`` holds digests of the latest marks, ``anchor`` that of an
    older one, ``last`` that of the latest page's items, which were those of the pages before it ``repeats`` times.
    """

    type: PageType
    number: int = 1
    mark: Mark | None = None
    page_size: int | None = None
    in_body: bool = False
    items: int = 0
    seen: tuple[str, ...] = ()
    anchor: str | None = None
    last: str | None = None
    empties: int = 0
    repeats: int = 0

    def to_text(self) -> str:
        """Return the position as opaque JSON; credentials in a link's query are left out."""
        from nango_py.policy.pages.position_text import write_position  # noqa: PLC0415 - it knows this class

        return write_position(self)

    @staticmethod
    def from_text(text: str) -> Position:
        """Read what ``to_text`` wrote; a UsageError says so where it is anything else."""
        from nango_py.policy.pages.position_text import read_position  # noqa: PLC0415

        return read_position(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """One page as it came: the URL that was asked for, the answer's headers and its parsed body.

    ``base_url`` is what the provider's paths are relative to, as people may see it; ``real_base_url`` is what the
    provider knows it by where a stand-in hides a secret of it, and ``holds_secret`` tells
    whether a text gives one away nevertheless. ``items`` are the page's items where the caller knows
    them already.
    """

    url: str
    headers: Headers
    body: object
    base_url: str = ""
    real_base_url: str = field(default="", repr=False)
    holds_secret: Callable[[str], bool] = field(default=_holds_none, repr=False)
    items: Sequence[object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to change in the walk's original request to ask for the page at ``position``.

    ``params`` are set in the query, ``headers`` among the headers and ``body`` in the JSON body (dotted names nest),
    over what is there. A ``url`` takes the place of the whole URL, query included; it may lead to another origin,
    which is the sender's to refuse.
    """

    position: Position
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[tuple[str, Mark], ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What a declaration lacks, with the key concerned."""

    key: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One answer in its context: ``count`` items came, where ``limit`` were asked for."""

    pagination: Pagination
    position: Position
    answer: PageAnswer
    count: int
    limit: int | None

    def value(self, path: str | None) -> object | None:
        """Return what lies at a path into the body; None where no path is declared."""
        return None if path is None else compile_path(path).find(self.answer.body)

    def total(self, path: str | None, header: str | None) -> int | None:
        """Return the number that stands in a header, or else at a path into the body; None without one."""
        value = self.answer.headers.get(header or "") or self.value(path)
        if isinstance(value, str):
            text = value.strip()
            return int(text[:18]) if text.isascii() and text.isdigit() else None
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def more(self) -> bool | None:
        """Tell what the answer says about further pages; None where it says nothing."""
        keys, headers = self.pagination, self.answer.headers
        value: object | None = headers.get(keys.has_more_header_in_response or "", "").strip()
        if not value and keys.has_more_name_in_link and keys.link_rel_in_response_header:
            link = headers.get("Link", "")
            value = parameter_of(link, keys.link_rel_in_response_header, keys.has_more_name_in_link)
        value = value or self.value(keys.has_more_path_in_response)
        return None if value is None else value not in _FALSE

    @property
    def is_short(self) -> bool:
        """Tell whether all items came, or fewer than were asked for where nothing says that there are more."""
        if self.more is True or self.count == 0:
            return self.more is not True
        seen, keys = self.position.items + self.count, self.pagination
        total = self.total(keys.total_items_path_in_response, keys.total_items_header_in_response)
        # A total that is too small counts something else, or is none: what came tells that there was more.
        if total is not None and seen <= total:
            return seen == total
        return self.limit is not None and self.count < self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is particular to one kind of pagination.

    ``name`` is the request's parameter that carries the mark, None where the mark is a whole URL. ``advance`` returns
    the next page's mark, or None at the end of the walk. ``word`` is what a mark that may not come twice is called.
    """

    start: Callable[[Pagination], Mark | None]
    name: Callable[[Pagination], str | None]
    advance: Callable[[Step], Mark | None]
    lacks: Callable[[Pagination], tuple[Gap, ...]]
    word: str | None = None


def broken_off(position: Position, what: str) -> PaginationError:
    """Return the error that ends a walk at a page."""
    return PaginationError(f"page {position.number}: {what}")
