"""Names that every vendor accepts: letters, digits, ``_`` and ``-``, 64 at most, each of them once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["property_name", "tool_names"]

_LONGEST = 64
_DIGITS = 8


def tool_names(actions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the tool name of each (integration, action).

    Two that would be the same, and names that are cut, end in digits of what they stand for: a name depends neither
    on the order of the actions nor on which of them are chosen.
    """
    plain = {pair: re.sub(r"[^A-Za-z0-9]+", "_", "_".join(pair)).strip("_") for pair in actions}
    seen = Counter(plain.values())
    return {
        pair: name if seen[name] == 1 and len(name) <= _LONGEST else _marked(name, "/".join(pair))
        for pair, name in plain.items()
    }


def property_name(name: str) -> str:
    """Return what a property of a tool's arguments is called; it depends on the property's own name alone."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return name if safe == name and 0 < len(name) <= _LONGEST else _marked(safe, name)


def _marked(name: str, meant: str) -> str:
    digits = hashlib.sha256(meant.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{name[: _LONGEST - _DIGITS - 1]}_{digits}"
