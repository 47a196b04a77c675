"""An action as a method: keyword arguments from its input, the type of its output, and what calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nango_py.typed.names import Names, class_name, snake_name
from nango_py.typed.reading import Reader, beyond, has_alternatives
from nango_py.typed.shape import ANYTHING, NEVER, Field, ListOf, Named, OneOf, Record
from nango_py.typed.style import write_definition
from nango_py.typed.text import TAB, docstring, flat, is_nullable, quoted, said, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.actions.signature import Signature
    from nango_py.typed.shape import Shape
    from nango_py.typed.style import Style

__all__ = ["Method", "method_of"]

_NULL = Named("None")
_OMITTED = Named("Omitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameter:
    """A keyword argument and the property that it becomes; without a ``field`` it takes all others."""

    name: str
    shape: Shape
    default: str = ""
    field: Field | None = None

    @property
    def is_stated(self) -> bool:
        """Tell whether ``None`` is a value, rather than the lack of one."""
        return self.default != "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method, ready to be written; ``definitions`` are the types that it needs."""

    signature: Signature
    name: str
    stream_name: str
    definitions: tuple[str, ...]
    parameters: tuple[_Parameter, ...]
    input: Shape | None
    """The shape of an input that is one argument."""
    output: Shape
    item: Shape
    """The shape of one item, where the output is a list of them."""
    adapter: str
    item_adapter: str
    notes: tuple[str, ...]
    style: Style

    def text(self, *, is_async: bool) -> str:
        """Return the method that runs the action."""
        output = self._output(is_async=is_async)
        call, local, answer = (
            self._call("self._trigger", is_async=is_async),
            self._local("output"),
            self._local("answer"),
        )
        before = ""
        if self.adapter:
            before = f"{TAB * 2}{answer} = {call}\n"
            call = self.style.converted(self.adapter, answer)
        start = f"{TAB * 2}{local}: "
        annotation = spelled(output, used=len(start) + len(" = ") + len(call.partition("\n")[0]), level=2)
        body = f"{before}{start}{annotation} = {call}\n{TAB * 2}return {local}\n"
        return self._head(self.name, output, is_async=is_async, is_stream=False) + body

    def stream(self, *, is_async: bool) -> str:
        """Return the method that yields the items of the action, one page in memory."""
        item, call = self._local("item"), self._call("self._stream", is_async=False)
        kind = "AsyncIterator" if is_async else "Iterator"
        value = self.style.converted(self.item_adapter, item) if self.item_adapter else item
        body = f"{TAB * 2}{'async ' if is_async else ''}for {item} in {call}:\n{TAB * 3}yield {value}\n"
        shape = Named(f"{kind}[{flat(self.item)}]")
        return self._head(self.stream_name, shape, is_async=is_async, is_stream=True) + body

    def _output(self, *, is_async: bool) -> Shape:
        return Named("AsyncDownload") if is_async and self.signature.is_download else self.output

    def _head(self, name: str, output: Shape, *, is_async: bool, is_stream: bool) -> str:
        start = f"{TAB}{'async ' if is_async else ''}def {name}("
        lines = [f"{TAB * 2}{line},\n" for line in self._arguments()]
        inside = f"\n{TAB * 2}self,\n{''.join(lines)}{TAB}" if lines else "self"
        used = len(f"{TAB}) -> :") if lines else len(f"{start}self) -> :")
        return f"{start}{inside}) -> {spelled(output, used=used, level=1)}:\n{self._about(is_stream=is_stream)}"

    def _arguments(self) -> Iterator[str]:
        if self.input is not None:
            default = " = None" if is_nullable(self.input) else ""
            yield f"{self._local('input')}: {spelled(self.input, used=24, level=2)}{default}"
        named = [parameter for parameter in self.parameters if parameter.field is not None]
        if named:
            yield "*"
        for parameter in named:
            start = f"{parameter.name}: "
            default = f" = {parameter.default}" if parameter.default else ""
            used = len(TAB) * 2 + len(start) + len(default) + 1
            yield f"{start}{spelled(parameter.shape, used=used, level=2)}{default}"
        for parameter in self.parameters:
            if parameter.field is None:
                yield f"**{parameter.name}: {spelled(parameter.shape, used=24, level=2)}"

    def _about(self, *, is_stream: bool) -> str:
        first = self.signature.description or f"Run the action {self.signature.name}."
        more = "Yields the items one by one, with one page in memory." if is_stream else ""
        listed = [
            (parameter.name, text)
            for parameter in self.parameters
            if parameter.field is not None and (text := said(parameter.field.description, parameter.field.notes))
        ]
        return docstring([said(first, ()), more, *self.notes], 2, listed)

    def _call(self, function: str, *, is_async: bool) -> str:
        fields = [(parameter, parameter.field) for parameter in self.parameters if parameter.field is not None]
        stated = [f"{quoted(field.name)}: {each.name}" for each, field in fields if each.is_stated]
        stated += [f"**{each.name}" for each in self.parameters if each.field is None]
        optional = [f"{quoted(field.name)}: {each.name}" for each, field in fields if not each.is_stated]
        given = self._local("input") if self.input is not None else _dict(stated)
        parts = [quoted(self.signature.name), given, _dict(optional)]
        inside = "".join(f"{TAB * 3}{part},\n" for part in parts)
        return f"{'await ' if is_async else ''}{function}(\n{inside}{TAB * 2})"

    def _local(self, wanted: str) -> str:
        """Return a name for a local variable that no argument has."""
        return Names(*(parameter.name for parameter in self.parameters)).unique(wanted)


