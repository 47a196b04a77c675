"""What a change of a version means for those who use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from nango_py.document import pointer_to
from nango_py.versions.content import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.location import Location

__all__ = ["ABSENT", "LEVELS", "Change", "Finding", "Level", "differing", "shown", "told"]

Level: TypeAlias = Literal["BREAKING", "RISKY", "SAFE"]
LEVELS: tuple[Level, ...] = ("BREAKING", "RISKY", "SAFE")
"""BREAKING: code or accounts that work today may stop working. RISKY: they go on, but other things happen."""

ABSENT: Final = object()
"""Stands for a value that is not declared."""
_SHOWN = 60


class Finding(NamedTuple):
    """A change before it is known where it was written; ``pointer`` leads into the version's content."""

    level: Level
    pointer: str
    message: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference of two versions: what it is, what it means for users, and where it was written."""

    level: Level
    pointer: str
    message: str
    reason: str
    location: Location

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" {self.reason}" if self.reason else "")

    @property
    def path(self) -> str:
        """Return the pointer as people write it: ``actions.list-leads.input.query``."""
        head, mark, inside = self.pointer.partition(
            "/output/schema" if "/output/schema" in self.pointer else "/input"
        )
        inside = inside.replace("/properties/", "/").replace("/items", "[]")
        return (head + mark + inside).lstrip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")


def differing(before: Any, after: Any, pointer: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the pointer, the old and the new value of whatever differs; one that is not declared is ``ABSENT``."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        if set(before) == set(after) and list(before) != list(after):
            yield pointer, before, after
            return
        for name in dict.fromkeys((*before, *after)):
            yield from differing(before.get(name, ABSENT), after.get(name, ABSENT), pointer + pointer_to(name))
    elif before is ABSENT or after is ABSENT or text_of(before) != text_of(after):
        yield pointer, before, after


def told(before: Any, after: Any) -> str:
    """Return a sentence that tells the old value and the new one."""
    if before is ABSENT:
        return f"new: {shown(after)}."
    if after is ABSENT:
        return f"removed; it was {shown(before)}."
    return f"{shown(before)} became {shown(after)}."


def shown(value: Any) -> str:
    """Return a value in few words."""
    text = text_of(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
