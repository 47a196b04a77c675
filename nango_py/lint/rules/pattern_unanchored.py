"""A pattern that lets anything stand before or behind what it matches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.lint.hosts import host_names
from nango_py.lint.mend import SetValue
from nango_py.lint.patterns import alternatives, flags_apart
from nango_py.lint.rule import Finding, Rule
from nango_py.lint.rules.pattern_slashes import is_slashed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import DeclaredField, Subject

__all__ = ["RULE"]

_BEGINS, _ENDS = re.compile(r"\^|\\A"), re.compile(r"(?<!\\)(?:\\\\)*(?:\$|\\[Zz])$")


def _find(subject: Subject) -> Iterator[Finding]:
    hosts = host_names(subject)
    for one in subject.fields():
        pattern = one.field.pattern
        if not pattern or "pattern" not in one.keys or _is_anchored(pattern) or is_slashed(pattern):
            continue
        is_host = (one.section, one.field.name) in hosts
        message = "anything may stand before or behind what this matches"
        message += ", and the value is part of the host that credentials go to." if is_host else "."
        edit = _edit(one, pattern)
        hint = "" if edit is None else f"Write {edit.value!r}."
        yield Finding(pointer=one.pointer("pattern"), message=message, hint=hint, edit=edit)


def _is_anchored(pattern: str) -> bool:
    """Tell whether every alternative of a pattern begins and ends where the value does."""
    return all(_BEGINS.match(one) and _ENDS.search(one) for one in alternatives(flags_apart(pattern)[1]))


def _anchored(pattern: str) -> str:
    flags, bare = flags_apart(pattern)
    if len(list(alternatives(bare))) > 1:
        return f"{flags}^(?:{bare})$"
    before = "" if _BEGINS.match(bare) else "^"
    return flags + before + bare + ("" if _ENDS.search(bare) else "$")


def _edit(one: DeclaredField, pattern: str) -> SetValue | None:
    """Return an edit where the field's own values prove that the whole value was meant."""
    anchored = _anchored(pattern)
    values = [value for value in (one.field.example, one.field.default, *one.field.enum) if value]
    if values and all(re.search(anchored, value) for value in values):
        return SetValue(one.pointer("pattern"), anchored)
    return None


RULE = Rule(
    id="pattern-unanchored",
    reason="A pattern is searched for, so that without `^` and `$` most of a value goes unchecked.",
    fix="Begin it with `^` and end it with `$`.",
    find=_find,
    mends=True,
)
