"""A field that accounts are asked for, and that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import DeclaredField, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    names = {name for _, template in subject.templates for name in template.names}
    picked = subject.integration.auth.picked
    for one in subject.fields():
        is_brought = one.section == "connection_config" and one.field.name in picked
        if not (one.is_own or is_brought or _is_read(one, names)):
            message = f"no request reads {one.section}.{one.field.name}."
            yield Finding(pointer=one.pointer(), message=message, at_key=True)


def _is_read(one: DeclaredField, names: set[tuple[str, ...]]) -> bool:
    # The bare section, as in connection_config[input.region], may be any of its fields.
    by_name = {(one.section,), (one.section, one.field.name)}
    if one.section == "credentials":
        by_name.add((one.field.name,))
    return any(name[:2] in by_name for name in names)


RULE = Rule(
    id="unused-field",
    reason="People look for a value, or hand over a secret, that changes nothing.",
    fix="Use it as `${connection_config...}` or `${credentials...}`, or remove it.",
    find=_find,
    kinds=frozenset({"blueprint"}),
)
