"""Where regular expressions stand in what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["patterns_in"]

_DATA = frozenset({"const", "default", "enum", "example", "examples"})


def patterns_in(declared: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield every regular expression of fields or of a JSON Schema, with its pointer."""
    if isinstance(declared, Mapping):
        for key, value in declared.items():
            at = pointer + pointer_to(key)
            if key == "pattern" and isinstance(value, str):
                yield at, value
            elif key == "patternProperties" and isinstance(value, Mapping):
                yield from ((at + pointer_to(pattern), pattern) for pattern in value)
            if key not in _DATA:
                yield from patterns_in(value, at)
    elif isinstance(declared, list):
        for index, item in enumerate(declared):
            yield from patterns_in(item, f"{pointer}/{index}")
