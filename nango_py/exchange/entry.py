"""One request before a gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nango_py.policy.learnt_limit import Sent

__all__ = ["Entry", "TooLate"]


class TooLate(Exception):  # noqa: N818 - no failure: a question answered
    """A request's turn would come later than it can wait; ``seconds`` says when, where that is known."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True, eq=False)
class Entry:
    """One request's way through a gate."""

    method: str
    path: str
    may_explore: bool = True
    ticket: Future[None] | None = None
    answered_before: int = 0
    in_flight: tuple[int, ...] = ()
    """The declared limits that count it as in flight, by their places."""
    learnt: dict[str, Sent] = field(default_factory=dict)
    passed_at: float = 0.0
