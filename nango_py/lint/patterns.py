"""Take a regular expression apart, as far as rules look at it: flags, alternatives, groups that repeat."""

from __future__ import annotations

import re
from itertools import combinations, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["alternatives", "flags_apart", "repeats_badly"]

_FLAGS = re.compile(r"(\(\?[aiLmsux]+\))?(.*)", re.DOTALL)
_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""What a pattern is made of: escapes and classes, in which no character has its other meaning, and single ones."""
_AGAIN = re.compile(r"(?:[*+]|\{[0-9]*,\}|\{(?:[0-9]*,)?[0-9]{2,}\})(?!\+)")
"""A repeat without a small bound that gives back what it took (the possessive `*+` does not)."""
_OPENING = re.compile(r"\?(?::|P<\w+>|[aimsx-]+:)")
_COMMON = "aA0 -_."
_SAMPLES = 12
"""Characters that a group is tried with."""


def flags_apart(pattern: str) -> tuple[str, str]:
    """Return the flags in front of a pattern, which match nothing, and the rest."""
    found = _FLAGS.fullmatch(pattern)
    return ("", pattern) if found is None else (found[1] or "", found[2])


def alternatives(pattern: str) -> Iterator[str]:
    """Yield the outermost alternatives of a pattern."""
    depth, start = 0, 0
    for piece in _PIECES.finditer(pattern):
        depth += (piece[0] == "(") - (piece[0] == ")")
        if piece[0] == "|" and not depth:
            yield pattern[start : piece.start()]
            start = piece.end()
    yield pattern[start:]


def repeats_badly(pattern: str) -> str | None:
    """Return a group that repeats and matches some text in two ways, such as ``(a+)+``; None where none was found.

    With every such text in a value that does not match, the time to find that out doubles.
    """
    flags, bare = flags_apart(pattern)
    if "x" in flags:
        return None  # spaces in it mean nothing
    return next((group for group, inner in _repeated(bare) if _is_ambiguous(inner, flags)), None)


def _repeated(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield each group that repeats, with its repeat, and what is in it."""
    opened: list[int] = []
    for piece in _PIECES.finditer(pattern):
        if piece[0] == "(":
            opened.append(piece.start())
        elif piece[0] == ")" and opened:
            start = opened.pop()
            inner = pattern[start + 1 : piece.start()]
            again = _AGAIN.match(pattern, piece.end())
            prefix = _OPENING.match(inner)
            if again is not None and (prefix is not None or not inner.startswith("?")):
                yield pattern[start : again.end()], inner[prefix.end() if prefix else 0 :]


def _is_ambiguous(inner: str, flags: str) -> bool:
    try:
        once, again = re.compile(f"{flags}(?:{inner})"), re.compile(f"{flags}(?:{inner}){{2,}}")
        choices = [re.compile(f"{flags}(?:{one})") for one in alternatives(inner)]
    except (re.error, OverflowError, RecursionError):
        return False  # it refers to a group outside of it
    plain = (piece[0] for piece in _PIECES.finditer(inner) if piece[0].isalnum() or piece[0] in "-_/:,@=&~ ")
    samples = list(dict.fromkeys((*_COMMON, *plain)))[:_SAMPLES]
    for text in (*samples, *map("".join, product(samples, repeat=2))):
        if once.fullmatch(text) and again.fullmatch(text):
            return True
        if any(one.fullmatch(text) and other.fullmatch(text) for one, other in combinations(choices[:_SAMPLES], 2)):
            return True
    return False
