"""What callers of an action see: whether it is there, what it takes, what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.versions.change import ABSENT, Finding, Level, differing, told
from nango_py.versions.content import text_of
from nango_py.versions.schemas import Effect, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["compare_actions"]

_OF_INPUT: Mapping[Effect, tuple[Level, str]] = {
    Effect.NEW: ("SAFE", ""),
    Effect.GONE: ("BREAKING", "Calls that give it are refused, or it has no effect."),
    Effect.REQUIRED: ("BREAKING", "Calls without it are refused."),
    Effect.OPTIONAL: ("SAFE", ""),
    Effect.RETYPED: ("BREAKING", "Calls that were right are refused."),
    Effect.FEWER_TYPES: ("BREAKING", "Calls that were right are refused."),
    Effect.MORE_TYPES: ("SAFE", ""),
    Effect.NARROWER: ("BREAKING", "Calls that were right are refused."),
    Effect.WIDER: ("SAFE", ""),
    Effect.DEFAULT: ("RISKY", "Calls without it may do something else."),
    Effect.OTHER: ("RISKY", "Calls that were right may be refused."),
    Effect.NOTE: ("SAFE", ""),
}
_NOTHING = {"type": "object", "additionalProperties": False}
"""What an action takes that declares no input."""
_STRICTER = "An answer that breaks it is an OutputError."
_OF_OUTPUT: Mapping[Effect, tuple[Level, str]] = {
    Effect.NEW: ("SAFE", ""),
    Effect.GONE: ("BREAKING", "Code that reads it finds nothing."),
    Effect.REQUIRED: ("RISKY", _STRICTER),
    Effect.OPTIONAL: ("BREAKING", "Code that reads it may find nothing."),
    Effect.RETYPED: ("BREAKING", "Code that reads it meets another type."),
    Effect.FEWER_TYPES: ("RISKY", _STRICTER),
    Effect.MORE_TYPES: ("BREAKING", "Code that reads it may meet another type."),
    Effect.NARROWER: ("RISKY", _STRICTER),
    Effect.WIDER: ("RISKY", "Code that reads it may meet values that it does not expect."),
    Effect.DEFAULT: ("SAFE", ""),
    Effect.OTHER: ("RISKY", "Code that reads it may meet values that it does not expect."),
    Effect.NOTE: ("SAFE", ""),
}
_SHAPES = {
    "download": "The output is a file on one side, data on the other.",
    "flatten": "The names in the output change.",
}
_OTHERWISE = "It does its work otherwise."
_APART = frozenset({"description", "input", "on_error", "output", "paginate", "requires_scopes"})


def compare_actions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how the ``actions`` of two versions differ."""
    for name in dict.fromkeys((*before, *after)):
        at = pointer_to("actions", name)
        if name not in after:
            yield Finding("BREAKING", at, "removed.", "Calls of it raise UnknownAction.")
        elif name not in before:
            yield Finding("SAFE", at, "new.")
        else:
            yield from _action(before[name], after[name], at)


def _action(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Finding]:
    yield from _input(old, new, f"{at}/input")
    yield from _paginate(old.get("paginate", False), new.get("paginate", False), f"{at}/paginate")
    yield from _output(old.get("output", {}), new.get("output", {}), f"{at}/output")
    yield from _errors(old.get("on_error", ()), new.get("on_error", ()), f"{at}/on_error")
    yield from _scopes(old.get("requires_scopes", ()), new.get("requires_scopes", ()), f"{at}/requires_scopes")
    if old.get("description") != new.get("description"):
        yield Finding("SAFE", f"{at}/description", "the words differ.")
    for key in dict.fromkeys((*old, *new)):
        if key not in _APART:
            for pointer, was, now in differing(old.get(key, ABSENT), new.get(key, ABSENT), f"{at}/{key}"):
                yield Finding("RISKY", pointer, told(was, now), _OTHERWISE)


