"""Look at the shapes of parameters: single values, lists of them, and objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SINGLE", "is_flat", "joined", "leaves", "types_of"]

SINGLE: Final = frozenset({"string", "number", "integer", "boolean", "null"})
"""The types of what is one value."""
_JOINTS: Final[Mapping[str, str]] = {"comma": ",", "space": " ", "pipe": "|"}
_MEMBERS: Final = 40


def joined(schema: Mapping[str, Any], style: str) -> str:
    """Return the filter that makes one text of a list; an empty text where the style repeats, or there is no list."""
    joint = _JOINTS.get(style)
    return f' | join("{joint}")' if joint and types_of(schema) - {"null"} == {"array"} else ""


def types_of(schema: Mapping[str, Any]) -> set[str]:
    """Return the types that a schema names."""
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def leaves(schema: Mapping[str, Any], name: str, *, is_deep: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Return the single values of an object, each with how it is spelt in a query or form, and its path.

    Deep objects are written ``name[member]``; of others the members stand for themselves.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    for key, member in mapping(schema.get("properties")).items():
        spelt = f"{name}[{key}]" if is_deep else key
        if not re.fullmatch(r"[A-Za-z_]\w*", key, flags=re.ASCII) or len(found) > _MEMBERS:
            continue
        if not types_of(member) - SINGLE or (
            "array" in types_of(member) and not types_of(mapping(member.get("items"))) - SINGLE
        ):
            found.append((spelt, (key,)))
        elif is_deep:
            found += [(inner, (key, *path)) for inner, path in leaves(member, spelt, is_deep=True)]
    return found


def is_flat(schema: Mapping[str, Any]) -> bool:
    """Tell whether the items of a list are single values."""
    return not types_of(mapping(schema.get("items"))) - SINGLE
