"""What happens while an action runs, told to ``on_event``: frozen, without secrets, in the order of its happening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "AttemptMade",
    "Event",
    "Finished",
    "OnEvent",
    "PageRead",
    "Progress",
    "Renewed",
    "Started",
    "StepDone",
    "Waiting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event says: which execution of which action it is about, and for whom.

    ``parent_id`` is the execution that ran this one, by ``ctx.run`` or as a step, or None. ``elapsed`` counts the
    seconds since the execution began.
    """

    execution_id: str
    parent_id: str | None
    integration: str
    action: str
    user_id: str
    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """An execution began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptMade(Event):
    """A request was tried: the answer's ``status`` or the kind of ``error``, and what was decided.

    ``attempt`` counts from 1 for each request; ``path`` is without its query. ``wait`` is the pause until the next
    attempt, in seconds; None when there is none.
    """

    method: str
    host: str
    path: str
    attempt: int
    status: int | None
    error: str | None
    reason: str
    wait: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """The execution waits: for its turn (``rate_limit``), for a ``renewal``, or before it tries again (``retry``).

    ``seconds`` says how long, at most; None when nobody knows.
    """

    reason: Literal["rate_limit", "renewal", "retry"]
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Event):
    """The connection's credentials were renewed; ``seconds`` is what the execution waited for it."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead(Event):
    """A page of a list was read: its ``number`` from 1, its ``items``, and how many items there were so far."""

    number: int
    items: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone(Event):
    """A step of an action was done, or skipped for its ``when``."""

    step: str
    is_skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """A Python action says how far it got: ``done`` of ``total``, None where it does not know."""

    done: float
    total: float | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """An execution ended; ``error`` is the name of the exception's class.

    ``cancelled`` means that whoever asked for the action does not wait any more, or left its stream early.
    """

    outcome: Literal["success", "error", "cancelled"]
    error: str | None
    seconds: float


OnEvent: TypeAlias = Callable[[Event], None]
