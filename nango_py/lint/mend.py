"""Mend a YAML text where it stands: comments and layout stay, and an edit that would do anything else is left out."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from nango_py.document import scalar
from nango_py.yaml_text import parse, spans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.yaml_text import Span

__all__ = ["AddMember", "Edit", "RemoveMember", "RenameKey", "SetValue", "mended"]

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*")


@dataclass(frozen=True, slots=True)
class SetValue:
    """Write another text at *pointer*."""

    pointer: str
    value: str


@dataclass(frozen=True, slots=True)
class RenameKey:
    """Give the member at *pointer* another *key*."""

    pointer: str
    key: str


@dataclass(frozen=True, slots=True)
class AddMember:
    """Add a member to the mapping at *pointer*."""

    pointer: str
    key: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Remove the member at *pointer*."""

    pointer: str


Edit: TypeAlias = SetValue | RenameKey | AddMember | RemoveMember


class _CannotError(Exception):
    """The text has a form in which this edit is left to its author."""


def mended(text: str, edits: Iterable[Edit]) -> tuple[str, list[Edit]]:
    """Return a sound *text* with the *edits* made, and those of them that were."""
    made = []
    newline = "\r\n" if "\r\n" in text else "\n"
    order_mark = text[: text.startswith("\ufeff")]  # YAML counts its characters from behind it
    text = text.removeprefix(order_mark)
    for edit in edits:
        try:
            after = _edited(text, edit, newline)
        except (_CannotError, LookupError):
            continue
        if _says(after, edit, text):
            text = after
            made.append(edit)
    return order_mark + text, made


def _says(after: str, edit: Edit, before: str) -> bool:
    """Tell whether a text says what it said *before*, but for the edit."""
    found = parse(after, "")
    expected = _applied(parse(before, "").data, edit)
    return not found.problems and bool(found.data == expected)


def _edited(text: str, edit: Edit, newline: str) -> str:
    places = spans(text)
    at = places[edit.pointer]
    match edit:
        case SetValue(value=value) if text[at.value[0]] not in "&!":  # an anchor or a tag of its author's
            return _replaced(text, at.value, _written(value, text[at.value[0]]))
        case RenameKey(key=key) if at.key is not None:
            return _replaced(text, at.key, key)
        case AddMember(key=key, value=value):
            word = json.dumps(value) if isinstance(value, bool) else _written(value, "")
            return _with_member(text, at, f"{key}: {word}", _members(places, edit.pointer), newline)
        case RemoveMember() if at.key is not None and not at.is_block:
            parent = edit.pointer.rpartition("/")[0]
            if len(_members(places, parent)) > 1:
                return _without(text, (at.key[0], at.value[1]), is_flow=places[parent].is_flow)
    raise _CannotError


def _members(places: dict[str, Span], pointer: str) -> list[Span]:
    """Return the members of the mapping at *pointer*, in their order."""
    depth = pointer.count("/") + 1
    return [span for at, span in places.items() if at.startswith(pointer + "/") and at.count("/") == depth]


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _written(value: str, opening: str) -> str:
    """Return a text as YAML, in the manner of what begins with *opening*."""
    if opening == "'":
        return "'" + value.replace("'", "''") + "'"
    if opening != '"' and _PLAIN.fullmatch(value) and isinstance(scalar(value), str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _with_member(text: str, mapping: Span, member: str, members: list[Span], newline: str) -> str:
    if mapping.is_flow:
        separator = ", " if members else ""
        at = members[-1].value[1] if members else mapping.value[0] + 1
        return f"{text[:at]}{separator}{member}{text[at:]}"
    if members[-1].key is None or members[0].key is None:
        raise _CannotError
    start = text.rfind("\n", 0, members[-1].key[0]) + 1
    indent = text[start : members[-1].key[0]]
    if members[-1].is_block or indent.strip():
        # The end of a block is where the next thing begins, comments and all: before the first member it is safe.
        at = members[0].key[0]
        column = at - text.rfind("\n", 0, at) - 1
        return f"{text[:at]}{member}{newline}{' ' * column}{text[at:]}"
    end = text.find("\n", members[-1].value[1])
    return (
        f"{text}{newline}{indent}{member}"
        if end < 0
        else f"{text[: end + 1]}{indent}{member}{newline}{text[end + 1 :]}"
    )


def _without(text: str, span: tuple[int, int], *, is_flow: bool) -> str:
    start, end = span
    if is_flow:
        if after := re.match(r"\s*,[ \t]*", text[end:]):
            return text[:start] + text[end + after.end() :]
        before = re.search(r",\s*$", text[:start])
        if before is None:
            raise _CannotError
        return text[: before.start()] + text[end:]
    line, following = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    rest = text[end:] if following < 0 else text[end:following]
    if text[line:start].strip() or re.match(r"[ \t]*(#|$)", rest) is None:
        raise _CannotError
    return text[:line] + ("" if following < 0 else text[following + 1 :])


def _applied(data: Any, edit: Edit) -> Any:
    """Return plain data with the edit made."""
    copied = deepcopy(data)
    parts = [part.replace("~1", "/").replace("~0", "~") for part in edit.pointer.split("/")[1:]]
    if isinstance(edit, AddMember):
        _below(copied, parts)[edit.key] = edit.value
        return copied
    parent, last = _below(copied, parts[:-1]), parts[-1]
    key: Any = int(last) if isinstance(parent, list) else last
    match edit:
        case SetValue(value=value):
            parent[key] = value
        case RenameKey(key=renamed):
            parent[renamed] = parent.pop(key)
        case RemoveMember():
            del parent[key]
    return copied


def _below(data: Any, parts: list[str]) -> Any:
    for part in parts:
        data = data[int(part) if isinstance(data, list) else part]
    return data
