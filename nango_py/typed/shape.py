"""What a JSON Schema becomes: a few kinds of types, before anybody writes them down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ANYTHING",
    "NEVER",
    "NULL",
    "Definition",
    "Field",
    "ListOf",
    "Lit",
    "Mapped",
    "Named",
    "OneOf",
    "Record",
    "Shape",
    "TupleOf",
    "kinds_of",
    "union",
    "within",
]


@dataclass(frozen=True, slots=True)
class Named:
    """A type that has a name: a builtin, an import, or a definition of the module."""

    name: str


@dataclass(frozen=True, slots=True)
class Lit:
    """One of some constants: texts, whole numbers, booleans, null."""

    values: tuple[str | int | bool | None, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of items of one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A list of exactly so many items, each of its own shape."""

    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """An object of any keys, its values of one shape."""

    value: Shape


@dataclass(frozen=True, slots=True)
class OneOf:
    """Either of some shapes."""

    members: tuple[Shape, ...]


Shape: TypeAlias = Named | Lit | ListOf | TupleOf | Mapped | OneOf

ANYTHING, NEVER, NULL = Named("Any"), Named("Never"), Named("None")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A property of an object; ``notes`` is what its schema says and its type cannot."""

    name: str
    shape: Shape
    is_required: bool
    description: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object with known properties."""

    name: str
    fields: tuple[Field, ...]
    is_open: bool = True
    description: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A name for a shape that contains itself."""

    name: str
    shape: Shape


def union(shapes: Iterable[Shape]) -> Shape:
    """Return the shape of a value that has one of *shapes*."""
    members: list[Shape] = []
    constants: list[str | int | bool | None] = []
    for shape in shapes:
        for member in shape.members if isinstance(shape, OneOf) else (shape,):
            if isinstance(member, Lit):
                constants += member.values
            elif member not in members:
                members.append(member)
    if ANYTHING in members:
        return ANYTHING
    known = {Named("str"): str, Named("int"): int, Named("bool"): bool, NULL: type(None)}
    wide = {kind for shape, kind in known.items() if shape in members}
    values = _unique(value for value in constants if type(value) not in wide)
    if values:
        members.append(Lit(values))
    members = [member for member in members if member != NEVER] or [NEVER]
    if NULL in members:
        members = [member for member in members if member != NULL] + [NULL]
    return members[0] if len(members) == 1 else OneOf(tuple(members))


def _unique(values: Iterable[str | int | bool | None]) -> tuple[str | int | bool | None, ...]:
    seen = {(type(value), value): value for value in values}
    return tuple(seen.values())


def kinds_of(shape: Shape) -> frozenset[str]:
    """Return which kinds of JSON values a shape admits."""
    match shape:
        case OneOf(members):
            return frozenset().union(*map(kinds_of, members))
        case Lit(values):
            return frozenset(_LITERAL[type(value)] for value in values)
        case ListOf() | TupleOf():
            return frozenset({"array"})
        case Mapped():
            return frozenset({"object"})
        case Named(name):
            return _NAMED.get(name, frozenset({"object"}))


_EVERY = frozenset({"array", "boolean", "null", "number", "object", "string"})
_LITERAL = {str: "string", bool: "boolean", int: "number", type(None): "null"}
_NAMED = {
    "Any": _EVERY,
    "Never": frozenset[str](),
    "None": frozenset({"null"}),
    "bool": frozenset({"boolean"}),
    "bytes": frozenset({"string"}),
    "File": frozenset({"string"}),
    "float": frozenset({"number"}),
    "int": frozenset({"number"}),
    "str": frozenset({"string"}),
}


def within(shape: Shape) -> Iterator[Shape]:
    """Yield the shape and every shape inside it."""
    yield shape
    match shape:
        case OneOf(inner) | TupleOf(inner):
            for each in inner:
                yield from within(each)
        case ListOf(item) | Mapped(item):
            yield from within(item)
