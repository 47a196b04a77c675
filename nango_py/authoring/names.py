"""Make names that blueprints may use out of anybody's."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["field_name", "is_blueprint_name", "kebab", "one_line", "unused"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+|[A-Z]")
_LONGEST = 80
_BLUEPRINT = re.compile(r"[a-z0-9][a-z0-9-]*")
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
"""Names that no file can have on Windows, whatever its extension."""
_SENTENCE = 200


def is_blueprint_name(text: str) -> bool:
    """Tell whether a blueprint, and the file that holds it, can be called so anywhere."""
    return len(text) <= _LONGEST and bool(_BLUEPRINT.fullmatch(text)) and not _DEVICES.fullmatch(text)


def kebab(text: str) -> str:
    """Return *text* as the name of a blueprint or an action: lower-case words with hyphens between them."""
    return "-".join(_WORDS.findall(text))[:_LONGEST].strip("-").lower()


def field_name(text: str) -> str:
    """Return *text* as the name of an input, a credential or a value of connection config."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def unused(name: str, taken: Container[str], *, joint: str = "-") -> str:
    """Return *name*, or the first ``name-2``, ``name-3`` ... that is not *taken*."""
    if name not in taken:
        return name
    return next(made for number in count(2) if (made := f"{name}{joint}{number}") not in taken)


def one_line(text: object, longest: int = _SENTENCE) -> str:
    """Return the first paragraph of *text* in one line of printable characters, cut where it gets long."""
    if not isinstance(text, str):
        return ""
    paragraph = text.strip().partition("\n\n")[0]
    line = " ".join("".join(char if char.isprintable() else " " for char in paragraph).split())
    return line if len(line) <= longest else line[: longest - 3].rpartition(" ")[0] + "..."
