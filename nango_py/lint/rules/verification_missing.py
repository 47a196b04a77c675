"""A blueprint that cannot tell whether credentials work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    if subject.integration.verification is None:
        yield Finding(pointer="", message="nothing tells whether an account's credentials work.", at_key=True)


RULE = Rule(
    id="verification-missing",
    reason="Without it a wrong key is found by the first user of an action, not when it is entered.",
    fix="Add `verification` with a cheap request, such as the one that names the account.",
    find=_find,
    kinds=frozenset({"blueprint"}),
)
