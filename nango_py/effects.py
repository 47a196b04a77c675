"""What a conversation may ask of the world: it yields an effect and is sent what came of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nango_py.http import Request, Response

__all__ = ["Call", "Close", "Effect", "Emit", "Flow", "Gather", "HandOver", "Join", "ReadAnswer", "Send", "Sleep"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; gives the answer, its body unread, or raises httpx's errors."""

    request: Request


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """Read the body of an answer; gives its bytes."""

    answer: Response


@dataclass(frozen=True, slots=True)
class Close:
    """Close an answer whose body nobody will read."""

    answer: Response


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand an open answer to whoever reads and closes it; gives a download.

    *failure* gives the error that one on the way means.
    """

    answer: Response
    failure: Callable[[Exception], Exception]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """Do short blocking work of the store: at once in a thread, in a worker thread beside an event loop.

    The work never waits for another exchange: 64 waiters inside worker threads would leave none for the one waited
    for.
    """

    work: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Join:
    """Wait for work that other threads do, at most for *seconds*; gives its result.

    The wait can be cancelled, or end in a TimeoutError: the work goes on.
    """

    start: Callable[[], Future[Any]]
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a value to whoever iterates; gives nothing."""

    value: Any


@dataclass(frozen=True, slots=True)
class Gather:
    """Do several flows, *at_most* so many at once; gives the list of what they end with, in their order.

    The first failure is raised, and ends the others: when it is, none of them is under way. They emit nothing.
    """

    flows: Sequence[Flow[Any]]
    at_most: int


Effect: TypeAlias = Send | ReadAnswer | Close | Sleep | Call | Join | Emit | HandOver | Gather
_T = TypeVar("_T")
Flow: TypeAlias = Generator[Effect, Any, _T]
"""A conversation that ends with a value."""
