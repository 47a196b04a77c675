"""A gate that short operations pass, and that can be shut once the last of them is through."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Gate"]


class Gate:
    """Let any number of operations through at once, or none."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._shut = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Count as inside until the block ends; wait first while the gate is shut."""
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if not self._inside:
                    self._changed.notify_all()

    def shut(self, patience: float) -> bool:
        """Admit nobody any more and tell whether everybody has left within *patience* seconds."""
        with self._changed:
            self._shut = True
            return self._changed.wait_for(lambda: not self._inside, patience)

    def open(self) -> None:
        """Admit operations again."""
        with self._changed:
            self._shut = False
            self._changed.notify_all()
