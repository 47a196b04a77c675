"""One SQLite handle per thread, closed before a fork and opened again after it."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nango_py.connections import at_fork
from nango_py.connections.gate import Gate
from nango_py.connections.messages import closed
from nango_py.connections.sqlite_file import BUSY_SECONDS, connect, prepare, store_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Handles"]


class _Handle:
    """Close a handle when its thread ends."""

    def __init__(self, path: Path) -> None:
        self.raw = connect(path)

    def __del__(self) -> None:
        if hasattr(self, "raw"):
            self.raw.close()


class Handles:
    """Lend each thread its handle on one file; the file is made at the first use.

    SQLite keeps its locks per process and believes in a forked child that it still holds the parent's. So all
    handles are closed before a fork; one that is busy for longer than a writer may wait is left to leak in the child.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gate = Gate()
        self._fresh()
        self._closed = False
        at_fork.watch(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the handle; each statement sees one state of the database."""
        with self._gate.passing():
            try:
                yield self._mine()
            except sqlite3.Error as error:
                raise store_error(error, self.path) from error

    @contextmanager
    def writing(self, *, is_durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Lend the handle inside a transaction that begins with the write lock and ends with the block.

        Without *is_durable* it does not wait for the disk: a crash of the machine may undo it, nothing else.
        """
        # Threads queue at our own lock: SQLite's polls, and may starve the one that holds a lease.
        with self.reading() as handle, self._writer:
            if not is_durable:
                handle.execute("PRAGMA synchronous=NORMAL")
            try:
                handle.execute("BEGIN IMMEDIATE")
                yield handle
                handle.execute("COMMIT")
            finally:
                if handle.in_transaction:
                    handle.execute("ROLLBACK")
                if not is_durable:
                    handle.execute("PRAGMA synchronous=FULL")

    def close(self) -> None:
        """Close every handle, once nobody uses one."""
        self._closed = True
        self.before_fork()
        self.after_fork(in_child=False)

    def before_fork(self) -> None:
        """Close every handle, unless one stays in use for too long."""
        if self._gate.shut(BUSY_SECONDS):
            for handle in tuple(self._all):
                handle.raw.close()
            self._forget()

    def after_fork(self, *, in_child: bool) -> None:
        """Admit threads again; in the child, forget what is still open without closing it."""
        if not in_child:
            self._gate.open()
            return
        for handle in tuple(self._all):
            at_fork.abandon(handle)
        self._gate = Gate()
        self._fresh()

    def _forget(self) -> None:
        self._local = threading.local()
        self._all: weakref.WeakSet[_Handle] = weakref.WeakSet()

    def _fresh(self) -> None:
        self._forget()
        self._writer = threading.Lock()
        self._preparing = threading.Lock()
        self._prepared = False

    def _mine(self) -> sqlite3.Connection:
        if self._closed:
            raise closed(str(self.path))
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is None:
            self._prepare()
            handle = self._local.handle = _Handle(self.path)
            self._all.add(handle)
        return handle.raw

    def _prepare(self) -> None:
        with self._preparing:
            if not self._prepared:
                prepare(self.path)
                self._prepared = True
