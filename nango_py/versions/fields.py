"""What a connection must hold: credentials and connection config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.field import Field
from nango_py.versions.change import Finding, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["compare_fields"]

_KEYS = frozenset(Field.__slots__)
_WORDS = ("title", "description", "example")
_CHECKS = ("pattern", "format")
_PASTED = ("prefix", "suffix")
_REFUSED = "Accounts that are registered anew may be refused."


def compare_fields(
    section: str, before: Mapping[str, Any], after: Mapping[str, Any], own: tuple[Field, ...]
) -> Iterator[Finding]:
    """Yield how declared fields differ; *own* are those that the auth scheme has in both versions."""
    was, now = _fields(before, own), _fields(after, own)
    for name in dict.fromkeys((*was, *now)):
        at = pointer_to(section, name)
        if name not in now:
            yield Finding("BREAKING", at, "removed.", "Code that registers connections with it is refused.")
        elif name not in was and now[name].required:
            yield Finding("BREAKING", at, "new, and required.", "Connections that exist do not hold it.")
        elif name not in was:
            yield Finding("SAFE", at, "new, and may be left out.")
        else:
            yield from _field(at, was[name], now[name])


def _fields(declared: Mapping[str, Any], own: tuple[Field, ...]) -> dict[str, Field]:
    fields: dict[str, Any] = {field.name: {key: getattr(field, key) for key in field.__slots__} for field in own}
    for name, keys in declared.items():
        known = {
            key: tuple(value) if isinstance(value, list) else value for key, value in keys.items() if key in _KEYS
        }
        # As for a connection: a declared field must be given unless it says otherwise.
        fields[name] = {**fields.get(name, {}), "name": name, "default": None, **known}
    return {name: Field(**keys) for name, keys in fields.items()}


def _field(at: str, old: Field, new: Field) -> Iterator[Finding]:
    if new.required and not old.required:
        yield Finding("BREAKING", at, "newly required.", "Connections that exist may lack it.")
    elif old.required and not new.required:
        yield Finding("SAFE", at, "may be left out now.")
    if old.default != new.default and not (old.required or new.required):
        message = f"the default {shown(old.default)} became {shown(new.default)}."
        yield Finding("RISKY", at, message, "Accounts registered without it get another value.")
    for name in _CHECKS:
        was, now = getattr(old, name), getattr(new, name)
        if was != now and now:
            yield Finding("BREAKING", at, f"{name} {shown(now)} holds now.", _REFUSED)
        elif was != now:
            yield Finding("SAFE", at, f"{name} {shown(was)} holds no longer.")
    yield from _enum(at, old.enum, new.enum)
    for name in _PASTED:
        if getattr(old, name) != getattr(new, name):
            yield Finding("RISKY", at, f"{name} changed.", "What is pasted becomes another value.")
    yield from _asking(at, old, new)


def _asking(at: str, old: Field, new: Field) -> Iterator[Finding]:
    if old.secret and not new.secret:
        yield Finding("RISKY", at, "no longer secret.", "It is asked for in the open, and shown.")
    elif new.secret and not old.secret:
        yield Finding("SAFE", at, "secret now.")
    if any(getattr(old, name) != getattr(new, name) for name in _WORDS):
        yield Finding("SAFE", at, "described in other words.")


def _enum(at: str, was: tuple[str, ...], now: tuple[str, ...]) -> Iterator[Finding]:
    if gone := [value for value in was if now and value not in now]:
        yield Finding("BREAKING", at, f"{', '.join(gone)} is no longer allowed.", _REFUSED)
    if now and not was:
        yield Finding("BREAKING", at, f"only {', '.join(now)} is allowed now.", _REFUSED)
    if was and not now:
        yield Finding("SAFE", at, "no longer bound to listed values.")
    if come := [value for value in now if was and value not in was]:
        yield Finding("SAFE", at, f"{', '.join(come)} is allowed now.")
