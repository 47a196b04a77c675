"""Read when a token expires, in every form that token answers use."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Unit", "leeway_of", "lifetime_of", "moment_of", "stated_expiry"]

Unit = Literal["seconds", "milliseconds"]

_DEFAULT_LEEWAY = 300.0
_LARGEST_SHARE = 0.1
"""Of a token's lifetime: a token of ten seconds would else never be fresh."""
_MILLISECONDS_FROM = 1e11
"""Later than the year 5138 in seconds: such a number counts milliseconds."""
_WORDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_DAYS_AND_CLOCK = re.compile(r"(\d+):([01]?\d|2[0-3]):([0-5]\d)")


def leeway_of(credentials: Mapping[str, Any], declared: float | None) -> float:
    """Return the *declared* leeway or five minutes, and at most a tenth of the lifetime that *credentials* state."""
    longest = _DEFAULT_LEEWAY if declared is None else declared
    begin, end = credentials.get("obtained_at"), credentials.get("expires_at")
    if begin is None or end is None:
        return longest
    return min(longest, max(0.0, _LARGEST_SHARE * (float(end) - float(begin))))


def stated_expiry(answer: Mapping[str, Any], *, now: float) -> float | None:
    """Return when a token expires, in seconds since the epoch: ``expires_at`` first, then ``expires_in`` from *now*.

    Raises:
        ValueError: What is stated is no time.
    """
    if answer.get("expires_at") not in {None, ""}:
        return moment_of(answer["expires_at"], now=now)
    if answer.get("expires_in") not in {None, ""}:
        return now + lifetime_of(answer["expires_in"])
    return None


def moment_of(value: Any, *, now: float = 0.0) -> float:
    """Return a moment as seconds since the epoch.

    It may be given as seconds or milliseconds since the epoch, as ISO 8601 text, or as ``days:hours:minutes`` from
    *now*.

    Raises:
        ValueError: It is no moment.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no moment")
    try:
        seconds = float(value)
    except ValueError:
        return _moment_in(str(value).strip(), now)
    if not math.isfinite(seconds):
        raise ValueError("no moment")
    return seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds


def _moment_in(text: str, now: float) -> float:
    if span := _DAYS_AND_CLOCK.fullmatch(text):
        days, hours, minutes = (int(part) for part in span.groups())
        return now + days * 86_400 + hours * 3600 + minutes * 60
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def lifetime_of(value: Any, unit: Unit = "seconds") -> float:
    """Return a lifetime in seconds, given as a number of *unit*, or as text such as ``2h`` or ``1.5d``.

    Raises:
        ValueError: It is no lifetime.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no lifetime")
    if isinstance(value, str) and (span := _SPAN.fullmatch(value.strip())):
        seconds = float(span[1]) * _WORDS[span[2].lower()]
    else:
        seconds = float(value) * (0.001 if unit == "milliseconds" else 1.0)
    if not math.isfinite(seconds):
        raise ValueError("no lifetime")
    return seconds
