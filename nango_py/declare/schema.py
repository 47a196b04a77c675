"""The door: declared keys are checked here, and dicts end here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.json_schema import Schema, Violation
from nango_py.location import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.declare.merge import Merged
    from nango_py.document import Document
    from nango_py.location import Location

__all__ = [
    "SCHEMAS",
    "check_blueprint",
    "check_complete",
    "check_fragment",
    "check_top",
    "check_version",
    "load_schema",
    "wants_text",
]

SCHEMAS = Path(__file__).parents[1] / "schemas"
_BARE = "Name a blueprint by extends_blueprint, or declare auth and requests."
_BASE = "https://nango-py.invalid/schemas/v0/"
_INTEGRATION = f"{_BASE}integrations.schema.json#/$defs/integration"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return a published schema by its file name below ``schemas/``."""
    loaded: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return loaded


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(SCHEMAS).as_posix() for path in SCHEMAS.rglob("*.schema.json")))


@cache
def _documents() -> dict[str, Any]:
    return {document["$id"]: document for document in map(load_schema, _names())}


@cache
def _schema(reference: str, *required: str) -> Schema:
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": reference}
    return Schema({**document, "required": list(required)} if required else document, _documents())


def check_top(document: Document) -> Iterator[Problem]:
    """Yield the problems of the outermost keys of ``integrations.yaml``."""
    top = {key: value for key, value in document.data.items() if key != "integrations"}
    schema = _schema(f"{_BASE}integrations.schema.json")
    for violation in schema.violations({**top, "integrations": {}}):
        yield _problem(violation, _locate(document, violation))


def check_fragment(document: Document, pointer: str, data: Any) -> Iterator[Problem]:
    """Yield the problems of an integration as it is written: nothing is required before the merge."""
    yield from _fragment(document, pointer, data, _INTEGRATION)


def check_blueprint(document: Document, version: str) -> Iterator[Problem]:
    """Yield the problems of a blueprint file, of one *version* of it."""
    data = document.data
    if not isinstance(data, Mapping):
        yield Problem(
            location=document.locate(""), code="schema.type", message="a blueprint file must be a mapping of keys."
        )
        return
    versions = data.get("versions")
    top = {**data, "versions": {version: {}}} if isinstance(versions, Mapping) and version in versions else dict(data)
    for violation in _schema(f"{_BASE}blueprint.schema.json").violations(top):
        yield _problem(violation, _locate(document, violation))
    if isinstance(versions, Mapping) and version in versions:
        pointer = pointer_to("versions", version)
        yield from check_version(document, pointer, versions[version])


def check_version(document: Document, pointer: str, data: Any) -> Iterator[Problem]:
    """Yield the problems of what a version declares, wherever it is kept; nothing is required."""
    yield from _fragment(document, pointer, data, f"{_BASE}blueprint.schema.json#/$defs/version")


def check_complete(merged: Merged, fallback: Location) -> Iterator[Problem]:
    """Yield the problems of a merged integration: here everything that is required must be there."""
    schema = _schema(_INTEGRATION, "auth", "requests")
    for violation in schema.violations(merged.data):
        if _is_deletion(merged.data, violation) and violation.keyword == "type":
            continue
        located = merged.locate(violation.pointer, key=violation.at_key) or fallback
        problem = _problem(violation, located)
        is_bare = violation.keyword == "required" and not violation.pointer
        yield replace(problem, hint=_BARE) if is_bare else problem


def wants_text(path: tuple[str, ...]) -> bool:
    """Tell whether the schema wants a text at *path* of an integration, or knows nothing of the place."""
    schema: Any = load_schema("integrations.schema.json")["$defs"]["integration"]
    for part in path:
        schema = _resolved(schema)
        schema = schema.get("properties", {}).get(part) or schema.get("items" if part.isdigit() else "") or {}
        if not isinstance(schema, Mapping):
            return True
    kind = _resolved(schema).get("type", "string")
    return "string" in (kind if isinstance(kind, list) else [kind])


def _resolved(schema: Any) -> Any:
    reference = schema.get("$ref", "")
    if "#/$defs/" not in reference:
        return schema
    name = reference.partition("#/$defs/")[2]
    return load_schema("blueprint.schema.json")["$defs"][name]


def _fragment(document: Document, pointer: str, data: Any, reference: str) -> Iterator[Problem]:
    for violation in _schema(reference).violations(data):
        if violation.keyword != "required" and not _is_deletion(data, violation):
            yield _problem(violation, _locate(document, violation, pointer))
    if isinstance(data, Mapping) and isinstance(auth := data.get("auth"), Mapping) and "auth_mode" not in auth:
        yield from _unknown_auth_keys(document, pointer + "/auth", auth)


def _is_deletion(data: Any, violation: Violation) -> bool:
    """Tell whether a violation is about a null, which deletes an inherited value and so fits everywhere.

    Lists are not merged, so that a null inside of one deletes nothing.
    """
    for part in violation.pointer.split("/")[1:]:
        if isinstance(data, list):
            return False
        data = data.get(part.replace("~1", "/").replace("~0", "~"))
    return data is None


def _unknown_auth_keys(document: Document, pointer: str, auth: Mapping[str, Any]) -> Iterator[Problem]:
    known = {key for mode in _modes() for key in mode["properties"]}
    for key in auth:
        if key not in known and not key.startswith("x-"):
            at = pointer + pointer_to(key)
            yield Problem(
                location=document.locate_key(at),
                code="schema.unknown_key",
                message=f"unknown key {key!r}.",
                hint=did_you_mean(key, known),
                pointer=at,
            )


def _modes() -> Iterator[dict[str, Any]]:
    return (load_schema(name) for name in _names() if name.startswith("auth/"))


def _locate(document: Document, violation: Violation, pointer: str = "") -> Location:
    at = pointer + violation.pointer
    return document.locate_key(at) if violation.at_key else document.locate(at)


_CODES = {"additionalProperties": "unknown_key", "unevaluatedProperties": "unknown_key"}


def _problem(violation: Violation, location: Location) -> Problem:
    return Problem(
        location=location,
        code=f"schema.{_CODES.get(violation.keyword, violation.keyword)}",
        message=violation.message,
        hint=violation.hint,
        pointer=violation.pointer,
    )
