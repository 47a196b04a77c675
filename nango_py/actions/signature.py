"""What callers know of an action before it runs, declared or Python: for types, for tools of models."""

from __future__ import annotations

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
        is_download=False,
        annotations=_annotations(action),
        protected=tuple(sorted({name for request in _requests(action) for name in _reached(integration, request)})),
        reserved=_RESERVED if action.paginate is not None else {},
    )


def _promised(action: Action) -> Mapping[str, Any] | None:
    """Return the output's schema; of an output that is mapped, its names at least."""
    if action.output.schema is not None:
        return action.output.schema.document
    if action.output.map is None:
        return None
    names = list(action.output.map)
    return {"type": "object", "properties": {name: {} for name in names}, "required": names}


def _requests(action: Action) -> tuple[ActionRequest, ...]:
    return (action.request,)


def _reached(integration: Integration, request: ActionRequest) -> Iterator[str]:
    """Yield each header that is not for callers to set, and that the input gets into."""
    carrying = {name.lower() for name, value in integration.requests.headers.items() if isinstance(value, Template)}
    for name, value in request.headers.items():
        is_protected = name.lower() in _PROTECTED | carrying or integration.auth.uses_header(name)
        if is_protected and isinstance(value, Template) and any(path[0] == "input" for path in value.names):
            yield name


def _annotations(action: Action) -> Annotations:
    """Return what is declared, and for the rest what the methods of the requests say (RFC 9110 section 9.2)."""
    own = [_of_request(request) for request in _requests(action)]
    said = action.annotations
    read_only = _first(said.read_only, _all(each.read_only for each in own))
    return Annotations(
        read_only=read_only,
        destructive=_first(said.destructive, False if read_only else _any(each.destructive for each in own)),
        idempotent=_first(said.idempotent, True if read_only else _all(each.idempotent for each in own)),
    )


def _of_request(request: ActionRequest) -> Annotations:
    match request.method:
        case "GET" | "HEAD":
            return Annotations(read_only=True, destructive=False, idempotent=True)
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
