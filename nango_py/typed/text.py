"""Shapes and words as Python text, laid out as a formatter would at 88 columns."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from nango_py.typed.shape import NULL, ListOf, Lit, Mapped, Named, OneOf, TupleOf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.typed.shape import Shape

__all__ = ["TAB", "WIDTH", "comment", "docstring", "flat", "is_nullable", "quoted", "said", "spelled"]

WIDTH = 88
TAB = "    "
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def quoted(text: str) -> str:
    """Return a text as a Python literal, in double quotes where that needs no escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in text and "\\'" not in literal else literal


def spelled(shape: Shape, *, used: int, level: int) -> str:
    """Return a type as an annotation that begins after *used* columns, at *level* of indentation."""
    line = flat(shape)
    if used + len(line) <= WIDTH:
        return line
    match shape:
        case OneOf(members):
            return _broken("Union", (_part(member, level) for member in members), level)
        case Lit(values) if len(values) > 1:
            return _broken("Literal", map(_literal, values), level)
        case TupleOf(items):
            return _broken("tuple", (_part(item, level) for item in items), level)
        case ListOf(item):
            return f"list[\n{TAB * (level + 1)}{_part(item, level)}\n{TAB * level}]"
        case Mapped(value):
            return _broken("dict", ("str", _part(value, level)), level)
    return line


def _part(shape: Shape, level: int) -> str:
    return spelled(shape, used=len(TAB) * (level + 1) + 1, level=level + 1)


def _broken(name: str, parts: Iterable[str], level: int) -> str:
    lines = "".join(f"{TAB * (level + 1)}{part},\n" for part in parts)
    return f"{name}[\n{lines}{TAB * level}]"


def flat(shape: Shape) -> str:
    """Return a type in one line."""
    match shape:
        case Named(name):
            return name
        case Lit(values):
            return f"Literal[{', '.join(map(_literal, values))}]" if values != (None,) else "None"
        case ListOf(item):
            return f"list[{flat(item)}]"
        case TupleOf(items):
            return f"tuple[{', '.join(map(flat, items))}]"
        case Mapped(value):
            return f"dict[str, {flat(value)}]"
        case OneOf(members):
            return " | ".join(flat(member) for member in members)


def _literal(value: str | int | bool | None) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def said(description: str, notes: Iterable[str]) -> str:
    """Return a description with what the type does not say."""
    beyond = "; ".join(notes)
    text = " ".join(_CONTROL.sub(" ", description).split())
    if not beyond:
        return text
    text = text if not text or text[-1] in ".!?" else f"{text}."
    return f"{text} Not in the type: {_CONTROL.sub(' ', beyond)}.".strip()


def docstring(paragraphs: Iterable[str], level: int, listed: Iterable[tuple[str, str]] = ()) -> str:
    """Return a docstring of *paragraphs* and of a list of arguments, indented."""
    pad = TAB * level
    blocks = [_wrapped(text, pad) for text in paragraphs if text]
    items = [_filled(f"{name}: {text}", pad + TAB, pad + TAB * 2) for name, text in listed]
    if items:
        blocks.append("\n".join([f"{pad}Args:", *items]))
    text = _escaped("\n\n".join(blocks).strip())
    if not text:
        return ""
    if "\n" not in text and len(pad) + len(text) + 6 <= WIDTH and text[-1] != '"':
        return f'{pad}"""{text}"""\n'
    return f'{pad}"""{text}\n{pad}"""\n'


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _wrapped(text: str, pad: str) -> str:
    return _filled(text, pad, pad)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def comment(text: str, level: int) -> str:
    """Return a text as lines of comments."""
    pad = f"{TAB * level}# "
    return f"{_wrapped(text, pad)}\n" if text else ""


def is_nullable(shape: Shape) -> bool:
    """Tell whether null is among what a shape admits."""
    return shape == NULL or (isinstance(shape, OneOf) and NULL in shape.members)
