"""The second half of an `or` whose first half always has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    from nango_py.expression import alternatives  # noqa: PLC0415 - Jinja, for the few that write an `or`

    always = _always(subject)
    for pointer, template in subject.templates:
        for expression in template.expressions:
            # Most placeholders are a name, and need no Jinja.
            for first, second in alternatives(expression.text) if expression.path is None else ():
                if first is None or first in always:
                    shown = "a constant" if first is None else ".".join(first)
                    yield Finding(pointer=pointer, message=f"{second} is never reached: {shown} always has a value.")
                    break


def _always(subject: Subject) -> frozenset[tuple[str, ...]]:
    """Return the names that every connection has a value for."""
    found = set()
    for section in ("credentials", "connection_config"):
        for field in getattr(subject.integration, section):
            if field.default or (field.required and field.name not in subject.integration.auth.picked):
                found |= {(section, field.name)} | ({(field.name,)} if section == "credentials" else set())
    return frozenset(found)


RULE = Rule(
    id="unreachable-alternative",
    reason="Somebody meant the second value to be used, and it never is.",
    fix="Make the first one optional, or drop the alternative.",
    find=_find,
)
