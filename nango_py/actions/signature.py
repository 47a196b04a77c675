"""What callers know of an action before it runs, declared or Python: for types, for tools of models."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.actions.python import PythonAction
from nango_py.model import Annotations
from nango_py.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.model import Action, ActionRequest, Integration

__all__ = ["Signature", "signature_of"]

_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
_ANYTHING: Mapping[str, Any] = {"type": "object"}
_RESERVED: Mapping[str, Mapping[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "description": "How many items to return at most."},
    "page_size": {"type": "integer", "minimum": 1, "description": "How many items to ask for at a time."},
}
_FROM_CALLER = frozenset({"input", "item", "steps"})
"""Names of placeholders whose values a caller decides, or may have handed on."""
_PROTECTED = frozenset({"authorization", "cookie", "host", "proxy-authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What goes into an action and what comes out of it."""

    integration: str
    name: str
    description: str
    input: Mapping[str, Any]
    """JSON Schema of the input, without the reserved ones."""
    output: Mapping[str, Any] | None
    """JSON Schema of the output, of one item where the action is paginated; None when it promises none."""
    is_paginated: bool
    is_download: bool
    annotations: Annotations
    protected: tuple[str, ...] = ()
    """Headers that carry credentials or lead elsewhere, and that the input would reach."""
    reserved: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Inputs that every paginated action has."""


def signature_of(integration: Integration, action: Action | PythonAction) -> Signature:
    """Return the signature of an action of an integration."""
    if isinstance(action, PythonAction):
        return Signature(
            integration=integration.name,
            name=action.name,
            description=action.description,
            input=_ANYTHING if action.input is None else action.input.document,
            output=None if action.output is None else action.output.document,
            is_paginated=False,
            is_download=False,
            annotations=action.annotations,
        )
    return Signature(
        integration=integration.name,
        name=action.name,
        description=action.description,
        input=_NOTHING if action.input is None else action.input.document,
        output=_promised(action),
        is_paginated=action.paginate is not None,
        is_download=action.output.download,
        annotations=_annotations(integration, action),
        protected=tuple(
            sorted({name for request in _requests(integration, action) for name in _reached(integration, request)})
        ),
        reserved=_RESERVED if action.paginate is not None else {},
    )


def _promised(action: Action) -> Mapping[str, Any] | None:
    """Return the output's schema; of an output that is mapped, its names at least."""
    if action.output.schema is not None:
        return action.output.schema.document
    if action.output.map is None or action.output.flatten:
        return None
    names = list(action.output.map)
    return {"type": "object", "properties": {name: {} for name in names}, "required": names}


def _requests(integration: Integration, action: Action) -> Iterator[ActionRequest]:
    if action.request is not None:
        yield action.request
    for step in action.steps:
        yield from _requests(integration, step.own or integration.actions[step.action or ""])


def _reached(integration: Integration, request: ActionRequest) -> Iterator[str]:
    """Yield each header that is not for callers to set, and that the input gets into."""
    carrying = {name.lower() for name, value in integration.requests.headers.items() if isinstance(value, Template)}
    for name, value in request.headers.items():
        is_protected = name.lower() in _PROTECTED | carrying or integration.auth.uses_header(name)
        if is_protected and isinstance(value, Template) and any(path[0] in _FROM_CALLER for path in value.names):
            yield name


def _annotations(integration: Integration, action: Action) -> Annotations:
    """Return what is declared, and for the rest what the methods of the requests say (RFC 9110 section 9.2)."""
    own = [_of_request(request) for request in _requests(integration, action)]
    said = action.annotations
    read_only = _first(said.read_only, _all(each.read_only for each in own))
    return Annotations(
        read_only=read_only,
        destructive=_first(said.destructive, False if read_only else _any(each.destructive for each in own)),
        idempotent=_first(said.idempotent, True if read_only else _all(each.idempotent for each in own)),
    )


_READS = Annotations(read_only=True, destructive=False, idempotent=True)
_GRAPHQL_READ = re.compile(r"(?:[\s,]|#[^\n]*(?:\n|$))*(?:\{|query\b)(?!.*\b(?:mutation|subscription)\b)", re.DOTALL)
"""A document that only has queries (https://spec.graphql.org/October2021/#sec-Document)."""


def _of_request(request: ActionRequest) -> Annotations:
    if request.graphql is not None:
        return _READS if _GRAPHQL_READ.match(request.graphql.query) else Annotations(read_only=False)
    match request.method:
        case "GET" | "HEAD":
            return _READS
        case "PUT" | "DELETE":
            return Annotations(read_only=False, destructive=True, idempotent=True)
        case "PATCH":
            return Annotations(read_only=False, destructive=True)
        case _:
            return Annotations(read_only=False)


def _first(said: bool | None, otherwise: bool | None) -> bool | None:
    return otherwise if said is None else said


def _all(values: Iterator[bool | None]) -> bool | None:
    """Return true when all are, false when one is false, and None when nobody knows."""
    found = list(values)
    return False if False in found else None if None in found else True


def _any(values: Iterator[bool | None]) -> bool | None:
    found = list(values)
    return True if True in found else None if None in found else False
