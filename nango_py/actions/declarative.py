"""Actions that are data: an input becomes a request, its answer an output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.errors import InputError, OutputError, PaginationError
from nango_py.exchange.pages import Walk
from nango_py.exchange.plan import filled_headers, filled_params, render_path
from nango_py.exchange.requests import make_request
from nango_py.paths import compile_path
from nango_py.template import TemplateError, render_tree

if TYPE_CHECKING:
    from nango_py.effects import Effect, Flow
    from nango_py.exchange.answers import Asker
    from nango_py.exchange.pages import Page
    from nango_py.exchange.plan import Plan
    from nango_py.json_schema import Schema
    from nango_py.model import Action

__all__ = ["DEFAULT_LIMIT", "Filled", "call", "check_input", "fill", "perform", "walk"]

DEFAULT_LIMIT = 1000
"""Items that a paginated action returns when its input says nothing."""
_RESERVED = ("limit", "page_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An action's request with its placeholders filled."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    json: Any
    form: Mapping[str, Any] | None
    values: Mapping[str, Any]
    """What output maps see."""


def check_input(action: Action, given: Mapping[str, Any] | None, *, who: str) -> dict[str, Any]:
    """Return an action's input with the reserved ones in it, checked.

    Raises:
        InputError: It does not fit; the message names places and quotes no value.
    """
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"{who}: the input must be a mapping, not {type(given).__name__}.")
    values = dict(given or {})
    reserved = {name: values[name] for name in _RESERVED if name in values and action.paginate is not None}
    for name, value in reserved.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{who}: {name!r} must be a whole number from 1 on.")
    rest = {name: value for name, value in values.items() if name not in reserved}
    if action.input is not None:
        found = [str(violation) for violation in action.input.violations(rest)]
        if found:
            raise InputError(f"{who}: the input does not fit: " + " ".join(found))
    elif rest:
        raise InputError(f"{who}: it takes no input, but was given {', '.join(map(repr, sorted(rest)))}.")
    return values


def fill(action: Action, given: Mapping[str, Any], plan: Plan, functions: Mapping[str, Any], *, who: str) -> Filled:
    """Return the action's request with its placeholders filled.

    Raises:
        InputError: A placeholder inside a longer text, or in the path, has no value.
    """
    request = action.request
    values = {**plan.values, **functions, "input": given}
    try:
        return Filled(
            method=request.method,
            path=render_path(request.path, values),
            params=filled_params(request.params, values),
            headers=filled_headers(request.headers, values),
            json=render_tree(request.json, values),
            form=None if request.form is None else render_tree(request.form, values) or {},
            values={
                "input": given,
                "connection_config": plan.values["connection_config"],
                "metadata": plan.values["metadata"],
                **functions,
            },
        )
    except (InputError, TemplateError) as error:
        raise InputError(f"{who}: {error}") from None


def perform(asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str) -> Flow[Any]:
    """Return the output of an action; of a paginated one, the list of all its items."""
    if action.paginate is None:
        return (yield from call(asker, action, given, agent=agent, who=who))
    items: list[Any] = []

    def keep(page: Page) -> tuple[Effect, ...]:
        items.extend(page.items)
        return ()

    limit = given.get("limit", DEFAULT_LIMIT)
    pages = yield from walk(asker, action, given, agent=agent, who=who, limit=limit)
    yield from pages.each(keep)
    if len(items) == limit and "limit" not in given:
        asker.log("warning", "action.limit_reached", limit=limit)
    return items


def call(asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str) -> Flow[Any]:
    """Return the output of an action that is one request."""
    plan, filled = yield from _filled(asker, action, given, who)
    request = make_request(
        asker.session,
        plan,
        method=filled.method,
        path=filled.path,
        agent=agent,
        params=filled.params,
        headers=filled.headers,
        json=filled.json,
        form=filled.form,
    )
    _, body = yield from asker.ask_for_json(request, action.ok)
    value = compile_path(action.output.value).find(body) if action.output.value else body
    return _shaped(action, filled, asker)(value)


def walk(
    asker: Asker, action: Action, given: Mapping[str, Any], *, agent: str, who: str, limit: int | None
) -> Flow[Walk]:
    """Return the walk over the pages of a paginated action."""
    _, filled = yield from _filled(asker, action, given, who)
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
        form=filled.form,
        items_path=action.output.items,
        ok=action.ok,
        limit=limit,
        page_size=_page_size(action, given, limit),
        shape=_shaped(action, filled, asker),
    )


def _page_size(action: Action, given: Mapping[str, Any], limit: int | None) -> int | None:
    """Return the page size asked for; a small limit makes small pages, so that nothing is fetched in vain."""
    if "page_size" in given:
        return int(given["page_size"])
    usual = action.paginate.limit if action.paginate else None
    return min(limit, usual) if limit and usual else None


def _filled(asker: Asker, action: Action, given: Mapping[str, Any], who: str) -> Flow[tuple[Plan, Filled]]:
    plan = yield from asker.open()
    return plan, fill(action, given, plan, asker.session.moment().functions() if action.calls else {}, who=who)


def _shaped(action: Action, filled: Filled, asker: Asker) -> Callable[[Any], Any]:
    output = action.output

    def shape(value: Any) -> Any:
        if output.map is not None:
            value = _mapped(output.map, filled.values, value, asker)
        if output.schema is not None:
            _check_output(output.schema, value, asker)
        return value

    return shape


def _mapped(tree: Any, values: Mapping[str, Any], item: Any, asker: Asker) -> Any:
    try:
        # A mapped name stays, with null, where the provider has no value for it.
        return {name: render_tree(branch, {**values, "item": item}) for name, branch in tree.items()}
    except TemplateError as error:
        asker.fail(OutputError, f"output map: {error}")


def _check_output(schema: Schema, value: Any, asker: Asker) -> None:
    found = [str(violation) for violation in schema.violations(value)]
    if found:
        asker.fail(OutputError, "the answer does not keep what the action promises: " + " ".join(found[:5]))
