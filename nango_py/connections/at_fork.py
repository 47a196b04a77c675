"""Carry stores over ``os.fork``: quiet before it, fresh after it."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol

__all__ = ["Watched", "abandon", "watch"]


class Watched(Protocol):
    """A thing that must know about a fork."""

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork(self, *, in_child: bool) -> None:
        """Go on."""
        ...


class _Watch:
    """Call the living among the watched around every fork; register nothing before there is one."""

    def __init__(self) -> None:
        self.things: weakref.WeakSet[Watched] = weakref.WeakSet()
        self.resting: list[Watched] = []
        self.lock = threading.Lock()
        self.hooked = False

    def add(self, thing: Watched) -> None:
        with self.lock:
            self.things.add(thing)
            if not self.hooked and hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=self.before,
                    after_in_parent=lambda: self.after(in_child=False),
                    after_in_child=lambda: self.after(in_child=True),
                )
                self.hooked = True

    def before(self) -> None:
        self.lock.acquire()
        self.resting = list(self.things)
        for thing in self.resting:
            thing.before_fork()

    def after(self, *, in_child: bool) -> None:
        resting, self.resting = self.resting, []
        for thing in resting:
            thing.after_fork(in_child=in_child)
        self.lock.release()


_WATCH = _Watch()


def watch(thing: Watched) -> None:
    """Call *thing* around every fork as long as it lives; only a weak reference is kept."""
    _WATCH.add(thing)


def abandon(thing: object) -> None:
    """Let *thing* live until the process ends, so that nothing closes what a parent process still uses."""
    import ctypes  # noqa: PLC0415 - needed in some forked children only

    # A module-level list would be emptied, and its items closed, when the interpreter shuts down.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
