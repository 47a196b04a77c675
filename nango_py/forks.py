"""A forked child starts without what is its parent's: connections, threads, and locks that nobody will release."""

from __future__ import annotations

import os
import threading
from typing import Any, Protocol
from weakref import WeakSet

__all__ = ["Lock", "bury", "watch"]


class _Forgetful(Protocol):
    def forget(self) -> None:
        """Drop, in a forked child, what belongs to the parent."""


_watched: WeakSet[Any] = WeakSet()
# Kept referenced until the process ends: closing an event loop's connection would also take it off the selector that
# the child shares with its parent.
_graveyard: list[object] = []
_registered: list[int] = []


def watch(thing: _Forgetful) -> None:
    """Call the thing's ``forget`` in every child that is forked while it lives."""
    if not _registered and hasattr(os, "register_at_fork"):
        _registered.append(os.getpid())
        os.register_at_fork(after_in_child=_forget)
    _watched.add(thing)


class Lock:
    """A reentrant lock that is free in a forked child, also where another thread of the parent held it."""

    def __init__(self) -> None:
        self.forget()
        watch(self)

    def forget(self) -> None:
        """Be free."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


def bury(things: object) -> None:
    """Keep what must neither be used nor closed."""
    _graveyard.append(things)


def _forget() -> None:
    for thing in list(_watched):
        thing.forget()
