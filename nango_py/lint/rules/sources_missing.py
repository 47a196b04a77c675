"""A blueprint of the built-in catalogue that does not say where its facts are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.document import pointer_to
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_OURS = "nango_py"


def _find(subject: Subject) -> Iterator[Finding]:
    if subject.document.data.get("maintainer") != _OURS:
        return
    if not subject.written.get("x-sources"):
        yield Finding(pointer="", message="nothing says where its facts are from.", at_key=True)
    for name, keys, _ in subject.actions():
        if not keys.get("x-sources"):
            message = f"nothing says where the facts of {name!r} are from."
            yield Finding(pointer=pointer_to("actions", name), message=message, at_key=True)


RULE = Rule(
    id="sources-missing",
    reason="A fact without its source cannot be checked again when the provider changes.",
    fix="Add `x-sources`, each with the `url` of the documentation and the day it was `read`.",
    find=_find,
    kinds=frozenset({"blueprint"}),
)
