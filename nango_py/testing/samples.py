"""Make up inputs that a JSON Schema admits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.json_schema import Schema

__all__ = ["sample_of"]

_TEXTS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:00:00Z",
    "email": "ann@example.com",
    "uri": "https://example.com/",
    "uuid": "7f7b5e7e-8e0b-4c39-9d2f-5a4d5b0c2a11",
}


def sample_of(schema: Schema | None) -> dict[str, Any] | None:
    """Return an input that fits, with as few members as may be; None where none could be made up."""
    if schema is None:
        return {}
    for candidate in _candidates(schema.document):
        if next(iter(schema.violations(candidate)), None) is None:
            return candidate
    return None


def _candidates(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    properties, required = document.get("properties", {}), document.get("required", ())
    yield {name: _value(properties.get(name, {})) for name in required}
    rest = [name for name in properties if name not in required]
    # An input may want one of several members, or a number of them.
    for count in range(1, len(rest) + 1):
        yield {name: _value(properties.get(name, {})) for name in (*required, *rest[:count])}
    for name in rest[1:]:
        yield {one: _value(properties.get(one, {})) for one in (*required, name)}


def _value(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return "sample"
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _value({**schema, key: None, **schema[key][0]})
    kinds = schema.get("type", "string")
    return _of_kind(kinds if isinstance(kinds, str) else kinds[0], schema)


def _of_kind(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _value(properties.get(name, {})) for name in schema.get("required", ())}
    if kind == "array":
        return [_value(schema.get("items", {})) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind in {"integer", "number"}:
        return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if schema.get("format") == "binary":
        return b"sample"
    text = _TEXTS.get(schema.get("format", ""), "sample")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
