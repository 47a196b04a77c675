"""A blueprint that refines whatever version of another is the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.lint.mend import SetValue
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    parent = subject.written.get("extends_blueprint")
    if isinstance(parent, str) and ":" not in parent and subject.below:
        pinned = subject.below[-1].label.removeprefix("blueprint ")
        message = f"{parent!r} means the newest version, today {pinned}."
        edit = SetValue("/extends_blueprint", pinned)
        yield Finding(
            pointer="/extends_blueprint", message=message, hint=f"Pin it: {pinned}.", is_written=True, edit=edit
        )


RULE = Rule(
    id="parent-unpinned",
    reason="A new version of the other blueprint would change this one, unseen.",
    fix="Write the version behind the name: `name:v0`.",
    find=_find,
    kinds=frozenset({"blueprint"}),
    mends=True,
)
