"""A field whose default is none of its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    for one in subject.fields():
        default, words = one.field.default, one.field.enum
        if default and words and default not in words:
            message = f"the default {default!r} is none of the words in `enum`."
            yield Finding(pointer=one.pointer("default"), message=message)


RULE = Rule(
    id="default-outside-enum",
    reason="The default is used unchecked, and would be refused if anyone typed it.",
    fix="Add it to `enum`, or take another default.",
    find=_find,
    severity="error",
)
