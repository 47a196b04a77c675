"""A field, or an input, whose default is none of its own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_DATA = frozenset({"const", "default", "enum", "examples"})
"""Words of a schema whose values are data, and no schemas."""


def _find(subject: Subject) -> Iterator[Finding]:
    for one in subject.fields():
        default, words = one.field.default, one.field.enum
        if default and words and default not in words:
            yield _finding(one.pointer("default"), default)
    for name, keys, _ in subject.actions():
        yield from _in_schema(keys.get("input"), pointer_to("actions", name, "input"))


def _in_schema(schema: Any, pointer: str) -> Iterator[Finding]:
    if isinstance(schema, Mapping):
        words = schema.get("enum")
        if isinstance(words, list) and "default" in schema and not _is_among(schema["default"], words):
            yield _finding(f"{pointer}/default", schema["default"])
        for name, inner in schema.items():
            if name not in _DATA:
                yield from _in_schema(inner, pointer + pointer_to(name))
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from _in_schema(inner, f"{pointer}/{index}")


def _is_among(value: Any, words: list[Any]) -> bool:
    """Tell whether a value is one of the words; to Python, though not to JSON, true is 1."""
    return any(word == value and isinstance(word, bool) == isinstance(value, bool) for word in words)


def _finding(pointer: str, default: Any) -> Finding:
    return Finding(pointer=pointer, message=f"the default {default!r} is none of the words in `enum`.")


RULE = Rule(
    id="default-outside-enum",
    reason="The default is used unchecked, and would be refused if anyone typed it.",
    fix="Add it to `enum`, or take another default.",
    find=_find,
    severity="error",
)
