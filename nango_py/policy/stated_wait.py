"""How long a server says to wait: every form in which providers write it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

__all__ = ["Strategy", "Unit", "parse_rate_limit", "parse_wait"]

Strategy = Literal["after", "at", "auto"]
Unit = Literal["seconds", "milliseconds"]

LONGEST: Final = 256
# Smaller numbers are time to wait, these are seconds since the epoch (from 2001 on), larger ones milliseconds.
EPOCH_SECONDS: Final = 1e9
EPOCH_MILLISECONDS: Final = 1e11

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|us|ns|d|h|m|s)\s*)+")
_DURATION_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|us|ns|d|h|m|s)")
_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MEMBER: Final = re.compile(r"([A-Za-z_*-]+)\s*=\s*\"?([0-9]+(?:\.[0-9]+)?)")


def parse_wait(text: str, *, strategy: Strategy, now: float, unit: Unit = "seconds") -> float | None:
    """Return the seconds to wait from ``now``, or None where the text says nothing usable or a time gone by.

    Every strategy reads HTTP dates, ISO 8601, times since the epoch in seconds or milliseconds, and durations such as
    ``6m0s``. A small bare number is time left, in ``unit``, under ``after`` and ``auto``, and no time at all under
    ``at``.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    if _NUMBER.fullmatch(text):
        return _usable(_from_number(float(text), strategy, unit, now))
    if _DURATION.fullmatch(text):
        return _usable(sum(float(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(text)))
    moment = _moment(text)
    return None if moment is None else _usable(moment - now)


def parse_rate_limit(text: str) -> float | None:
    """Return the seconds until the limit is reset, from a ``RateLimit`` header.

    Reads ``"name";r=0;t=30, ...`` (draft-ietf-httpapi-ratelimit-headers-08 and later) and the older
    ``limit=100, remaining=0, reset=5``. Of several limits the used-up ones count, and of those the longest.
    """
    limits = _limits(text[:4096])
    used_up = [reset for remaining, reset in limits if remaining == 0]
    return _usable(max(used_up or [reset for _, reset in limits], default=math.nan))


def _from_number(value: float, strategy: Strategy, unit: Unit, now: float) -> float:
    if value >= EPOCH_MILLISECONDS:
        return value / 1000 - now
    # As milliseconds these are weeks, and no provider means the epoch where it counts down.
    if value >= EPOCH_SECONDS and (strategy, unit) != ("after", "milliseconds"):
        return value - now
    if strategy == "at":
        return math.nan
    return value / 1000 if unit == "milliseconds" else value


def _usable(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _moment(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.removesuffix(" UTC"))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, LookupError, OverflowError):
            continue
    return None


def _limits(text: str) -> list[tuple[float | None, float]]:
    limits: list[tuple[float | None, float]] = []
    remaining: float | None = None
    for name, value in _MEMBER.findall(text):
        if name.lower() in ("r", "remaining"):
            remaining = float(value)
        elif name.lower() in ("t", "reset"):
            limits.append((remaining, float(value)))
            remaining = None
    return limits
