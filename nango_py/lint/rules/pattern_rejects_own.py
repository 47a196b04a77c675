"""A pattern or format that refuses what the same field gives as an example, default or word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.field import FieldError
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import DeclaredField, Subject

__all__ = ["RULE"]

_MASKED = re.compile(r"\*\*|\.\.\.|…|•|<|XXX|xxx")
"""What stands in an example for characters that are not told."""


def _find(subject: Subject) -> Iterator[Finding]:
    for one in subject.fields():
        what = "pattern" if one.field.pattern else f"format {one.field.format}"
        if not (one.field.pattern or one.field.format):
            continue
        for pointer, value in _own(one):
            if value and _refuses(one, value):
                # A secret's example may be somebody's real key.
                shown = "this value" if one.field.secret else repr(value)
                yield Finding(pointer=pointer, message=f"the field's own {what} refuses {shown}.")


def _own(one: DeclaredField) -> Iterator[tuple[str, str]]:
    if not _MASKED.search(one.field.example):
        yield one.pointer("example"), one.field.example
    yield one.pointer("default"), one.field.default or ""
    for index, word in enumerate(one.field.enum):
        yield one.pointer("enum", str(index)), word


def _refuses(one: DeclaredField, value: str) -> bool:
    try:
        one.field.read(value)
    except FieldError:
        return value in one.field.enum or not one.field.enum
    return False


RULE = Rule(
    id="pattern-rejects-own",
    reason="One of the two is wrong, and people who follow the example are refused.",
    fix="Correct the pattern, or the value.",
    find=_find,
)
