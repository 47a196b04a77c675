"""Names that Python accepts, each of them once."""

from __future__ import annotations

import keyword
import re
import unicodedata

__all__ = ["TYPE_NAMES", "Names", "class_name", "snake_name"]

TYPE_NAMES = frozenset({"bool", "bytes", "dict", "float", "int", "list", "str", "tuple"})
"""Builtins that annotations use: a method or parameter of that name would hide them."""
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 80


def class_name(*words: str) -> str:
    """Return the words as one CapWords name."""
    parts = [part for word in words for part in _WORD.findall(_plain(word))]
    name = "".join(part[:1].upper() + part[1:] for part in parts)[:_LONGEST]
    return name if name.isidentifier() else f"T{name}"


def snake_name(word: str) -> str:
    """Return a word as a name for a method or parameter."""
    name = re.sub(r"\W", "_", _plain(word))
    name = name if name.isidentifier() else f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in TYPE_NAMES or name == "self" else name


def _plain(word: str) -> str:
    """Return a word as Python's own parser would read it (NFKC)."""
    return unicodedata.normalize("NFKC", word)


class Names:
    """Give each name once; the second ``Lead`` is ``Lead2``."""

    def __init__(self, *taken: str) -> None:
        self._taken = set(taken)

    def unique(self, wanted: str) -> str:
        """Return *wanted*, or it with the first number that is free."""
        name, number = wanted, 1
        while name in self._taken or keyword.iskeyword(name):
            number += 1
            name = f"{wanted}{number}" if not wanted.endswith("_") else f"{wanted}{number}_"
        self._taken.add(name)
        return name

    def release(self, name: str) -> None:
        """Take a name back that nobody bears."""
        self._taken.discard(name)