def _input(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Finding]:
    was, now = old.get("input"), new.get("input")
    if was is not None and now is None:
        level: Level = "BREAKING" if isinstance(was, Mapping) and was.get("properties") else "RISKY"
        yield Finding(level, at, "no longer declared.", "Calls that give any are refused.")
        return
    for effect, pointer, message in compare(_NOTHING if was is None else was, _NOTHING if now is None else now, at):
        level, reason = _OF_INPUT[effect]
        yield Finding(level, pointer, message, reason)


def _paginate(was: Any, now: Any, at: str) -> Iterator[Finding]:
    if bool(was) != bool(now):
        message = "the output is one page now." if was else "the output is the whole list now."
        yield Finding("BREAKING", at, message, "Code that reads the output meets another type.")
    elif text_of(was) != text_of(now):
        yield Finding("RISKY", at, told(was, now), "The list is walked otherwise.")


def _output(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Finding]:
    for key, reason in _SHAPES.items():
        if old.get(key, False) != new.get(key, False):
            yield Finding("BREAKING", f"{at}/{key}", told(old.get(key, False), new.get(key, False)), reason)
    for key in ("items", "value"):
        if old.get(key) != new.get(key):
            message = told(old.get(key, ABSENT), new.get(key, ABSENT))
            yield Finding("RISKY", f"{at}/{key}", message, "The output is read from elsewhere.")
    yield from _map(old.get("map", ABSENT), new.get("map", ABSENT), f"{at}/map")
    was, now, at = old.get("schema"), new.get("schema"), f"{at}/schema"
    if (was is None) != (now is None):
        message = "new." if was is None else "removed."
        reason = _STRICTER if was is None else "Nothing is promised any longer."
        yield Finding("RISKY", at, message, reason)
    elif was is not None:
        for effect, pointer, message in compare(was, now, at):
            level, reason = _OF_OUTPUT[effect]
            yield Finding(level, pointer, message, reason)


def _map(was: Any, now: Any, at: str) -> Iterator[Finding]:
    if (was is ABSENT) != (now is ABSENT):
        yield Finding("BREAKING", at, "new." if was is ABSENT else "removed.", "The output has another shape.")
        return
    for pointer, old, new in differing(was, now, at) if was is not ABSENT else ():
        if new is ABSENT:
            yield Finding("BREAKING", pointer, "removed.", "Code that reads it finds nothing.")
        elif old is ABSENT:
            yield Finding("SAFE", pointer, "new.")
        else:
            yield Finding("RISKY", pointer, told(old, new), "It is read from elsewhere in the answer.")


def _errors(old: Any, new: Any, at: str) -> Iterator[Finding]:
    was, now = {error.get("name", "") for error in old}, {error.get("name", "") for error in new}
    if gone := sorted(was - now):
        yield Finding("BREAKING", at, f"{', '.join(gone)} is gone.", "Code that tells errors by this name sees none.")
    if come := sorted(now - was):
        yield Finding("RISKY", at, f"{', '.join(come)} is new.", "Answers that meant something else raise it.")
    if was == now and text_of([_sign(error) for error in old]) != text_of([_sign(error) for error in new]):
        yield Finding("RISKY", at, "the answers that they are read from differ.", _OTHERWISE)
    elif was == now and text_of(list(old)) != text_of(list(new)):
        yield Finding("SAFE", at, "the words differ.")


def _sign(error: Mapping[str, Any]) -> list[Any]:
    return [error.get("name"), error.get("when")]


def _scopes(old: Any, new: Any, at: str) -> Iterator[Finding]:
    was, now = [text_of(scope) for scope in old], [text_of(scope) for scope in new]
    if come := [scope for scope in now if scope not in was]:
        reason = "Accounts that have not granted it raise MissingScopes."
        yield Finding("BREAKING", at, f"{', '.join(come)} is needed now.", reason)
    if gone := [scope for scope in was if scope not in now]:
        yield Finding("SAFE", at, f"{', '.join(gone)} is no longer needed.")
