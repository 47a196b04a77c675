"""The moments of Nango's templates: ``now``, ``now:FORMAT``, ``now+7:days:FORMAT``, in the tokens of Day.js."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["moment"]

_NOW = re.compile(r"now(?:(?P<sign>[+-])(?P<number>\d+):(?P<unit>[A-Za-z]+))?(?::(?P<format>.*))?", re.DOTALL)
_TOKEN = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|M{1,4}|D{1,2}|d{1,4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|SSS|ZZ?|A|a|X|x", re.DOTALL
)
_PIECES = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "dddd": "%A", "ddd": "%a",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "A": "%p", "ZZ": "%z", "Z": "+00:00", "X": "%s", "d": "%w",
}  # fmt: skip
"""What strftime calls a token; moments are in UTC."""
_MILLISECONDS = "SSS"
_CODE = {
    "M": ("%m", "{} | int"),
    "D": ("%d", "{} | int"),
    "H": ("%H", "{} | int"),
    "h": ("%I", "{} | int"),
    "m": ("%M", "{} | int"),
    "s": ("%S", "{} | int"),
    "dd": ("%a", "{}[:2]"),
    "a": ("%p", "{} | lower"),
    _MILLISECONDS: (None, "{}[20:23]"),
}
"""Tokens that strftime has no directive for, and what we make them of."""
_EPOCH_IN_MILLISECONDS = "x"
_SECONDS = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400,
            "w": 604_800, "week": 604_800}  # fmt: skip
_LENGTHS_DIFFER = frozenset({"M", "month", "months", "y", "year", "years", "Q", "quarter", "quarters"})


def moment(inner: str) -> str | None:
    """Return our expression for a moment, or None where *inner* is none.

    Raises:
        ValueError: It is a moment that our language cannot name; the message says what it is.
    """
    found = _NOW.fullmatch(inner)
    if found is None:
        return None
    shift = _shift(found["sign"], found["number"], found["unit"])
    if found["format"] is None:
        return _now(None, shift)
    pieces = list(_pieces(found["format"], shift))
    is_text = len(pieces) == 1 and not pieces[0].endswith("| int")
    return pieces[0] if is_text else f"[{', '.join(pieces)}] | join"


def _shift(sign: str | None, number: str | None, unit: str | None) -> int:
    if sign is None or number is None or unit is None:
        return 0
    if unit in _LENGTHS_DIFFER:
        raise ValueError("a moment that is months or years away")
    # To Day.js, what is no unit is milliseconds.
    seconds = _SECONDS.get(unit, _SECONDS.get(unit.lower().removesuffix("s"), 0))
    return (-1 if sign == "-" else 1) * int(number) * seconds


def _pieces(pattern: str, shift: int) -> Iterator[str]:
    """Yield the expressions that make up a pattern: one, where strftime can say all of it."""
    directives, at = "", 0
    for token in _TOKEN.finditer(pattern):
        directives += pattern[at : token.start()].replace("%", "%%")
        at = token.end()
        if token[1] is not None:  # between brackets stands text
            directives += token[1].replace("%", "%%")
        elif token[0] in _PIECES:
            directives += _PIECES[token[0]]
        else:
            if directives:
                yield _now(directives, shift)
            directives = ""
            yield from _coded(token[0], shift)
    directives += pattern[at:].replace("%", "%%")
    if directives or not pattern:
        yield _now(directives, shift)


def _coded(token: str, shift: int) -> Iterator[str]:
    if token == _EPOCH_IN_MILLISECONDS:
        yield _now("%s", shift)
        token = _MILLISECONDS
    directive, template = _CODE[token]
    yield template.format(_now(directive, shift))


def _now(directives: str | None, shift: int) -> str:
    quoted = "none" if directives is None else "'{}'".format(directives.replace("\\", "\\\\").replace("'", "\\'"))
    if shift:
        return f"now({quoted}, {shift})"
    return "now()" if directives is None else f"now({quoted})"
