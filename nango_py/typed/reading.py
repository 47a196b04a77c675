"""A JSON Schema (draft 2020-12) is read as shapes; what they cannot say becomes a note, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nango_py.json_schema import resolve
from nango_py.typed.merging import merged
from nango_py.typed.names import class_name
from nango_py.typed.shape import (
    ANYTHING,
    NEVER,
    NULL,
    Definition,
    Field,
    ListOf,
    Lit,
    Mapped,
    Named,
    Record,
    Shape,
    TupleOf,
    kinds_of,
    union,
    within,
)

if TYPE_CHECKING:
    from nango_py.typed.names import Names

__all__ = ["Read", "Reader", "beyond", "has_alternatives"]

_TEXTS = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "contentMediaType",
        "default",
        "definitions",
        "deprecated",
        "description",
        "example",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
_SAID = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "items",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "properties",
        "required",
        "type",
    }
)
"""Keywords that are read as types, or get a note of their own."""
_JOINING = frozenset({"$ref", "allOf"})
_IMPOSSIBLE: Mapping[str, Any] = {"enum": []}
_OBJECT = frozenset({"additionalProperties", "patternProperties", "properties", "required"})
_SCALARS = {"boolean": Named("bool"), "integer": Named("int"), "null": NULL, "number": Named("float")}
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", dict: "object"}
_LONGEST_NOTE = 100
_DEEPEST = 30


class Read(NamedTuple):
    """A shape, and what its schema says beyond it."""

    shape: Shape
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reserved:
    """The name that a definition gets when it becomes a type of its own."""

    name: str


class Reader:
    """Read schemas of one document; the definitions that they need gather in ``definitions``, in order."""

    def __init__(self, root: Mapping[str, Any], names: Names, prefix: str, *, is_input: bool) -> None:
        self.definitions: list[Record | Definition] = []
        self._root = root
        self._names = names
        self._prefix = prefix
        self._is_input = is_input
        self._known: dict[frozenset[int], Read] = {}
        self._kept: list[Mapping[str, Any]] = []
        self._used: set[str] = set()
        self._depth = 0

    def root(self) -> Read:
        """Return the shape of the whole document."""
        return self.read({"$ref": "#"}, self._prefix)

    def fields(self, schema: Mapping[str, Any]) -> tuple[tuple[Field, ...], tuple[str, ...]]:
        """Return the properties of an object's schema, and what else it says."""
        return self._fields(schema, self._prefix)

    def flat(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """Return a schema without ``$ref`` and ``allOf`` at its top, and what was lost by it."""
        parts = self._parts(schema)
        if len(parts) == 1:
            return parts[0], ()
        whole, left = merged(parts)
        return {word: value for word, value in whole.items() if word not in _JOINING}, tuple(
            _note(word, value) for word, value in left if word not in _JOINING
        )

    def _parts(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the schemas that ``$ref`` and ``allOf`` bring together, each once, without those that only join."""
        found: list[Mapping[str, Any]] = []
        waiting: list[Any] = [schema]
        seen = set[int]()
        while waiting:
            part = waiting.pop(0)
            part = _IMPOSSIBLE if part is False else part
            if not isinstance(part, Mapping) or id(part) in seen:
                continue
            seen.add(id(part))
            if set(part) - _TEXTS - _JOINING:
                found.append(part)
            inner = [resolve(self._root, part["$ref"])] if "$ref" in part else []
            waiting = [*inner, *part.get("allOf", ()), *waiting]
        return found or [{}]

    def read(self, schema: Any, hint: str, reserved: _Reserved | None = None) -> Read:
        """Return the shape of a schema; *hint* becomes the name of an object that has none."""
        if isinstance(schema, bool):
            return Read(ANYTHING if schema else NEVER)
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                return Read(ANYTHING, ("schemas nested more deeply than types should be",))
            return self._read(schema, hint, reserved)
        finally:
            self._depth -= 1

    def _read(self, schema: Mapping[str, Any], hint: str, reserved: _Reserved | None) -> Read:
        if _JOINING & set(schema):
            return self._shared(schema, self._hint_of(schema, hint))
        for word in ("anyOf", "oneOf"):
            if branches := _branches(schema, word):
                return self._alternatives(schema, word, branches, hint)
        read = self._by_type(schema, hint, reserved)
        return Read(read.shape, (*read.notes, *beyond(schema)))

    def _hint_of(self, schema: Mapping[str, Any], hint: str) -> str:
        if set(schema) - _TEXTS - {"$ref"}:
            return hint
        last = schema["$ref"].rpartition("/")[2].lstrip("#")
        return class_name(self._prefix, last) if last else self._prefix

    def _shared(self, schema: Mapping[str, Any], hint: str) -> Read:
        """Return the shape of what may be referred to again, also from within itself."""
        parts = self._parts(schema)
        self._kept += parts
        key = frozenset(map(id, parts))
        if (known := self._known.get(key)) is not None:
            self._used |= {shape.name for shape in within(known.shape) if isinstance(shape, Named)}
            return known
        name = self._names.unique(hint)
        self._known[key] = Read(Named(name))
        whole, lost = self.flat(schema)
        read = self.read(whole, hint, _Reserved(name))
        read = Read(read.shape, (*lost, *read.notes))
        if read.shape != Named(name) and name in self._used:
            self.definitions.append(Definition(name=name, shape=read.shape))
            read = Read(Named(name), read.notes)
        elif read.shape != Named(name):
            self._names.release(name)
        self._known[key] = read
        return read

    def _alternatives(self, schema: Mapping[str, Any], word: str, branches: list[Any], hint: str) -> Read:
        base = {key: value for key, value in schema.items() if key != word}
        has_base = bool(set(base) - _TEXTS)
        reads = []
        for number, branch in enumerate(branches, 1):
            whole = {"allOf": [base, branch]} if has_base else branch
            reads.append(self.read(whole, f"{hint}{self._branch_name(branch, number)}"))
        notes = [note for read in reads for note in read.notes]
        if word == "oneOf" and _overlap([read.shape for read in reads]):
            notes.append("oneOf: exactly one of the forms")
        return Read(union(read.shape for read in reads), tuple(dict.fromkeys(notes)))

    @staticmethod
    def _branch_name(branch: Any, number: int) -> str:
        title = class_name(str(branch.get("title", ""))) if isinstance(branch, Mapping) and "title" in branch else ""
        return title or str(number)

    def _by_type(self, schema: Mapping[str, Any], hint: str, reserved: _Reserved | None) -> Read:
        kinds = schema.get("type")
        if "const" in schema or "enum" in schema:
            return _constants(schema)
        if kinds is None:
            kind = "object" if _OBJECT & set(schema) else "array" if {"items", "prefixItems"} & set(schema) else None
            if kind is None:
                return Read(ANYTHING)
            read = self._of_kind(kind, schema, hint, reserved)
            return Read(read.shape, (f"no type, taken for {kind}", *read.notes))
        reads = [
            self._of_kind(kind, schema, hint, reserved) for kind in ([kinds] if isinstance(kinds, str) else kinds)
        ]
        return Read(union(read.shape for read in reads), tuple(note for read in reads for note in read.notes))

    def _of_kind(self, kind: str, schema: Mapping[str, Any], hint: str, reserved: _Reserved | None) -> Read:
        match kind:
            case "string" if schema.get("format") == "binary":
                return Read(Named("File" if self._is_input else "bytes"))
            case "string":
                return Read(Named("str"))
            case "array":
                return self._array(schema, hint)
            case "object":
                return self._object(schema, hint, reserved)
        return Read(_SCALARS[kind])

    def _array(self, schema: Mapping[str, Any], hint: str) -> Read:
        first, rest = schema.get("prefixItems", ()), schema.get("items", True)
        reads = [self.read(item, f"{hint}{number}") for number, item in enumerate(first, 1)]
        is_exact = rest is False or schema.get("maxItems") == len(first)
        if first and is_exact and schema.get("minItems", 0) >= len(first):
            shapes = tuple(read.shape for read in reads)
            return Read(NEVER if NEVER in shapes else TupleOf(shapes), _inside("item", reads))
        if first:
            more = [self.read(rest, f"{hint}Item")]
            notes = (_note("prefixItems", first), *_inside("item", [*reads, *more]))
            return Read(ListOf(union(read.shape for read in (*reads, *more))), notes)
        read = self.read(rest, f"{hint}Item")
        return Read(ListOf(read.shape), _inside("item", [read]))

    def _object(self, schema: Mapping[str, Any], hint: str, reserved: _Reserved | None) -> Read:
        if schema.get("properties") or schema.get("required") or schema.get("additionalProperties") is False:
            return self._record(schema, hint, reserved)
        patterns = schema.get("patternProperties", {})
        others = schema.get("additionalProperties", True)
        reads = [self.read(inner, f"{hint}Value") for inner in (*patterns.values(), *([others] if others else []))]
        notes = [_note("patternProperties", list(patterns))] if patterns else []
        return Read(Mapped(union(read.shape for read in reads)), (*notes, *_inside("value", reads)))

    def _record(self, schema: Mapping[str, Any], hint: str, reserved: _Reserved | None) -> Read:
        name = reserved.name if reserved is not None else self._names.unique(hint)
        self._used.add(name)
        place = len(self.definitions)
        fields, notes = self._fields(schema, hint)
        record = Record(
            name=name,
            fields=fields,
            is_open=schema.get("additionalProperties", True) is not False,
            description=str(schema.get("description", "")),
            notes=notes,
        )
        self.definitions.insert(place, record)
        return Read(Named(name))

    def _fields(self, schema: Mapping[str, Any], hint: str) -> tuple[tuple[Field, ...], tuple[str, ...]]:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        others = schema.get("additionalProperties", True)
        fields, notes = [], []
        for name in dict.fromkeys([*properties, *required]):
            inner = properties.get(name, others)
            if inner is False:
                notes.append(f"never: {name}")
                continue
            read = self.read(inner, class_name(hint, name))
            text = inner.get("description", "") if isinstance(inner, Mapping) else ""
            fields.append(
                Field(
                    name=name,
                    shape=read.shape,
                    is_required=name in required,
                    description=str(text),
                    notes=read.notes,
                )
            )
        if isinstance(others, Mapping) and others:
            notes.append(_note("additionalProperties", others))
        if patterns := schema.get("patternProperties"):
            notes.append(_note("patternProperties", patterns))
        return tuple(fields), tuple(notes)


def has_alternatives(schema: Mapping[str, Any]) -> bool:
    """Tell whether a value may have one of several forms, or is one of some constants."""
    return bool(_branches(schema, "anyOf") or _branches(schema, "oneOf") or {"const", "enum"} & set(schema))


def _branches(schema: Mapping[str, Any], word: str) -> list[Any]:
    """Return the alternatives that are types; those that only say which properties come together are notes."""
    branches = schema.get(word, ())
    shaping = _SAID - {"required"}
    if any(not isinstance(branch, Mapping) or shaping & set(branch) for branch in branches):
        return list(branches)
    return []


def _overlap(shapes: list[Shape]) -> bool:
    kinds = [kinds_of(shape) for shape in shapes]
    return any(one & other for number, one in enumerate(kinds) for other in kinds[number + 1 :])


def _constants(schema: Mapping[str, Any]) -> Read:
    values = [schema["const"]] if "const" in schema else list(schema["enum"])
    if "const" in schema and "enum" in schema:
        values = [value for value in values if value in schema["enum"]]
    kinds = schema.get("type")
    if kinds is not None:
        allowed = {kinds} if isinstance(kinds, str) else set(kinds)
        values = [value for value in values if _kinds(value) & allowed]
    if not values:
        return Read(NEVER)
    if all(value is None or isinstance(value, str | int) for value in values):
        return Read(union([Lit(tuple(values))]))
    return Read(union(map(_type_of, values)), (_note("enum", values),))


def _kinds(value: Any) -> set[str]:
    kind = "array" if isinstance(value, list) else _JSON_TYPES[type(value)]
    whole = isinstance(value, float) and value.is_integer()
    return {"integer", "number"} if kind == "integer" or whole else {kind}


def _type_of(value: Any) -> Shape:
    if isinstance(value, list):
        return ListOf(ANYTHING)
    if isinstance(value, dict):
        return Mapped(ANYTHING)
    return NULL if value is None else Named(type(value).__name__)


def beyond(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a schema says that no type can, but for what has been read already."""
    notes = [_note(word, value) for word, value in schema.items() if _is_beyond(word, value)]
    unread = [word for word in ("anyOf", "oneOf") if word in schema and not _branches(schema, word)]
    return (*notes, *(_note(word, schema[word]) for word in unread))


def _is_beyond(word: str, value: Any) -> bool:
    if word in _TEXTS | _SAID or word.startswith("x-"):
        return False
    return (word, value) != ("format", "binary")


def _note(word: str, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{word} {text if len(text) <= _LONGEST_NOTE else text[:_LONGEST_NOTE] + '...'}"


def _inside(what: str, reads: Iterable[Read]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{what}: {note}" for read in reads for note in read.notes))
