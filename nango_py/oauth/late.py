"""Keep what attempts brought and the store did not take, until it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nango_py import forks
from nango_py.oauth.attempt import ATTEMPT_SECONDS

if TYPE_CHECKING:
    from nango_py.auth.grant import Obtained
    from nango_py.clock import Clock
    from nango_py.oauth.attempt import Attempt

__all__ = ["LateGrants"]

_MOST = 1000
"""Grants in memory; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LateGrant:
    attempt: Attempt
    obtained: Obtained = field(repr=False)
    ends_at: float


class LateGrants:
    """Grants by the name of their attempt, each for as long as an attempt may take; they are written nowhere."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = forks.Lock()
        self._kept: dict[str, _LateGrant] = {}

    def keep(self, name: str, attempt: Attempt, obtained: Obtained) -> None:
        """Keep what *attempt* brought."""
        ends_at = self._clock.monotonic() + ATTEMPT_SECONDS
        with self._lock:
            self._forget_old()
            self._kept[name] = _LateGrant(attempt=attempt, obtained=obtained, ends_at=ends_at)
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]

    def attempt(self, name: str) -> Attempt | None:
        """Return the attempt whose grant is kept; the grant stays."""
        with self._lock:
            self._forget_old()
            found = self._kept.get(name)
            return None if found is None else found.attempt

    def take(self, name: str) -> Obtained | None:
        """Return what is kept, once."""
        with self._lock:
            self._forget_old()
            found = self._kept.pop(name, None)
            return None if found is None else found.obtained

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        self._kept = {name: kept for name, kept in self._kept.items() if kept.ends_at > now}
