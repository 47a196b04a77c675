"""Show a request that would be sent: each value with the place that set it, secrets by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.exchange.plan import is_secret, shape_of
from nango_py.model import FilePart
from nango_py.policy.pagination import first
from nango_py.template import Template, plain_text, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.connections.connection import ConnectionView
    from nango_py.model import Action, ActionRequest, Integration, Raw, Step

__all__ = ["explain_request", "shown"]

Row = tuple[str, str, str]
_HIDDEN_KEYS = frozenset({"oauth_client_secret", "app_api_key"})


def shown(integration: Integration, pointer: str) -> str:
    """Return a declared leaf for people; what may be secret only by its name."""
    if pointer.lstrip("/") in _HIDDEN_KEYS:
        return f"<{pointer.lstrip('/')}>"
    value: Any = integration.declared
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    # A value from the environment knows the text that was written.
    return str(getattr(value, "shown", value))


def explain_request(integration: Integration, action: str, view: ConnectionView | None) -> list[Row]:
    """Return the rows of an action's request: what, its value, and ``file:line:column``."""
    return list(_rows(integration, action, view))


def _rows(integration: Integration, action: str, view: ConnectionView | None) -> Iterator[Row]:
    found = integration.actions.get(action)
    if found is None:
        yield "action", "Python", str(integration.location)
        return
    values: dict[str, Any] = {}
    if view is not None:
        values = {"connection_config": view.connection_config, "metadata": view.metadata}
    yield from _action_rows(integration, found, pointer_to("actions", action), values)


def _action_rows(integration: Integration, action: Action, at: str, values: Mapping[str, Any]) -> Iterator[Row]:
    if action.request is not None:
        yield from _request_rows(integration, action.request, f"{at}/request", values)
    for index, step in enumerate(action.steps):
        for what, value, where in _step_rows(integration, step, f"{at}/steps/{index}", values):
            yield f"step {step.name}: {what}", value, where
    yield from _policy_rows(integration, action, at, values)
    if action.paginate is not None and action.request is not None:
        own = f"{at}/paginate"
        is_own = any(pointer.startswith(f"{own}/") for pointer in integration.provenance)
        where = _where(integration, own if is_own else "/pagination")
        yield "pagination", action.paginate.type, where
        turn = first(action.paginate, page_size=None, method=action.request.method)
        yield from ((f"page param {name}", value, where) for name, value in turn.params)
        yield from ((f"page header {name}", value, where) for name, value in turn.headers)
        yield from ((f"page json {name}", str(value), where) for name, value in turn.body)


def _policy_rows(integration: Integration, action: Action, at: str, values: Mapping[str, Any]) -> Iterator[Row]:
    """Yield what an action does otherwise than its integration, and what it needs."""
    if action.idempotency_key is not None:
        retry = (action.overrides and action.overrides.retry) or integration.retry
        shown_key = _text(integration, action.idempotency_key, values)
        yield f"header {retry.idempotency_key}", shown_key, _where(integration, f"{at}/idempotency_key")
    for word in ("retry", "timeouts", "rate_limit", "requires_scopes"):
        for pointer, set_by in integration.provenance.items():
            if pointer.startswith(f"{at}/{word}/"):
                name = pointer.removeprefix(f"{at}/").replace("/", ".")
                yield name, shown(integration, pointer), str(set_by.location)


def _step_rows(integration: Integration, step: Step, at: str, values: Mapping[str, Any]) -> Iterator[Row]:
    for word, template in (("for_each", step.for_each), ("when", step.when)):
        if template is not None:
            yield word, _text(integration, template, values), _where(integration, f"{at}/{word}")
    if step.own is not None:
        yield from _action_rows(integration, step.own, at, values)
        return
    name = step.action or ""
    yield "action", name, _where(integration, f"{at}/action")
    yield from _branch(integration, "input", f"{at}/input", step.input, values)
    yield from _action_rows(integration, integration.actions[name], pointer_to("actions", name), values)


def _request_rows(
    integration: Integration, request: ActionRequest, at: str, values: Mapping[str, Any]
) -> Iterator[Row]:
    yield "method", request.method, _where(integration, f"{at}/method")
    yield (
        "base_url",
        _text(integration, integration.requests.base_url, values),
        _where(integration, "/requests/base_url"),
    )
    yield "path", _text(integration, request.path, values), _where(integration, f"{at}/path")
    yield from _placed(integration)
    for kind, pointer, branch in (
        ("header", "/requests/headers", integration.requests.headers),
        ("header", f"{at}/headers", request.headers),
        ("param", "/requests/params", integration.requests.params),
        ("param", f"{at}/params", request.params),
        ("json", f"{at}/json", request.json),
        ("form", f"{at}/form", request.form),
        *_other_bodies(request, at),
    ):
        yield from _branch(integration, kind, pointer, branch, values)


def _other_bodies(request: ActionRequest, at: str) -> Iterator[tuple[str, str, Any]]:
    for name, part in (request.multipart or {}).items():
        shown = {name: part} if not isinstance(part, FilePart) else {name: _declared_fields(part)}
        yield "part", f"{at}/multipart", shown
    if request.raw is not None:
        yield "raw", f"{at}/raw", _declared_fields(request.raw)
    if request.graphql is not None:
        yield "graphql", f"{at}/graphql", {"query": request.graphql.query}
        yield "graphql variable", f"{at}/graphql/variables", request.graphql.variables


def _declared_fields(body: FilePart | Raw) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.__slots__ if getattr(body, name) is not None}


def _placed(integration: Integration) -> Iterator[Row]:
    place = integration.auth.place()
    if place is not None and shape_of(integration).places:
        text = place.value.shown({}, lambda name: is_secret(integration, name))
        yield f"{'header' if place.where == 'header' else 'param'} {place.name}", text, _where(integration, "/auth")


def _branch(
    integration: Integration, kind: str, pointer: str, branch: Any, values: Mapping[str, Any]
) -> Iterator[Row]:
    items = branch.items() if hasattr(branch, "items") else ()
    for name, value in items:
        at = pointer + pointer_to(name)
        if hasattr(value, "items"):
            yield from _branch(integration, f"{kind} {name}", at, value, values)
        else:
            yield f"{kind} {name}", _text(integration, value, values), _where(integration, at)


def _text(integration: Integration, value: Any, values: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        value = value if plain_text(value) else split(value)
    if not isinstance(value, Template):
        return str(value)
    return value.shown(values, lambda name: is_secret(integration, name))


def _where(integration: Integration, pointer: str) -> str:
    at = pointer
    while at not in integration.provenance and at:
        below = [key for key in integration.provenance if key.startswith(at + "/")]
        if below:
            return str(integration.provenance[below[0]].location)
        if at.count("/") <= 1:
            break
        at = at.rpartition("/")[0]
    found = integration.provenance.get(at)
    return str(found.location) if found else "default"