def _dict(items: list[str]) -> str:
    return "{\n" + "".join(f"{TAB * 4}{item},\n" for item in items) + f"{TAB * 3}}}" if items else "{}"


def method_of(signature: Signature, *, name: str, stream_name: str, names: Names, face: str, style: Style) -> Method:
    """Return the method of an action; the types that it needs get their names from *names*."""
    prefix = class_name(face, signature.name)
    taking = Reader(signature.input, names, prefix, is_input=True)
    parameters, given, notes = _taken(signature, taking, class_name(prefix, "Others"))
    own = "Item" if signature.is_paginated else "Output"
    giving = Reader({} if signature.output is None else signature.output, names, f"{prefix}{own}", is_input=False)
    item, more = _given(signature, giving, style)
    output = ListOf(item) if signature.is_paginated else item
    constant = snake_name(f"{face}_{signature.name}")
    adapter, item_adapter, lines = _adapters(signature, (output, item), names, constant, style)
    # Names for shapes first: pyright wants them known before they are used, of classes it does not.
    found = sorted((*taking.definitions, *giving.definitions), key=lambda each: isinstance(each, Record))
    definitions = [write_definition(style, each) for each in found]
    return Method(
        signature=signature,
        name=name,
        stream_name=stream_name,
        definitions=(*definitions, *lines),
        parameters=parameters,
        input=given,
        output=output,
        item=item,
        adapter=adapter,
        item_adapter=item_adapter,
        notes=(*_told("input", notes), *_told("output", more)),
        style=style,
    )


def _told(what: str, notes: tuple[str, ...]) -> tuple[str, ...]:
    return (f"What the type of the {what} does not say: {said('; '.join(notes), ())}.",) if notes else ()


def _adapters(
    signature: Signature, shapes: tuple[Shape, Shape], names: Names, constant: str, style: Style
) -> tuple[str, str, list[str]]:
    """Return what converts an output, what converts an item, and the lines that make them."""
    output, item = shapes
    if signature.output is None or signature.is_download or item == ANYTHING:
        return "", "", []
    if inline := style.inline(output):
        return inline, style.inline(item), []
    name = names.unique(f"_{constant.upper()}")
    if not (line := style.adapter(name, output)):
        names.release(name)
        return "", "", []
    if not signature.is_paginated:
        return name, "", [line]
    item_name = names.unique(f"{name}_ITEM")
    return name, item_name, [line + style.adapter(item_name, item)]


def _taken(
    signature: Signature, reader: Reader, hint: str
) -> tuple[tuple[_Parameter, ...], Shape | None, tuple[str, ...]]:
    """Return the arguments that an input is made of, or the shape of the one that it is."""
    schema, lost = reader.flat(signature.input)
    reserved = tuple(
        Field(name=name, shape=Named("int"), is_required=False, description=str(known["description"]))
        for name, known in signature.reserved.items()
    )
    if schema.get("type", "object") not in ("object", ["object"]) or has_alternatives(schema):
        read = reader.root()
        return _parameters(reserved, None, Names("input", "self")), read.shape, read.notes
    fields, notes = reader.fields({**schema, "additionalProperties": False})
    others = schema.get("additionalProperties", not fields)
    own = Names("self")
    if not fields and others is not False:
        value = ANYTHING if others is True else reader.read(others, hint).shape
        given = OneOf((Named(f"Mapping[str, {flat(value)}]"), _NULL))
        return _parameters(reserved, None, Names("input", "self")), given, (*lost, *notes, *beyond(schema))
    more = None if others is False else ANYTHING if others is True else reader.read(others, hint).shape
    fields = tuple(field for field in fields if field.name not in signature.reserved)
    return _parameters((*fields, *reserved), more, own), None, (*lost, *notes, *beyond(schema))


def _parameters(fields: tuple[Field, ...], others: Shape | None, own: Names) -> tuple[_Parameter, ...]:
    """Return the arguments, required ones first."""
    names = {field.name: own.unique(snake_name(field.name)) for field in fields}
    found = []
    for field in sorted(fields, key=lambda each: not each.is_required):
        shape, default = field.shape, ""
        if not field.is_required and (is_nullable(shape) or shape == ANYTHING):
            shape, default = (shape if shape == ANYTHING else _or(shape, _OMITTED)), "OMITTED"
        elif not field.is_required:
            shape, default = _or(shape, _NULL), "None"
        found.append(_Parameter(name=names[field.name], shape=shape, default=default, field=field))
    if others is not None:
        found.append(_Parameter(name=own.unique("others"), shape=others))
    return tuple(found)


def _or(shape: Shape, other: Named) -> Shape:
    members = shape.members if isinstance(shape, OneOf) else (shape,)
    return OneOf((*members, other))


def _given(signature: Signature, reader: Reader, style: Style) -> tuple[Shape, tuple[str, ...]]:
    """Return the shape of the output, or of one of its items, and what it does not say."""
    if signature.is_download:
        return Named("Download"), ()
    if signature.output is None:
        return ANYTHING, ("the action promises no shape",)
    read = reader.root()
    shape, notes = style.fitted(read.shape)
    if shape == NEVER:
        # Of a method that gives nothing a checker says that it may not return; the run says what is wrong.
        return ANYTHING, (*read.notes, *notes, "no value keeps the promised schema")
    return shape, (*read.notes, *notes)
