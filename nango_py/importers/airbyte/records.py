"""Record selectors become paths, the schemas of streams become those of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.importers.airbyte.pages import items_path

if TYPE_CHECKING:
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["items_of", "schema_of"]


def items_of(selector: Part | None) -> str:
    """Return where the records stand in an answer; an empty path where they are the whole of it."""
    if selector is None:
        return ""
    extractor = selector.part("extractor")
    selector.drop("lost", "records are not filtered: every one comes along", "record_filter")
    selector.drop(
        "not_needed", "values stay what the answer has", "schema_normalization", "transform_before_filtering"
    )
    if extractor is None:
        return ""
    if extractor.kind not in {"DpathExtractor", ""}:
        extractor.forget("lost", f"{extractor.kind} has no counterpart: the whole answer comes along")
        return ""
    extractor.drop("lost", "records are not taken apart", "record_expander")
    path = extractor.take("field_path")
    if path is None:
        path = extractor.take("field_pointer") or []
    return items_path(path, extractor.parameters)


def schema_of(part: Part) -> dict[str, Any]:
    """Return the schema of a record, where the manifest holds one."""
    loader = part.part("schema_loader")
    if loader is None:
        return {}
    if loader.kind != "InlineSchemaLoader":
        loader.forget(
            "lost", f"{loader.kind or 'a schema of another file'} is not read: nothing is said of the records"
        )
        return {}
    schema = loader.take("schema")
    if not isinstance(schema, dict):
        return {}
    made = _shape(schema)
    if made != schema:
        loader.note("schema", "changed", "types and members are promised of a record, and nothing else")
    return made


def _shape(schema: Any, depth: int = 0) -> dict[str, Any]:
    """Return types and members only; every other word would promise what records need not keep."""
    if not isinstance(schema, dict) or depth > 4:  # noqa: PLR2004 - deeper, anything goes
        return {}
    made: dict[str, Any] = {}
    kinds = schema.get("type")
    if isinstance(kinds, str) or (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)):
        made["type"] = kinds
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: _shape(one, depth + 1) for name, one in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        made["items"] = _shape(schema["items"], depth + 1)
    return made
