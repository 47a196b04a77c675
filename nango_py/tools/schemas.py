"""The JSON Schemas of a tool: an action's own, made acceptable to every vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.tools.names import property_name

if TYPE_CHECKING:
    from nango_py.actions.signature import Signature

__all__ = ["TOOL_LIMIT", "WRAPPED", "input_schema", "is_wrapped", "output_schema", "wrapper_of"]

TOOL_LIMIT = 100
"""Items that a tool returns when the model names no limit: a context holds less than a program."""
WRAPPED = "input"
"""The property that holds an input whose schema is more than an object with properties."""

_ONE = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_TOP = frozenset({"$defs", "additionalProperties", "description", "properties", "required", "title", "type"})
_DROPPED = frozenset({"$comment", "$schema"})


def is_wrapped(schema: Mapping[str, Any]) -> bool:
    """Tell whether an input stands below one property: vendors want an object without alternatives at the top."""
    words = {word for word in schema if not word.startswith("x-")} - _DROPPED - {"examples", "default"}
    return schema.get("type", "object") != "object" or not words <= _TOP


def input_schema(signature: Signature) -> dict[str, Any]:
    """Return the schema of a tool's arguments.

    Files are base64 text, names of properties are spelt as vendors want them, ``x-`` keys are gone, and the reserved
    inputs of a paginated action stand beside its own.
    """
    own = signature.input
    if is_wrapped(own):
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {WRAPPED: _clean(own, f"/properties/{WRAPPED}")},
            "required": [WRAPPED],
            "additionalProperties": False,
        }
    else:
        schema = {"type": "object", "properties": {}, **_clean(own, "")}
    schema["properties"] = {**schema["properties"], **_reserved(signature)}
    return schema


def _reserved(signature: Signature) -> dict[str, Any]:
    """Return the limit of a paginated action; how it comes page by page is nothing to a model."""
    return {name: {**schema, "default": TOOL_LIMIT} for name, schema in signature.reserved.items() if name == "limit"}


def wrapper_of(signature: Signature) -> str | None:
    """Return the property that a tool's output stands below; None for an output that is an object itself.

    The protocol wants an object (MCP, until 2025-11-25).
    """
    if signature.is_paginated:
        return "items"
    return None if signature.output is not None and signature.output.get("type") == "object" else "result"


def output_schema(signature: Signature) -> dict[str, Any] | None:
    """Return the schema of what a tool returns; None where the action promises nothing, or returns a file."""
    own, name = signature.output, wrapper_of(signature)
    if own is None or signature.is_download:
        return None
    if name is None:
        return {**_clean(own, "", renames=False)}
    inside = (
        {"type": "array", "items": _clean(own, f"/properties/{name}/items", renames=False)}
        if signature.is_paginated
        else _clean(own, f"/properties/{name}", renames=False)
    )
    return {"type": "object", "properties": {name: inside}, "required": [name]}


def _clean(schema: Any, place: str, *, renames: bool = True) -> Any:
    """Return *schema* for a place of another document: references inside it follow."""
    rename = property_name if renames else str
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    cleaned: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _DROPPED or word.startswith("x-"):
            continue
        cleaned[word] = _cleaned(word, value, lambda inner: _clean(inner, place, renames=renames), rename, place)
    if cleaned.get("format") == "binary":
        del cleaned["format"]
        cleaned["contentEncoding"] = "base64"
        cleaned["description"] = f"{cleaned.get('description', '')} The file's bytes as base64 text.".strip()
    return cleaned


def _cleaned(word: str, value: Any, clean: Callable[[Any], Any], rename: Callable[[str], str], place: str) -> Any:
    if word == "$ref":
        return _moved(value, place, rename)
    if word == "required" and isinstance(value, list):
        return [rename(name) for name in value]
    if word == "dependentRequired":
        return {rename(name): [rename(other) for other in others] for name, others in value.items()}
    if word in _NAMED and isinstance(value, Mapping):
        spelt = rename if word in {"properties", "dependentSchemas"} else str
        return {spelt(name): clean(inner) for name, inner in value.items()}
    if word in {"additionalProperties", "unevaluatedProperties"} and isinstance(value, bool):
        return value
    if word in _ONE and isinstance(value, Mapping | bool):
        return clean(value)
    if word in _MANY and isinstance(value, list):
        return [clean(inner) for inner in value]
    return value


def _moved(reference: str, place: str, rename: Callable[[str], str]) -> str:
    if reference != "#" and not reference.startswith("#/"):
        return reference
    parts = [part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")] if reference[1:] else []
    for number, part in enumerate(parts[:-1]):
        if part == "properties" and (number == 0 or parts[number - 1] not in _NAMED):
            parts[number + 1] = rename(parts[number + 1])
    return f"#{place}{pointer_to(*parts)}"
