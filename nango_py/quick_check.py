"""Tell quickly whether a value keeps a JSON Schema of everyday words.

jsonschema takes some 100 us for ten fields, mostly for keeping books on errors that there are not. Most values keep
their schema, and most schemas use few words: those become functions, once, which say yes or no as jsonschema would.
What breaks its schema is described by jsonschema, as are values of any schema with another word in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from nango_py.files import is_file

__all__ = ["Check", "quick_check"]

Check: TypeAlias = Callable[[Any], bool]

_NOTES = frozenset(
    {"$comment", "$schema", "default", "deprecated", "description", "example", "examples", "format", "readOnly",
     "title", "writeOnly"}
)  # fmt: skip


def quick_check(schema: Any, *, takes_files: bool = False) -> Check | None:
    """Return what tells whether a value keeps *schema*, None where its words are beyond this module."""
    try:
        return _check(schema, takes_files)
    except _Beyond:
        return None


class _Beyond(Exception):  # noqa: N818 - no error, a way out
    """A word is none of those known here."""


def _check(schema: Any, takes_files: bool) -> Check:
    if schema is True:
        return _always
    if not isinstance(schema, Mapping):
        raise _Beyond
    checks = tuple(_checks(schema, takes_files))
    if len(checks) == 1:
        return checks[0]
    return _every(checks) if checks else _always


def _checks(schema: Mapping[str, Any], takes_files: bool) -> Iterator[Check]:
    for word, written in schema.items():
        if word == "type":
            yield _type(written, is_binary=takes_files and schema.get("format") == "binary")
        elif word in _MAKERS:
            yield _MAKERS[word](written)
        elif word == "items":
            yield _items(_check(written, takes_files))
        elif word in _DECIDE:
            yield _branches([_check(branch, takes_files) for branch in written], _DECIDE[word])
        elif word not in _NOTES and word not in _OBJECT and not word.startswith("x-"):
            raise _Beyond
    if schema.keys() & _OBJECT:
        yield _object(schema, takes_files)


def _always(_value: Any) -> bool:
    return True


def _every(checks: tuple[Check, ...]) -> Check:
    return lambda value: all(check(value) for check in checks)


def _branches(checks: list[Check], decide: Callable[[Any], bool]) -> Check:
    return lambda value: decide(check(value) for check in checks)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _type(written: Any, *, is_binary: bool) -> Check:
    names = written if isinstance(written, list) else [written]
    checks = tuple(is_file if name == "string" and is_binary else _TYPES[name] for name in names)
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _enum(options: Any) -> Check:
    if not all(isinstance(option, str | None) for option in options):
        raise _Beyond  # 1, 1.0 and true are matters of their own
    known = frozenset(options)
    return lambda value: (isinstance(value, str) or value is None) and value in known


def _pattern(pattern: Any) -> Check:
    search = re.compile(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


_MAKERS: dict[str, Callable[[Any], Check]] = {
    "enum": _enum,
    "pattern": _pattern,
    "minLength": lambda limit: lambda value: not isinstance(value, str) or len(value) >= limit,
    "maxLength": lambda limit: lambda value: not isinstance(value, str) or len(value) <= limit,
    "minimum": lambda limit: lambda value: not _is_number(value) or value >= limit,
    "maximum": lambda limit: lambda value: not _is_number(value) or value <= limit,
    "exclusiveMinimum": lambda limit: lambda value: not _is_number(value) or value > limit,
    "exclusiveMaximum": lambda limit: lambda value: not _is_number(value) or value < limit,
    "minItems": lambda limit: lambda value: not isinstance(value, list) or len(value) >= limit,
    "maxItems": lambda limit: lambda value: not isinstance(value, list) or len(value) <= limit,
    "minProperties": lambda limit: lambda value: not isinstance(value, dict) or len(value) >= limit,
    "maxProperties": lambda limit: lambda value: not isinstance(value, dict) or len(value) <= limit,
}
_OBJECT = frozenset({"additionalProperties", "properties", "required"})
_DECIDE: dict[str, Callable[[Any], bool]] = {"allOf": all, "anyOf": any}


def _items(check: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _object(words: Mapping[str, Any], takes_files: bool) -> Check:
    required = tuple(words.get("required", ()))
    known = {name: _check(inner, takes_files) for name, inner in words.get("properties", {}).items()}
    others = words.get("additionalProperties", True)
    of_others = None if others is False else _check(others, takes_files)

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name in required:
            if name not in value:
                return False
        for name, item in value.items():
            of_item = known.get(name, of_others)
            if of_item is None or not of_item(item):
                return False
        return True

    return check
