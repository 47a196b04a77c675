"""How objects are written down: as ``TypedDict``, or as models of pydantic or msgspec."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nango_py.typed.names import TYPE_NAMES, Names, snake_name
from nango_py.typed.shape import (
    ANYTHING,
    NEVER,
    Definition,
    ListOf,
    Lit,
    Mapped,
    Named,
    OneOf,
    TupleOf,
    kinds_of,
    union,
    within,
)
from nango_py.typed.text import TAB, WIDTH, comment, docstring, flat, is_nullable, quoted, said, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.typed.shape import Field, Record, Shape

__all__ = ["STYLES", "Style", "write_definition"]


class Style(Protocol):
    """One way to write types down."""

    def fitted(self, shape: Shape) -> tuple[Shape, tuple[str, ...]]:
        """Return the shape with what the style cannot express replaced, and notes of it."""

    def write(self, definition: Record | Definition) -> str:
        """Return the text of a definition."""

    def adapter(self, name: str, shape: Shape) -> str:
        """Return the line that makes the converter *name* of outputs; empty when none is needed."""

    def inline(self, shape: Shape) -> str:
        """Return what stands for the converter where none has to be made; empty when outputs are not converted."""

    def converted(self, adapter: str, value: str) -> str:
        """Return the expression that turns the output *value* into the promised type."""


def write_definition(style: Style, definition: Record | Definition) -> str:
    """Return the text of a definition, with notes on what the style cannot express."""
    if isinstance(definition, Definition):
        return style.write(replace(definition, shape=style.fitted(definition.shape)[0]))
    pairs = [(field, *style.fitted(field.shape)) for field in definition.fields]
    fields = tuple(replace(field, shape=shape, notes=(*field.notes, *more)) for field, shape, more in pairs)
    return style.write(replace(definition, fields=fields))


@dataclass(frozen=True, slots=True)
class TypedDicts:
    """Plain dicts whose types are known."""

    def fitted(self, shape: Shape) -> tuple[Shape, tuple[str, ...]]:
        """Return the shape: a dict's type can say everything."""
        return shape, ()

    def write(self, definition: Record | Definition) -> str:
        """Return a class, or where a key is no name the functional form."""
        if isinstance(definition, Definition):
            return _alias(definition)
        if any(not field.name for field in definition.fields):
            named = tuple(field for field in definition.fields if field.name)
            definition = replace(definition, fields=named, notes=(*definition.notes, 'the key ""'))
        if all(_is_attribute(field.name, definition) for field in definition.fields):
            return self._class(definition)
        lines = [comment(said(definition.description, definition.notes), 0)]
        lines.append(f"{definition.name} = TypedDict(\n{TAB}{quoted(definition.name)},\n{TAB}{{\n")
        for field in definition.fields:
            lines.append(comment(said(field.description, field.notes), 2))
            lines.append(f"{TAB * 2}{quoted(field.name)}: {quoted(_one_line(field))},\n")
        lines.append(f"{TAB}}},\n)\n")
        return "".join(lines)

    def _class(self, record: Record) -> str:
        lines = [f"class {record.name}(TypedDict):\n"]
        about = docstring([said(record.description, record.notes)], 1)
        body = []
        for field in record.fields:
            start = f"{TAB}{field.name}: "
            annotation = _optional(field, "NotRequired", len(start))
            body.append(f"{start}{annotation}\n{docstring([said(field.description, field.notes)], 1)}")
        if about and body:
            about += "\n"
        return "".join([*lines, about, *(body or ([] if about else [f"{TAB}pass\n"]))])

    def adapter(self, name: str, shape: Shape) -> str:
        """Return nothing: an output is what it is."""
        del name, shape
        return ""

    def inline(self, shape: Shape) -> str:
        """Return nothing: an output is what it is."""
        del shape
        return ""

    def converted(self, adapter: str, value: str) -> str:
        """Return *value* itself."""
        del adapter
        return value


def _optional(field: Field, marker: str, used: int) -> str:
    if field.is_required:
        return spelled(field.shape, used=used, level=1)
    inner = spelled(field.shape, used=used + len(marker) + 2, level=1)
    if "\n" not in inner:
        return f"{marker}[{inner}]"
    inner = spelled(field.shape, used=len(TAB) * 2 + 1, level=2)
    return f"{marker}[\n{TAB * 2}{inner}\n{TAB}]"


def _one_line(field: Field) -> str:
    line = flat(field.shape)
    return line if field.is_required else f"NotRequired[{line}]"


