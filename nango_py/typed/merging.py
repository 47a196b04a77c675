"""``allOf``: several schemas of one value as a single one, as far as types are concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["merged"]

_TEXTS = frozenset({"title", "description", "default", "examples", "example", "$comment", "deprecated"})


def merged(parts: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return one schema for what all *parts* say, and the keywords that did not fit into it."""
    whole: dict[str, Any] = {}
    left: list[tuple[str, Any]] = []
    for part in parts:
        for word, value in part.items():
            if word not in whole:
                whole[word] = value
            elif whole[word] != value and word not in _TEXTS:
                _add(whole, word, value, left)
    return whole, left


def _add(whole: dict[str, Any], word: str, value: Any, left: list[tuple[str, Any]]) -> None:
    known = whole[word]
    match word:
        case "type":
            whole[word] = _types(known, value)
        case "required":
            whole[word] = list(dict.fromkeys([*known, *value]))
        case "enum":
            whole[word] = [item for item in known if item in value]
        case "properties" | "$defs" | "definitions":
            both = {name: _both(known[name], schema) for name, schema in value.items() if name in known}
            whole[word] = {**known, **value, **both}
        case "items" | "additionalProperties":
            whole[word] = _both(known, value)
        case _:
            left.append((word, value))


def _types(one: Any, other: Any) -> list[str]:
    first, second = ([kinds] if isinstance(kinds, str) else list(kinds) for kinds in (one, other))
    found = [kind for kind in first if kind in second or (kind == "integer" and "number" in second)]
    return found + [kind for kind in second if kind == "integer" and "number" in first and kind not in found]


def _both(one: Any, other: Any) -> Any:
    if one is True or one == other:
        return other
    if other is True:
        return one
    return False if one is False or other is False else {"allOf": [one, other]}
