"""Where a declared value stands, and what was found wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Location", "Problem", "did_you_mean", "one_of"]

_LISTED = 12
"""How many known words a message lists before it stops being readable."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """Name the place of a declared value: ``file:line:column``.

    Lines and columns count from 1. A source that was no file has the name ``<mapping>``, line 0, and is shown with
    its JSON pointer.
    """

    source: str
    line: int = 0
    column: int = 0
    pointer: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"{self.source}:{self.line}:{self.column}"
        return f"{self.source}{self.pointer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Describe one finding about a declared file.

    ``code`` is a stable word for machines, ``hint`` what to do, ``pointer`` the RFC 6901 path inside the document.
    """

    location: Location
    code: str
    message: str
    hint: str = ""
    pointer: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" + (f" {self.hint}" if self.hint else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a sentence that leads from a misspelt *word* to the *known* ones, or an empty text."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.65) or get_close_matches(
        word.lower().replace("-", "_"), names, n=1, cutoff=0.65
    )
    if close:
        return f"Did you mean {close[0]!r}?"
    return one_of(names)


def one_of(names: Iterable[str]) -> str:
    """Return a sentence that lists the *names* to choose from, or an empty text when there are none or too many."""
    listed = sorted(names)
    if not listed or len(listed) > _LISTED:
        return ""
    return f"Known here: {', '.join(listed)}."
