"""A regular expression in the slashes of another language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.lint.mend import SetValue
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE", "is_slashed"]

_SLASHED = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)


def _find(subject: Subject) -> Iterator[Finding]:
    for pointer, pattern in _patterns(subject):
        if found := _SLASHED.fullmatch(pattern):
            edit = None if found[2] else SetValue(pointer, found[1])
            yield Finding(
                pointer=pointer, message="the slashes around this expression are another language's.", edit=edit
            )


def is_slashed(pattern: str) -> bool:
    """Tell whether a pattern stands in slashes."""
    return _SLASHED.fullmatch(pattern) is not None


def _patterns(subject: Subject) -> Iterator[tuple[str, str]]:
    for one in subject.fields():
        if one.field.pattern and "pattern" in one.keys:
            yield one.pointer("pattern"), one.field.pattern
    in_body = subject.data.get("retry", {}).get("in_body", {})
    if isinstance(value := in_body.get("value"), str):
        yield "/retry/in_body/value", value


RULE = Rule(
    id="pattern-slashes",
    reason="In a pattern they are two more characters to match, and flags behind them mean nothing.",
    fix="Write the expression bare; flags go in front, as in `(?i)`.",
    find=_find,
    mends=True,
)
