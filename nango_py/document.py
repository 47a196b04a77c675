"""Plain data that knows where every value stands. Nothing is raised: what is wrong becomes a :class:`Problem`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nango_py.location import Location, Problem

__all__ = ["MAX_DEPTH", "Document", "Mark", "pointer_to", "scalar", "wrap"]

MAX_DEPTH = 40
_MAX_DIGITS = 18

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, bool | None] = {
    "null": None, "Null": None, "NULL": None, "~": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_STARTS = frozenset("+-.0123456789")


class Mark(NamedTuple):
    """Where a key and its value begin, counted from 1."""

    key_line: int
    key_column: int
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Hold the plain *data* of one source and the place of each of its values, by JSON pointer (RFC 6901)."""

    source: str
    data: Any
    marks: Mapping[str, Mark] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()

    def locate(self, pointer: str) -> Location:
        """Return where the value at *pointer* stands, or the nearest place around it."""
        at, mark = self._nearest(pointer)
        if mark is None:
            return Location(source=self.source, pointer=pointer)
        return Location(source=self.source, line=mark.line, column=mark.column, pointer=at)

    def locate_key(self, pointer: str) -> Location:
        """Return where the key of the member at *pointer* stands."""
        at, mark = self._nearest(pointer)
        if mark is None:
            return Location(source=self.source, pointer=pointer)
        return Location(source=self.source, line=mark.key_line, column=mark.key_column, pointer=at)

    def _nearest(self, pointer: str) -> tuple[str, Mark | None]:
        at = pointer
        while at and at not in self.marks:
            at = at.rpartition("/")[0]
        return at, self.marks.get(at)


def pointer_to(*parts: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def wrap(data: Mapping[str, Any], source: str = "<mapping>") -> Document:
    """Return a document of *data* that was no file; values keep no place but their JSON pointer."""
    problems: list[Problem] = []
    copied = _copy(data, "", 0, source, problems)
    return Document(source=source, data=copied, problems=tuple(problems))


def scalar(text: str) -> Any:
    """Return what a plain scalar means in the core schema of YAML 1.2 (section 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    number = float(text) if _FLOAT.fullmatch(text) else math.nan
    return number if math.isfinite(number) else text  # 1e999 is none that anything can be counted with


def _copy(data: Any, pointer: str, depth: int, source: str, problems: list[Problem]) -> Any:
    def refuse(message: str) -> None:
        where = Location(source=source, pointer=pointer)
        problems.append(Problem(location=where, code="mapping.type", message=message, pointer=pointer))

    if depth > MAX_DEPTH:
        return refuse(f"nested deeper than {MAX_DEPTH} levels.")
    if isinstance(data, Mapping):
        copied = {}
        for key, value in data.items():
            if isinstance(key, str):
                copied[key] = _copy(value, pointer + pointer_to(key), depth + 1, source, problems)
            else:
                refuse(f"a key must be a text, not {type(key).__name__}.")
        return copied
    if isinstance(data, list | tuple):
        return [_copy(item, f"{pointer}/{n}", depth + 1, source, problems) for n, item in enumerate(data)]
    if isinstance(data, float) and not math.isfinite(data):
        return refuse("a number must be finite.")
    if data is None or isinstance(data, str | int | float | bool):
        return data
    return refuse(f"a value must be text, number, boolean, null, list or mapping, not {type(data).__name__}.")
