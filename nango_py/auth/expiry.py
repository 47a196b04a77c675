"""Read when a token expires, in every form that token answers use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["moment_of", "stated_expiry"]

_MILLISECONDS_FROM = 1e11
"""Later than the year 5138 in seconds: such a number counts milliseconds."""


def stated_expiry(answer: Mapping[str, Any], *, now: float) -> float | None:
    """Return when a token expires, in seconds since the epoch: ``expires_at`` first, then ``expires_in`` from *now*.

    Raises:
        ValueError: What is stated is no time.
    """
    if answer.get("expires_at") not in {None, ""}:
        return moment_of(answer["expires_at"])
    if answer.get("expires_in") not in {None, ""}:
        return now + float(answer["expires_in"])
    return None


def moment_of(value: Any) -> float:
    """Return a moment given as seconds or milliseconds since the epoch, or as ISO 8601 text, as seconds.

    Raises:
        ValueError: It is no moment.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no moment")
    try:
        seconds = float(value)
    except ValueError:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds
