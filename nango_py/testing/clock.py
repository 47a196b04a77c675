"""A clock that tests move."""

from __future__ import annotations

import threading

__all__ = ["ManualClock"]


class ManualClock:
    """Stand still until told otherwise; sleeping advances at once and is recorded in ``slept``, in seconds."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> float:
        """Return the UTC time since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Return a time that never goes back."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, and remember it."""
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds

    async def asleep(self, seconds: float) -> None:
        """Let time pass, and remember it."""
        self.sleep(seconds)
