"""Read ``requires_nango_py``."""

from __future__ import annotations

import operator
import re
from importlib.metadata import PackageNotFoundError, version

__all__ = ["unmet"]

_CLAUSE = re.compile(r"\s*(>=|<=|==|>|<)\s*([0-9]{1,9}(?:\.[0-9]{1,9})*)\s*")
_COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt}


def unmet(needed: str, installed: str | None = None) -> str | None:
    """Return why the *installed* version, ours by default, does not do where *needed* stands, or None."""
    ours = installed or _ours()
    for clause in needed.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            return f"{needed!r} is no version requirement, such as '>=0.1,<1'."
        if not _COMPARE[match[1]](*_same_length(_numbers(ours), _numbers(match[2]))):
            return f"it needs nango_py {needed}, and {ours} is installed. Upgrade nango-py."
    return None


def _ours() -> str:
    try:
        return version("nango-py")
    except PackageNotFoundError:  # a checkout on the path, never installed
        return "0.1.0"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", text.split("+", maxsplit=1)[0]))


def _same_length(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    width = max(len(one), len(other))
    return one + (0,) * (width - len(one)), other + (0,) * (width - len(other))
