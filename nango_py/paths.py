"""Paths into answers: plain dotted names, or JMESPath for everything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

__all__ = ["Path", "compile_path"]

LONGEST: Final = 500
_MISSING: Final = object()
_STEP: Final = re.compile(r"\[(-?\d{1,9})\]|(?:\A|\.)([^.\[\]()|&*?\"'`]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A compiled path; an empty one means the whole document."""

    text: str
    search: Callable[[object], object] = field(repr=False, compare=False)

    def find(self, document: object) -> object | None:
        """Return the value that the path leads to; None where it is absent, null, or where the types do not fit."""
        return self.search(document)


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Path:
    """Compile a path; a ValueError says what is wrong with it.

    Names may hold any character but ``.[]()|&*?`` and quotes, an index is ``[n]`` or ``.n``, counted from the end
    where it is negative. ``a.b`` is looked up as the key ``"a.b"`` where there is no ``b`` in ``a``. Any other text
    is JMESPath.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a path has at most {LONGEST} characters, this one has {len(text)}")
    steps = _plain_steps(text)
    return Path(text=text, search=_jmespath_search(text) if steps is None else _plain_search(steps))


def _plain_steps(text: str) -> tuple[str | int, ...] | None:
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match.end() == at:
            return None
        steps.append(int(match[1]) if match[1] is not None else match[2])
        at = match.end()
    return tuple(steps)


def _plain_search(steps: tuple[str | int, ...]) -> Callable[[object], object]:
    def search(document: object) -> object:
        found = _walk(document, steps, 0)
        return None if found is _MISSING else found

    return search


def _walk(value: object, steps: tuple[str | int, ...], at: int) -> object:
    if at == len(steps):
        return value
    if isinstance(value, Mapping):
        return _walk_mapping(value, steps, at)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _walk_sequence(value, steps, at)
    return _MISSING


def _walk_mapping(value: Mapping[object, object], steps: tuple[str | int, ...], at: int) -> object:
    key = ""
    for end in range(at, len(steps)):
        step = steps[end]
        if isinstance(step, int):
            break
        key = step if end == at else f"{key}.{step}"
        found = _walk(value[key], steps, end + 1) if key in value else _MISSING
        if found is not _MISSING:
            return found
    return _MISSING


def _walk_sequence(value: Sequence[object], steps: tuple[str | int, ...], at: int) -> object:
    index = _index(steps[at])
    if index is None or not -len(value) <= index < len(value):
        return _MISSING
    return _walk(value[index], steps, at + 1)


def _index(step: str | int) -> int | None:
    if isinstance(step, int):
        return step
    return int(step) if re.fullmatch(r"-?[0-9]{1,9}", step) else None


def _jmespath_search(text: str) -> Callable[[object], object]:
    import jmespath  # noqa: PLC0415 - most paths are plain
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        compiled = jmespath.compile(text)
    except (JMESPathError, RecursionError) as error:
        raise ValueError(_complaint(text, error)) from error

    def search(document: object) -> object:
        # A function of the wrong type, or a comparison that Python refuses: no value there.
        try:
            return compiled.search(document)
        except (JMESPathError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            return None

    return search


def _complaint(text: str, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
    return (
        f"{text!r} is neither a plain path (names between dots, [n] for a place in a list) nor JMESPath: {reason}. "
        "A name that holds .[]()|&*? is written in double quotes inside JMESPath"
    )
