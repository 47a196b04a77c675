"""A pattern that may take longer than anybody waits to refuse a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.declare.patterns import patterns_in
from nango_py.document import pointer_to
from nango_py.lint.patterns import repeats_badly
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    for pointer, pattern in _patterns(subject):
        if (group := repeats_badly(pattern)) is not None:
            yield Finding(pointer=pointer, message=f"{group!r} may match the same text in two ways, again and again.")


def _patterns(subject: Subject) -> Iterator[tuple[str, str]]:
    for section in ("credentials", "connection_config"):
        yield from patterns_in(subject.data.get(section), f"/{section}")
    if isinstance(value := subject.data.get("retry", {}).get("in_body", {}).get("value"), str):
        yield "/retry/in_body/value", value
    for name, keys, _ in subject.actions():
        at = pointer_to("actions", name)
        yield from patterns_in(keys.get("input"), f"{at}/input")
        yield from patterns_in(keys.get("output", {}).get("schema"), f"{at}/output/schema")


RULE = Rule(
    id="pattern-slow",
    reason="Each character of a value that does not match may double the time, until the process hangs.",
    fix="Repeat once, `[a-z]+` for `([a-z]+)+`, or begin each round with a character of its own: `(-[a-z]+)*`.",
    find=_find,
)
