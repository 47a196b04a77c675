"""Show a request that would be sent: each value with the place that set it, secrets by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.exchange.plan import is_secret, shape_of
from nango_py.template import Template, plain_text, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.connections.connection import ConnectionView
    from nango_py.model import Integration

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
    at = pointer_to("actions", action)
    values: dict[str, Any] = {}
    if view is not None:
        values = {"connection_config": view.connection_config, "metadata": view.metadata}
    yield "method", found.request.method, _where(integration, f"{at}/request/method")
    yield (
        "base_url",
        _text(integration, integration.requests.base_url, values),
        _where(integration, "/requests/base_url"),
    )
    yield "path", _text(integration, found.request.path, values), _where(integration, f"{at}/request/path")
    yield from _placed(integration)
    for kind, pointer, branch in (
        ("header", "/requests/headers", integration.requests.headers),
        ("header", f"{at}/request/headers", found.request.headers),
        ("param", "/requests/params", integration.requests.params),
        ("param", f"{at}/request/params", found.request.params),
        ("json", f"{at}/request/json", found.request.json),
        ("form", f"{at}/request/form", found.request.form),
    ):
        yield from _branch(integration, kind, pointer, branch, values)
    if found.paginate is not None:
        yield "pagination", found.paginate.type, _where(integration, "/pagination")


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
