"""Errors that an action gives a name of its own: by the same signs as reactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.policy.outcome import Outcome
    from nango_py.policy.reactions import When
    from nango_py.template import Template

__all__ = ["NamedError", "error_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedError:
    """The name of the error that an answer means, and its text over ``body``, ``status`` and what the action sees."""

    when: When
    name: str
    message: Template | None = None


def error_of(named: Iterable[NamedError], outcome: Outcome) -> NamedError | None:
    """Return the first whose signs the answer bears."""
    return next((each for each in named if each.when.matches(outcome)), None)
