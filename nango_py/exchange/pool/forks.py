"""A forked child starts with empty pools: the parent's connections are not its own."""

from __future__ import annotations

import os
from typing import Any, Protocol
from weakref import WeakSet

__all__ = ["bury", "watch"]


class _Forgetful(Protocol):
    def forget(self) -> None:
        """Drop, in a forked child, what belongs to the parent."""


_watched: WeakSet[Any] = WeakSet()
# Kept referenced until the process ends: closing an event loop's connection would also take it off the selector that
# the child shares with its parent.
_graveyard: list[object] = []
_registered: list[int] = []


def watch(pool: _Forgetful) -> None:
    """Call ``forget`` of the pool in every child that is forked while the pool lives."""
    if not _registered and hasattr(os, "register_at_fork"):
        _registered.append(os.getpid())
        os.register_at_fork(after_in_child=_forget)
    _watched.add(pool)


def bury(things: object) -> None:
    """Keep what must neither be used nor closed."""
    _graveyard.append(things)


def _forget() -> None:
    for pool in list(_watched):
        pool.forget()
