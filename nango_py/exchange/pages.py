"""Walk a list page by page; memory is one page, whatever the total."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.effects import Emit
from nango_py.errors import PaginationError
from nango_py.events import PageRead
from nango_py.exchange.requests import make_request
from nango_py.policy.pagination import PageAnswer, Position, first, following, items_of, resume, set_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nango_py.effects import Effect, Flow
    from nango_py.exchange.answers import Asker, Judge
    from nango_py.exchange.contents import Content
    from nango_py.exchange.plan import Plan
    from nango_py.http import Request, Response
    from nango_py.policy.pagination import Pagination, Turn

__all__ = ["Page", "Walk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hold one page of a list.

    ``number`` counts from 1; ``position`` is the opaque text, without secrets, that resumes the walk after this page,
    None on the last one.
    """

    items: tuple[Any, ...]
    number: int
    position: str | None
    response: Response = field(repr=False)
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A list to walk: the request of its first page, and how to get on."""

    asker: Asker
    pagination: Pagination
    method: str
    path: str
    agent: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: Content | None = None
    items_path: str | None = None
    judge: Judge | None = None
    limit: int | None = None
    max_pages: int | None = None
    page_size: int | None = None
    position: str | None = None
    shape: Callable[[Any], Any] | None = None
    """What becomes of each item."""

    def pages(self) -> Flow[None]:
        """Emit page after page."""
        yield from self.each(lambda page: (Emit(page),))

    def each(self, use: Callable[[Page], Iterable[Effect]]) -> Flow[int]:
        """Hand each page to *use* and do what it asks for; give how many items there were."""
        turn: Turn | None = self._first_turn()
        pages = items = 0
        while turn is not None:
            left = None if self.limit is None else self.limit - items
            page, turn = yield from self._page(turn, left, is_final=pages + 1 == self.max_pages)
            pages, items = pages + 1, items + len(page.items)
            self.asker.tell(PageRead, number=page.number, items=len(page.items), total=items)
            yield from use(page)
            if page.is_last:
                break
        return items

    def _first_turn(self) -> Turn:
        if self.position is not None:
            return resume(self.pagination, Position.from_text(self.position))
        return first(self.pagination, page_size=self.page_size, method=self.method)

    def _page(self, turn: Turn, left: int | None, *, is_final: bool) -> Flow[tuple[Page, Turn | None]]:
        request, plan = yield from self._request(turn)
        response, body = yield from self.asker.ask_for_json(request, self.judge)
        try:
            items = items_of(self.pagination, body, self.items_path)
            answer = PageAnswer(
                url=str(request.url),
                headers=response.headers,
                body=body,
                base_url=plan.shown_base_url,
                real_base_url=plan.base_url,
                holds_secret=self.asker.session.holds_secret,
                items=items,
            )
            after = following(self.pagination, turn.position, answer)
        except PaginationError as error:
            self.asker.fail(PaginationError, str(error), response=response)
        is_last = after is None or is_final or (left is not None and len(items) >= left)
        kept = items if left is None else items[:left]
        if self.shape is not None:
            kept = tuple(self.shape(item) for item in kept)
        page = Page(
            items=kept,
            number=turn.position.number,
            # A page that was cut short by the limit is not behind us: its position would lose the rest.
            position=after.position.to_text() if after is not None and len(kept) == len(items) else None,
            response=response,
            is_last=is_last,
        )
        return page, after

    def _request(self, turn: Turn) -> Flow[tuple[Request, Plan]]:
        """Give the request of a turn, and the plan that it was made by."""
        session = self.asker.session
        plan = yield from self.asker.open()
        names = {name for name, _ in turn.params}
        params = [pair for pair in self.params if pair[0] not in names]
        taken = {name.lower() for name, _ in turn.headers}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in taken}
        request = make_request(
            session,
            plan,
            method=self.method,
            path=turn.url or self.path,
            agent=self.agent,
            params=turn.params if turn.url else (*params, *turn.params),
            headers={**headers, **dict(turn.headers)},
            json=set_members(self.json, turn.body) if turn.body else self.json,
            content=self.content,
        )
        return request, plan
