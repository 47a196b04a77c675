"""What goes wrong at a simulated provider, and when: the same every time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAULTS", "Fault", "Faults"]

Fault = Literal[
    "reset", "unavailable", "slow", "truncated", "refused_without_headers", "error_in_success", "expired_token"
]
FAULTS: tuple[Fault, ...] = (
    "reset",
    "unavailable",
    "slow",
    "truncated",
    "refused_without_headers",
    "error_in_success",
    "expired_token",
)
"""Every kind: the connection breaks before the answer; 503; the answer takes ``slow_seconds``; it breaks off in its
middle; 429 with no word on when; 200 with an error in its body; the access token ends before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Say which authorized requests, counted from 1, meet which fault.

    ``at`` names them one by one. Beside it, a ``share`` of all requests (0 to 1) meets one of ``kinds``, chosen by
    ``seed``; each begins a run of up to ``burst`` requests.
    """

    at: Mapping[int, Fault] = field(default_factory=dict)
    share: float = 0
    kinds: tuple[Fault, ...] = ("reset", "unavailable", "truncated", "refused_without_headers")
    burst: int = 1
    seed: int = 0
    slow_seconds: float = 5

    def of(self, number: int) -> Fault | None:
        """Return the fault that request *number* meets."""
        if number in self.at:
            return self.at[number]
        for first in range(max(1, number - self.burst + 1), number + 1):
            chance = random.Random(f"{self.seed}:{first}")  # noqa: S311 - faults are chosen, not guarded
            if chance.random() < self.share and number < first + chance.randint(1, self.burst):
                return chance.choice(self.kinds)
        return None
