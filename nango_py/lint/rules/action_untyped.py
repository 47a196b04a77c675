"""An action that does not say what it does, takes or gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.document import pointer_to
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject
    from nango_py.model import Action

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    for name, action in subject.integration.actions.items():
        lacks = [word for word, is_there in _parts(action, subject) if not is_there]
        if lacks:
            message = f"the action {name!r} lacks {' and '.join(lacks)}."
            yield Finding(pointer=pointer_to("actions", name), message=message, at_key=True)


def _parts(action: Action, subject: Subject) -> Iterator[tuple[str, bool]]:
    yield "a description", bool(action.description)
    yield "the schema of its input", action.input is not None
    if subject.kind == "blueprint":
        has_output = action.output.schema is not None or action.output.download
        yield "the schema of its output", has_output or _ends_typed(action, subject)


def _ends_typed(action: Action, subject: Subject) -> bool:
    """Tell whether the last step says what it gives, where that is the output."""
    if not action.steps or action.output.map is not None:
        return False
    last = action.steps[-1]
    ends = last.own or subject.integration.actions.get(last.action or "")
    return ends is not None and (ends.output.schema is not None or ends.output.download)


RULE = Rule(
    id="action-untyped",
    reason="Callers, generated types and models know an action by its description and its schemas only.",
    fix="Add `description`, `input` and `output.schema`.",
    find=_find,
)
