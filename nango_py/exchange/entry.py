"""One request before a gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nango_py.policy.tally import Claim

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Entry", "TooLate"]


class TooLate(Exception):  # noqa: N818 - no failure: a question answered
    """A request's turn would come later than it can wait; ``seconds`` says when, where that is known."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    @classmethod
    def check(cls, wait: float, *, longest: float, left: float) -> None:
        """Raise it where a wait of so many seconds, infinity for nobody knows, is more than there is time for."""
        is_known = math.isfinite(wait)
        if left <= 0 or (is_known and wait > min(longest, left)):
            raise cls(wait if is_known else None)


@dataclass(slots=True, eq=False)
class Entry(Claim):
    """One request's way through a gate."""

    ticket: Future[None] | None = None
    came_at: float = 0.0
    """When it stood in line, by the engine's monotonic clock."""
    has_passed: bool = False
    owner: str = ""
    """Under what name a process counts it, where processes share the limits."""

    def wake(self) -> None:
        """Let whoever waits for it ask again."""
        if self.ticket is not None and not self.ticket.done():
            self.ticket.set_result(None)
