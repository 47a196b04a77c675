"""Time as a parameter: the engine asks a clock, so that tests travel instead of waiting."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tell the time and wait; everything is in seconds."""

    def now(self) -> float:
        """Return the UTC time since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return a time that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Suspend the calling task."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return the UTC time since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return a time that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Suspend the calling task."""
        import anyio  # noqa: PLC0415 - synchronous programs never need it

        await anyio.sleep(seconds)