def _is_attribute(name: str, record: Record) -> bool:
    """Tell whether a key can stand in a class: as a name that hides no type, and that Python does not change."""
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name) or name.startswith("__"):
        return False
    return name not in _types_in(record)


def _types_in(record: Record) -> set[str]:
    names = {"NotRequired", "Literal", "Union", *TYPE_NAMES}
    return names | {
        shape.name for field in record.fields for shape in within(field.shape) if isinstance(shape, Named)
    }


def _alias(definition: Definition) -> str:
    return f"{definition.name}: TypeAlias = {quoted(flat(definition.shape))}\n"


@dataclass(frozen=True, slots=True)
class Pydantic:
    """Models of pydantic, which check and convert."""

    def fitted(self, shape: Shape) -> tuple[Shape, tuple[str, ...]]:
        """Return the shape; in a model a file is its bytes, and nothing is never."""
        return _for_models(shape), _impossible(shape)

    def write(self, definition: Record | Definition) -> str:
        """Return a model, or a name that pydantic can follow round and round."""
        if isinstance(definition, Definition):
            name, line = quoted(definition.name), quoted(flat(definition.shape))
            return f"{definition.name} = TypeAliasType(\n{TAB}{name},\n{TAB}{line},\n)\n"
        extra = "allow" if definition.is_open else "forbid"
        about = docstring([said(definition.description, definition.notes)], 1)
        config = (
            f"{TAB}model_config = ConfigDict(\n{TAB * 2}extra={quoted(extra)},\n{TAB * 2}validate_by_name=True,\n"
            f"{TAB * 2}validate_by_alias=True,\n{TAB * 2}serialize_by_alias=True,\n"
            f"{TAB * 2}protected_namespaces=(),\n{TAB})\n"
        )
        names = Names(*_PYDANTIC_NAMES, *_types_in(definition))
        body = [self._field(field, names.unique(_attribute(field.name))) for field in definition.fields]
        head = f"class {definition.name}(BaseModel):\n"
        return "".join([head, f"{about}\n" if about else "", config, *(["\n"] if body else []), *body])

    def _field(self, field: Field, name: str) -> str:
        start = f"{TAB}{name}: "
        shape = field.shape if field.is_required or is_nullable(field.shape) else union((field.shape, Named("None")))
        alias = quoted(field.name)
        options = [] if name == field.name else [f"validation_alias={alias}", f"serialization_alias={alias}"]
        if not field.is_required:
            options.insert(0, "default=None")
        if options == ["default=None"]:
            value = " = None"
        else:
            value = (
                f" = Field(\n{''.join(f'{TAB * 2}{option},{chr(10)}' for option in options)}{TAB})" if options else ""
            )
        annotation = spelled(shape, used=len(start) + (7 if value == " = None" else 9 if value else 0), level=1)
        return f"{start}{annotation}{value}\n{docstring([said(field.description, field.notes)], 1)}"

    def adapter(self, name: str, shape: Shape) -> str:
        """Return a TypeAdapter, which is dear to make and cheap to use."""
        inner = flat(shape)
        is_plain = isinstance(shape, Named) or (isinstance(shape, ListOf) and isinstance(shape.item, Named))
        return f"{name}{'' if is_plain else f': TypeAdapter[{inner}]'} = TypeAdapter({inner})\n"

    def inline(self, shape: Shape) -> str:
        """Return nothing: there is an adapter."""
        del shape
        return ""

    def converted(self, adapter: str, value: str) -> str:
        """Return the call of the adapter."""
        return f"{adapter}.validate_python({value})"


