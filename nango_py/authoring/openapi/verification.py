"""Guess which request tells who one is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping
from nango_py.authoring.openapi.actions import made_of
from nango_py.authoring.openapi.inputs import Impossible
from nango_py.authoring.openapi.schemas import schema_of
from nango_py.authoring.openapi.spec import is_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.authoring.openapi.actions import Made
    from nango_py.authoring.openapi.security import Signing
    from nango_py.authoring.openapi.spec import Operation, Spec

__all__ = ["verification_of"]

_PATHS: Final = tuple(
    re.compile(rf"(?:.*/)?{words}/?")
    for words in (
        r"(?:me|users?/me|whoami|who-am-i|myself|self|users?/self|current[-_]?user|user/current|userinfo)(?:\.json)?",
        r"(?:users?|account|profile|organization|workspace|team)(?:\.json)?",
    )
)
"""Paths of such requests, the surest first. One that gives a list tells of everybody."""
_IDENTITIES: Final = ("email", "login", "username", "name", "id")


def verification_of(
    spec: Spec, operations: Iterable[Operation], signing: Signing
) -> tuple[dict[str, Any], str] | None:
    """Return a verification request, and the operation that it was taken from; None where none looks like one."""
    calls = sorted(
        (one for one in operations if one.method == "get" and not one.is_deprecated and signing.accepts(one)),
        key=lambda one: len(one.path),
    )
    for pattern in _PATHS:
        for operation in calls:
            if pattern.fullmatch(operation.path.lower().strip("/")) and (made := _plain(spec, operation, signing)):
                keys: dict[str, Any] = {"method": "GET", "path": made.keys["request"]["path"]}
                return keys | _identity(spec, made), operation.label
    return None


def _plain(spec: Spec, operation: Operation, signing: Signing) -> Made | None:
    """Return the action of an operation that asks for nothing and gives no list."""
    try:
        made = made_of(spec, operation, signing, ())
    except Impossible:
        return None
    is_list = made.guess is not None or "x-not-paged" in made.keys
    is_open = "required" in made.keys["input"] or "${" in made.keys["request"]["path"]
    return None if is_list or is_open or not is_json(operation.answer.media) else made


def _identity(spec: Spec, made: Made) -> dict[str, str]:
    """Return where the answer names the account: outermost, or one level down."""
    schema = schema_of(spec, made.operation.answer.schema, "output")
    alternatives = schema.get("anyOf", ())
    properties = mapping(next((one["properties"] for one in (schema, *alternatives) if "properties" in one), None))
    inner = ((f"{name}.", one) for name, one in properties.items() if re.fullmatch(r"\w+", name, flags=re.ASCII))
    for before, below in (("", {"properties": properties}), *inner):
        members = mapping(below.get("properties"))
        for name in _IDENTITIES:
            if name in members:
                return {"identity": f"{before}{name}"}
    return {}
