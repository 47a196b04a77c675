"""Tell quickly whether a value keeps a JSON Schema of everyday words.

jsonschema takes some 100 us for ten fields, mostly for keeping books on errors that there are not. Most values keep
their schema, and most schemas use few words: those become functions, once, which say yes or no as jsonschema would.
What breaks its schema is described by jsonschema, as are values of any schema with another word in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from nango_py.files import is_file

__all__ = ["Check", "quick_check"]

Check: TypeAlias = Callable[[Any], bool]

_NOTES = frozenset(
    {"$comment", "$defs", "$id", "$schema", "default", "deprecated", "description", "else", "example", "examples",
     "format", "readOnly", "then", "title", "writeOnly"}
)  # fmt: skip
_PREFIX = re.compile(r"\^[A-Za-z0-9_-]+")


def quick_check(schema: Any, *, takes_files: bool = False, resolver: Any = None) -> Check | None:
    """Return what tells whether a value keeps *schema*, None where its words are beyond this module.

    *resolver*, like one of the package referencing, finds what a ``$ref`` leads to; without it that word is beyond.
    """
    try:
        return _check(schema, _How(takes_files, resolver, {}))
    except _Beyond:
        return None


class _Beyond(Exception):  # noqa: N818 - no error, a way out
    """A word is none of those known here."""


class _How(NamedTuple):
    """What every part of one schema shares: how texts are taken, where references lead, and what was made of them."""

    takes_files: bool
    resolver: Any
    made: dict[int, Check]


def _check(schema: Any, how: _How) -> Check:
    if schema is True:
        return _always
    if not isinstance(schema, Mapping):
        raise _Beyond
    checks = tuple(_checks(schema, how))
    if len(checks) == 1:
        return checks[0]
    return _every(checks) if checks else _always


def _checks(schema: Mapping[str, Any], how: _How) -> Iterator[Check]:
    for word, written in schema.items():
        if word == "type":
            yield _type(written, is_binary=how.takes_files and schema.get("format") == "binary")
        elif word in _MAKERS:
            yield _MAKERS[word](written)
        elif word == "items":
            yield _items(_check(written, how))
        elif word in _DECIDE:
            yield _branches([_check(branch, how) for branch in written], _DECIDE[word])
        elif word == "if":
            yield _choice(*(_check(schema.get(part, True), how) for part in ("if", "then", "else")))
        elif word == "$ref":
            yield _reference(written, how)
        elif word not in _NOTES and word not in _OBJECT and not word.startswith("x-"):
            raise _Beyond
    if schema.keys() & _OBJECT:
        yield _object(schema, how)


def _reference(written: str, how: _How) -> Check:
    """Return what checks by the schema that a reference leads to: of the modes that a file may name, few are met."""
    if how.resolver is None:
        raise _Beyond
    found: list[Check] = []

    def check(value: Any) -> bool:
        if not found:
            found.append(_referred(written, how))
        return found[0](value)

    return check


def _referred(written: str, how: _How) -> Check:
    target = how.resolver.lookup(written)
    key = id(target.contents)
    if key not in how.made:
        try:
            how.made[key] = _check(target.contents, how._replace(resolver=target.resolver))
        except _Beyond:
            how.made[key] = _never
    return how.made[key]


def _choice(condition: Check, then: Check, otherwise: Check) -> Check:
    return lambda value: then(value) if condition(value) else otherwise(value)


def _never(_value: Any) -> bool:
    """Leave the answer to jsonschema, which knows every word."""
    return False


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


def _const(option: Any) -> Check:
    return _enum([option])


_MAKERS: dict[str, Callable[[Any], Check]] = {
    "const": _const,
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
_OBJECT = frozenset({"additionalProperties", "patternProperties", "properties", "propertyNames", "required"})
_DECIDE: dict[str, Callable[[Any], bool]] = {"allOf": all, "anyOf": any}


def _items(check: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _object(words: Mapping[str, Any], how: _How) -> Check:
    required = tuple(words.get("required", ()))
    known = {name: _check(inner, how) for name, inner in words.get("properties", {}).items()}
    by_pattern = tuple(
        (_finder(pattern), _check(inner, how)) for pattern, inner in words.get("patternProperties", {}).items()
    )
    others = words.get("additionalProperties", True)
    of_others = None if others is False else _check(others, how)
    of_names = _check(words["propertyNames"], how) if "propertyNames" in words else _always

    def keeps(name: Any, item: Any) -> bool:
        checks = [known[name]] if name in known else []
        checks += [check for finds, check in by_pattern if finds(name)]
        if not checks and of_others is not None:
            checks.append(of_others)
        return bool(checks) and of_names(name) and all(check(item) for check in checks)

    def keeps_plainly(name: str, item: Any) -> bool:
        of_item = known.get(name, of_others)
        return of_item is not None and of_item(item)

    is_plain = not by_pattern and of_names is _always
    of_member = keeps_plainly if is_plain else keeps

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name in required:
            if name not in value:
                return False
        return all(of_member(name, item) for name, item in value.items())

    return check


def _finder(pattern: str) -> Check:
    if _PREFIX.fullmatch(pattern):
        prefix = pattern[1:]
        return lambda name: isinstance(name, str) and name.startswith(prefix)
    search = re.compile(pattern).search
    return lambda name: isinstance(name, str) and search(name) is not None