@dataclass(frozen=True, slots=True)
class Msgspec:
    """Structs of msgspec, which check and convert fast, and know fewer unions."""

    def fitted(self, shape: Shape) -> tuple[Shape, tuple[str, ...]]:
        """Return the shape with ``Any`` for what msgspec refuses; in a model a file is its bytes."""
        fitted, notes = _for_msgspec(_for_models(shape))
        return fitted, (*_impossible(shape), *notes)

    def write(self, definition: Record | Definition) -> str:
        """Return a Struct."""
        if isinstance(definition, Definition):
            line = flat(definition.shape)
            return (
                comment(f"Not in the type: it contains itself ({line}).", 0)
                + f'{definition.name}: TypeAlias = "Any"\n'
            )
        dropped = ("other keys, which are dropped",) if definition.is_open else ()
        about = docstring([said(definition.description, (*definition.notes, *dropped))], 1)
        bases = "msgspec.Struct, kw_only=True" + ("" if definition.is_open else ", forbid_unknown_fields=True")
        names = Names("msgspec", *_types_in(definition))
        body = [self._field(field, names.unique(_attribute(field.name))) for field in definition.fields]
        head = f"class {definition.name}({bases}):\n"
        if len(head) > WIDTH + 1:
            head = f"class {definition.name}(\n{TAB}{bases}\n):\n"
        return "".join(
            [head, f"{about}\n" if about and body else about, *(body or ([] if about else [f"{TAB}pass\n"]))]
        )

    def _field(self, field: Field, name: str) -> str:
        start = f"{TAB}{name}: "
        shape = field.shape if field.is_required else _with(field.shape, "msgspec.UnsetType")
        options = [] if name == field.name else [f"name={quoted(field.name)}"]
        if not field.is_required:
            options.append("default=msgspec.UNSET")
        if options == ["default=msgspec.UNSET"]:
            value = " = msgspec.UNSET"
        else:
            value = f" = msgspec.field({', '.join(options)})" if options else ""
        annotation = spelled(shape, used=len(start) + len(value), level=1)
        return f"{start}{annotation}{value}\n{docstring([said(field.description, field.notes)], 1)}"

    def adapter(self, name: str, shape: Shape) -> str:
        """Return nothing: msgspec keeps what it knows of a type by itself."""
        del name, shape
        return ""

    def inline(self, shape: Shape) -> str:
        """Return the type: msgspec makes its decoder from it, once."""
        return flat(shape)

    def converted(self, adapter: str, value: str) -> str:
        """Return the conversion; *adapter* is the type."""
        return f"msgspec.convert({value}, type={adapter})"


def _impossible(shape: Shape) -> tuple[str, ...]:
    return ("nothing at all fits",) if NEVER in within(shape) else ()


def _for_models(shape: Shape) -> Shape:
    match shape:
        case Named("File"):
            return Named("bytes")
        case Named("Never"):
            return ANYTHING
        case ListOf(item):
            return ListOf(_for_models(item))
        case Mapped(value):
            return Mapped(_for_models(value))
        case TupleOf(items):
            return TupleOf(tuple(map(_for_models, items)))
        case OneOf(members):
            return union(map(_for_models, members))
    return shape


def _with(shape: Shape, name: str) -> Shape:
    members = shape.members if isinstance(shape, OneOf) else (shape,)
    return OneOf((*members, Named(name))) if shape != ANYTHING else shape


def _for_msgspec(shape: Shape) -> tuple[Shape, tuple[str, ...]]:
    """Return a shape of which msgspec can make a decoder, and notes on what it cannot tell apart."""
    match shape:
        case ListOf(item):
            inner, notes = _for_msgspec(item)
            return ListOf(inner), notes
        case Mapped(value):
            inner, notes = _for_msgspec(value)
            return Mapped(inner), notes
        case TupleOf(items):
            pairs = [_for_msgspec(item) for item in items]
            return TupleOf(tuple(inner for inner, _ in pairs)), tuple(note for _, notes in pairs for note in notes)
        case Lit(values) if any(isinstance(value, bool) for value in values):
            flag = flat(shape)
            rest = tuple(value for value in values if not isinstance(value, bool))
            return union([Named("bool"), *([Lit(rest)] if rest else [])]), (f"only {flag}",)
        case OneOf(members):
            pairs = [_for_msgspec(member) for member in members]
            kinds = [kind for inner, _ in pairs for kind in kinds_of(inner)]
            if len(kinds) != len(set(kinds)):
                return ANYTHING, (f"it is {flat(shape)}",)
            return union(inner for inner, _ in pairs), tuple(note for _, notes in pairs for note in notes)
    return shape, ()


_PYDANTIC_NAMES = (
    "BaseModel", "ConfigDict", "Field", "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj",
    "parse_raw", "schema", "schema_json", "update_forward_refs", "validate", "model_config", "model_computed_fields",
    "model_construct", "model_copy", "model_dump", "model_dump_json", "model_extra", "model_fields",
    "model_fields_set", "model_json_schema", "model_parametrized_name", "model_post_init", "model_rebuild",
    "model_validate", "model_validate_json", "model_validate_strings",
)  # fmt: skip


def _attribute(key: str) -> str:
    """Return the attribute that stands for a key; a leading underscore would make it private."""
    name = snake_name(key).lstrip("_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"field_{name}"


STYLES: Mapping[str, Style] = {"typeddict": TypedDicts(), "pydantic": Pydantic(), "msgspec": Msgspec()}
