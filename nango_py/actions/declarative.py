"""Actions that are data: an input becomes a request, its answer an output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py.actions.fill import fill
from nango_py.actions.output import shaped
from nango_py.actions.scopes import check_scopes
from nango_py.actions.steps import Steps
from nango_py.effects import Emit
from nango_py.errors import PaginationError
from nango_py.exchange.answers import judge_by
from nango_py.exchange.pages import Walk
from nango_py.exchange.requests import make_request
from nango_py.paths import compile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.actions.fill import Filled
    from nango_py.actions.steps import Run
    from nango_py.effects import Effect, Flow
    from nango_py.exchange.answers import Asker, Judge
    from nango_py.exchange.pages import Page
    from nango_py.exchange.plan import Plan
    from nango_py.model import Action

__all__ = ["DEFAULT_LIMIT", "perform", "stream"]

DEFAULT_LIMIT = 1000
"""Items that a paginated action returns when its input says nothing."""


def perform(
    asker: Asker,
    action: Action,
    given: Mapping[str, Any],
    *,
    agent: str,
    who: str,
    usual_limit: int | None = DEFAULT_LIMIT,
) -> Flow[Any]:
    """Return the output of an action; of a paginated one, the list of its items.

    *usual_limit* is how many those are at most where the input says nothing.
    """
    if action.steps:
        whole, last = (_run(perform, agent, usual_limit=limit) for limit in (None, usual_limit))
        steps = Steps(asker=asker, action=action, given=given, who=who, run=whole)
        return (yield from steps.output(whole if action.paginate is None else last))
    if action.paginate is None:
        return (yield from _call(asker, action, given, agent=agent, who=who))
    items: list[Any] = []

    def keep(page: Page) -> tuple[Effect, ...]:
        items.extend(page.items)
        return ()

    limit = given.get("limit", usual_limit)
    pages = yield from _walk(asker, action, given, agent=agent, who=who, limit=limit)
    yield from pages.each(keep)
    if len(items) == limit and "limit" not in given:
        asker.log("warning", "action.limit_reached", limit=limit)
    return items


def stream(asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str) -> Flow[None]:
    """Emit the pages of a paginated action, each as its items; of another one, its output as one item."""
    if action.paginate is None:
        output = yield from perform(asker, action, given, agent=agent, who=who)
        yield Emit((output,))
    elif action.steps:
        steps = Steps(asker=asker, action=action, given=given, who=who, run=_run(perform, agent, usual_limit=None))
        yield from steps.output(_run(stream, agent))
    else:
        pages = yield from _walk(asker, action, given, agent=agent, who=who, limit=given.get("limit"))
        yield from pages.each(lambda page: (Emit(page.items),))


def _run(how: Callable[..., Flow[Any]], agent: str, **options: Any) -> Run:
    return lambda asker, action, given, who: how(asker, action, given, agent=agent, who=who, **options)


def _call(asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str) -> Flow[Any]:
    """Return the output of an action that is one request."""
    asker = _asking(asker, action)
    plan, filled = yield from _filled(asker, action, given, who)
    asker = _naming(asker, action, filled)
    request = make_request(
        asker.session,
        plan,
        method=filled.method,
        path=filled.path,
        agent=agent,
        params=filled.params,
        headers=filled.headers,
        json=filled.json,
        content=filled.content,
    )
    if action.output.download:
        return (yield from asker.ask_for_download(request))
    _, body = yield from asker.ask_for_json(request, _judge(action))
    value = compile_path(action.output.value).find(body) if action.output.value else body
    return shaped(action.output, filled.values, asker)(value)


def _walk(
    asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str, limit: int | None
) -> Flow[Walk]:
    """Return the walk over the pages of a paginated action."""
    asker = _asking(asker, action)
    _, filled = yield from _filled(asker, action, given, who)
    asker = _naming(asker, action, filled)
    if action.paginate is None:
        raise PaginationError(f"{who}: it is not paginated.")
    return Walk(
        asker=asker,
        pagination=action.paginate,
        method=filled.method,
        path=filled.path,
        agent=agent,
        params=filled.params,
        headers=filled.headers,
        json=filled.json,
        content=filled.content,
        items_path=action.output.items,
        judge=_judge(action),
        limit=limit,
        page_size=_page_size(action, given, limit),
        shape=shaped(action.output, filled.values, asker),
    )


def _asking(asker: Asker, action: Action) -> Asker:
    return asker if action.overrides is None else replace(asker, overrides=action.overrides)


def _naming(asker: Asker, action: Action, filled: Filled) -> Asker:
    if not action.on_error:
        return asker
    return replace(asker, named=action.on_error, sees={**filled.values, **asker.sees})


def _page_size(action: Action, given: Mapping[str, Any], limit: int | None) -> int | None:
    """Return the page size asked for; a small limit makes small pages, so that nothing is fetched in vain."""
    if "page_size" in given:
        return int(given["page_size"])
    usual = action.paginate.limit if action.paginate else None
    return min(limit, usual) if limit and usual else None


def _filled(asker: Asker, action: Action, given: Mapping[str, Any], who: str) -> Flow[tuple[Plan, Filled]]:
    session = asker.session
    plan = yield from asker.open()
    if action.requires_scopes:
        credentials = plan.connection.credentials
        check_scopes(
            action.requires_scopes,
            session.integration,
            session.user_id,
            credentials,
            action=asker.action or action.name,
        )
    functions = session.moment().functions() if action.calls else {}
    return plan, fill(
        action, given, plan, {**functions, **asker.sees}, who=who, key_header=asker.policy.idempotency_key
    )


def _judge(action: Action) -> Judge | None:
    if action.ok is not None:
        return judge_by(action.ok)
    graphql = None if action.request is None else action.request.graphql
    return None if graphql is None or graphql.allow_errors else _graphql_error


def _graphql_error(body: Any) -> str | None:
    """Return what the first error of a GraphQL answer says."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    said = first.get("message") if isinstance(first, dict) else None
    return str(said) if said else "the answer lists errors without a message"
