"""Check that every placeholder of an integration names something that somebody provides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES, SPELLINGS, AuthScheme
from nango_py.declare.environment import variable_of
from nango_py.document import pointer_to
from nango_py.location import did_you_mean
from nango_py.template import Scope, TemplateError, plain_text, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.declare.build import Builder
    from nango_py.model import Integration

__all__ = ["check_names", "check_syntax", "connection_scope", "templated", "variables_in"]

_BEFORE_CREDENTIALS = ("authorization_", "client_", "device_", "registration_", "request_", "server_")
"""How the keys of `auth` begin whose values are filled while there is no connection yet."""
_APP = ("app_api_key", "oauth_client_id", "oauth_client_secret")


def connection_scope(integration: Integration) -> Scope:
    """Return the names that a request of the integration may use."""
    credentials = {field.name for field in integration.credentials}
    roots: dict[str, Any] = dict.fromkeys(sorted(credentials | (integration.auth.supplies - {"raw"})))
    return Scope({**roots, "raw": ..., "credentials": credentials | {"raw"}, **_account(integration)})


def _account(integration: Integration) -> dict[str, Any]:
    config = {field.name for field in integration.connection_config} | integration.auth.picked
    return {"connection_config": config, "metadata": ..., **dict.fromkeys(_APP), "now": None, "uuid": None}


def check_syntax(builder: Builder) -> None:
    """Report every placeholder that cannot be read, so that nothing is built of it."""
    for pointer, text in templated(builder.merged.data):
        try:
            split(text)
        except TemplateError as error:
            builder.report(pointer, "placeholder.syntax", str(error))


def check_names(builder: Builder, integration: Integration) -> None:
    """Report every placeholder that names something undeclared."""
    base = connection_scope(integration)
    for pointer, text in templated(builder.merged.data):
        scope = _scope(pointer, integration, base)
        names = frozenset(
            name for name in split(text).names if variable_of(name) is None or not _may_see(builder, pointer)
        )
        for name, known in scope.unknown(names):
            shown = ".".join(name)
            hint = did_you_mean(shown, known)
            if name[0] == "steps" and "/steps/" in pointer:
                hint = "A step sees those before it."
            if variable_of(name):
                hint = "Blueprints never see the environment: set the value in integrations.yaml."
            builder.report(pointer, "placeholder.unknown", f"nobody provides ${{{shown}}}.", hint)


def variables_in(builder: Builder) -> Iterator[tuple[str, str]]:
    """Yield the environment variables that placeholders filled per request name, each with a pointer."""
    for pointer, text in templated(builder.merged.data):
        if _may_see(builder, pointer):
            for name in sorted(split(text).names):
                if variable := variable_of(name):
                    yield variable, pointer


def _may_see(builder: Builder, pointer: str) -> bool:
    origin = builder.merged.origin(pointer)
    return origin is not None and origin[0].is_integration


def _scope(pointer: str, integration: Integration, base: Scope) -> Scope:
    parts = pointer.split("/")[1:]
    if parts[0] == "actions":
        given = _input_names(integration, parts[1])
        if parts[2] == "steps":
            return _step_scope(parts, integration, base)
        if parts[2] == "on_error":
            return Scope({**_ANSWER, "input": given, **_account(integration)})
        if parts[2] == "output":
            steps = integration.actions[parts[1]].steps
            more: dict[str, Any] = {"steps": {step.name for step in steps}} if steps else {}
            return Scope({"item": ..., "input": given, **more, **_account(integration)})
        return Scope({**base.roots, "input": given})
    if parts[0] == "retry":
        return Scope(_ANSWER)
    if parts[:2] == ["requests", "headers"]:
        return Scope({**base.roots, "request": _REQUEST})
    if parts[0] == "auth":
        if parts[1].startswith(_BEFORE_CREDENTIALS):
            return Scope(_account(integration))
        return Scope({**base.roots, **integration.auth.names_in(tuple(parts[1:]))})
    return base


_ANSWER: Mapping[str, Any] = {"body": ..., "status": None}


_REQUEST = frozenset({"body", "host", "method", "path", "query"})
"""What a header may name of the request that bears it."""


def _step_scope(parts: list[str], integration: Integration, base: Scope) -> Scope:
    """Return the names that a key of a step may use: of the steps before it, and of its own item."""
    _, name, _, number, key, *_ = parts
    steps, index = integration.actions[name].steps, int(number)
    step = steps[index]
    before = {"input": _input_names(integration, name), "steps": {earlier.name for earlier in steps[:index]}}
    is_each = step.for_each is not None
    item: dict[str, Any] = {"item": ..., "index": None} if is_each else {}
    match key:
        case "for_each":
            return Scope({**_account(integration), **before})
        case "when" | "input":
            return Scope({**_account(integration), **before, **item})
        case "output":
            parent: dict[str, Any] = {"parent": ..., "index": None} if is_each else {}
            return Scope({**_account(integration), **before, **parent, "item": ...})
        case "on_error":
            return Scope({**_account(integration), **before, **item, **_ANSWER})
    return Scope({**base.roots, **before, **item})


def _input_names(integration: Integration, action: str) -> Any:
    schema = integration.actions[action].input
    if schema is None:
        return ...
    properties = schema.document.get("properties", {})
    if not isinstance(properties, Mapping):
        return ...  # a flaw of the schema, which is reported as one
    is_open = schema.document.get("additionalProperties", True) is not False and not properties
    return ... if is_open or "$ref" in schema.document or "allOf" in schema.document else set(properties)


def templated(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every text with a placeholder that stands where placeholders live."""
    for key in ("base_url", "headers", "params"):
        yield from _texts(data.get("requests", {}).get(key), f"/requests/{key}")
    for index, reaction in enumerate(data.get("retry", {}).get("reactions", ())):
        yield from _texts(reaction.get("message"), f"/retry/reactions/{index}/message")
    auth = data.get("auth", {})
    mode = auth.get("auth_mode")
    scheme = SCHEMES.get(SPELLINGS.get(mode, mode), AuthScheme)
    for key, value in auth.items():
        if scheme.holds_placeholders(key):
            yield from _texts(value, f"/auth/{key}")
    yield from _request_texts(data.get("verification", {}), "/verification")
    for name, action in data.get("actions", {}).items():
        if name.startswith("x-"):
            continue
        at = pointer_to("actions", name)
        yield from _action_texts(action, at)
        for index, step in enumerate(action.get("steps", ())):
            for key in ("for_each", "when", "input"):
                yield from _texts(step.get(key), f"{at}/steps/{index}/{key}")
            yield from _action_texts(step, f"{at}/steps/{index}")


def _action_texts(action: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    yield from _request_texts(action.get("request", {}), f"{pointer}/request")
    yield from _texts(action.get("idempotency_key"), f"{pointer}/idempotency_key")
    yield from _texts(action.get("output", {}).get("map"), f"{pointer}/output/map")
    for index, named in enumerate(action.get("on_error", ())):
        yield from _texts(named.get("message"), f"{pointer}/on_error/{index}/message")


def _request_texts(request: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    for key in ("path", "params", "headers", "json", "form", "multipart", "raw"):
        yield from _texts(request.get(key), f"{pointer}/{key}")
    yield from _texts(request.get("graphql", {}).get("variables"), f"{pointer}/graphql/variables")


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and not plain_text(value):
        yield pointer, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, pointer + pointer_to(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}")
