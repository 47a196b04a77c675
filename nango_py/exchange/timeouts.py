"""How long one attempt may take, and each of its phases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nango_py.http import Timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.model import Integration, Timeouts

__all__ = ["TOTAL", "hurried", "phases_of", "timeout_of", "with_total"]

Phases = dict[str, float | None]
TOTAL = "total"
"""What stands beside httpx's phases: the seconds from the beginning of an attempt to the last byte of its answer."""
_PHASES = ("connect", "read", "write", "pool")
_SHORTEST = 0.001
"""A socket takes a timeout of 0 for a wish not to wait at all."""


def phases_of(integration: Integration, own: Timeouts | None = None) -> Phases:
    """Return the timeouts of an attempt, by an action's *own* where it has some; nobody changes what is returned."""
    return _phases(own or integration.timeouts, integration.http_request_timeout_seconds)


def timeout_of(integration: Integration) -> Timeout:
    """Return the timeouts of an attempt as httpx knows them, without the total."""
    return _timeout(integration.timeouts, integration.http_request_timeout_seconds)


def with_total(integration: Integration, phases: Mapping[str, float | None]) -> Mapping[str, float | None]:
    """Return a request's own timeouts, with the declared total unless the caller chose others."""
    declared = phases_of(integration)
    if TOTAL not in declared or TOTAL in phases:
        return phases
    return declared if all(phases.get(name) == declared[name] for name in _PHASES) else phases


def hurried(phases: Mapping[str, float | None], left: float) -> Phases:
    """Return timeouts that end an attempt in the seconds that are left."""
    left = max(left, _SHORTEST)
    return {
        name: left if seconds is None else min(seconds, left) for name, seconds in {**phases, TOTAL: left}.items()
    }


@lru_cache(maxsize=256)
def _timeout(timeouts: Timeouts, usual: float) -> Timeout:
    return Timeout(**{name: seconds for name, seconds in _phases(timeouts, usual).items() if name != TOTAL})


@lru_cache(maxsize=256)
def _phases(timeouts: Timeouts, usual: float) -> Phases:
    declared = {name: getattr(timeouts, name) for name in _PHASES}
    phases = {name: (usual if seconds is None else seconds) or None for name, seconds in declared.items()}
    return hurried(phases, timeouts.total) if timeouts.total else phases
