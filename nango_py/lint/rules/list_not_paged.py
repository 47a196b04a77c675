"""An action that fetches one page of what looks like a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.document import pointer_to
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject
    from nango_py.model import Action

__all__ = ["RULE"]

_LIST = re.compile(r"(list|search|find-all|get-all)([-_]|$)")


def _find(subject: Subject) -> Iterator[Finding]:
    for name, keys, action in subject.actions():
        if action.paginate is not None or action.output.download or keys.get("x-not-paged"):
            continue
        if action.steps and any(
            _pages(step.own or subject.integration.actions[step.action or ""]) for step in action.steps
        ):
            continue
        if _LIST.match(name) or _is_array(action):
            message = f"{name!r} looks like a list, and only its first page is fetched."
            yield Finding(pointer=pointer_to("actions", name), message=message, at_key=True)


def _pages(action: Action) -> bool:
    return action.paginate is not None


def _is_array(action: Action) -> bool:
    schema, request = action.output.schema, action.request
    is_read = request is not None and request.method == "GET"
    return is_read and schema is not None and schema.document.get("type") == "array"


RULE = Rule(
    id="list-not-paged",
    reason="A list whose first page alone is fetched looks complete, and is not.",
    fix='Write `paginate: true`, or why there is one page only: `x-not-paged: "..."`.',
    find=_find,
)
