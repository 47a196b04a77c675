"""What a tool hands back: JSON, cut to what a model's context can hold, and always saying so."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_OUTPUT", "Fitted", "fit", "json_of"]

MAX_OUTPUT = 50_000
"""Characters of a tool's result, as JSON text."""
_STEPS = ((2_000, 50), (500, 20), (200, 10), (80, 5), (40, 2))
"""How long texts and lists may be, try after try."""


def json_of(value: Any) -> Any:
    """Return what JSON can hold of an output: bytes are base64 text, what else is unknown is its text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): json_of(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_of(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode()
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A value that fits, and a note on what was left out; ``is_whole`` tells that nothing was."""

    value: Any
    note: str = ""

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was left out."""
        return not self.note


def fit(value: Any, most: int = MAX_OUTPUT) -> Fitted:
    """Return *value*, a JSON value, cut to *most* characters of JSON text.

    Of a list, the first items stay whole. Elsewhere long texts and lists are shortened.
    """
    length = _length(value)
    if length <= most:
        return Fitted(value=value)
    if isinstance(value, list) and (kept := _kept(value, most)):
        note = f"Cut: the first {kept} of {len(value)} items, which fit into {most:,} characters."
        return Fitted(value=value[:kept], note=note)
    for texts, items in _STEPS:
        short = _shortened(value, texts, items)
        if _length(short) <= most:
            note = f"Cut: of {length:,} characters, {most:,} fit; texts end after {texts}, lists after {items} items."
            return Fitted(value=short, note=note)
    return Fitted(value=None, note=f"Left out: the output has {length:,} characters, and {most:,} fit.")


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))


def _kept(items: list[Any], most: int) -> int:
    used = 2
    for number, item in enumerate(items):
        used += _length(item) + 2
        if used > most:
            return number
    return len(items)


def _shortened(value: Any, texts: int, items: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= texts else value[:texts] + "..."
    if isinstance(value, dict):
        return {name: _shortened(item, texts, items) for name, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, texts, items) for item in value[:items]]
    return value
