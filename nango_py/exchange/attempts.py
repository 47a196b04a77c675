"""The history of an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nango_py.http import Request, Response

__all__ = ["ATTEMPTS_EXTENSION", "Attempt", "attach", "attempts_of"]

ATTEMPTS_EXTENSION = "nango_attempts"
"""The response extension that holds the attempts of an exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: its number from 1, the answer's status or the kind of error, and what was decided.

    ``waited`` is the pause after it, in seconds; None when it was the last.
    """

    number: int
    status: int | None
    error: str | None
    decision: str
    waited: float | None


def attach(result: Response | BaseException, attempts: list[Attempt]) -> None:
    """Put the history on an answer or an error."""
    if isinstance(result, BaseException):
        result.attempts = tuple(attempts)  # type: ignore[attr-defined]
    else:
        result.extensions[ATTEMPTS_EXTENSION] = tuple(attempts)


def attempts_of(result: Response | BaseException) -> tuple[Attempt, ...]:
    """Return the history that an answer or an error bears."""
    if isinstance(result, BaseException):
        return tuple(getattr(result, "attempts", ()))
    return tuple(result.extensions.get(ATTEMPTS_EXTENSION, ()))


def described(request: Request) -> str:
    """Return a request for people: its method and URL without a query, which may hold credentials."""
    return f"{request.method} {request.url.copy_with(query=None, fragment=None, username=None, password=None)}"
