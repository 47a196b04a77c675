"""The file of an SQLite store: how it is made and opened, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from nango_py.connections.migrations import pending, shipped
from nango_py.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["connect", "prepare", "store_error"]

BUSY_SECONDS = 10.0
_OWN_FOLDER = ".nango"
_CREATING = threading.Lock()

_SAFE = "What was stored before is untouched."
_MEANINGS = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database. Name another file, or restore this one from a backup.",
    sqlite3.SQLITE_CORRUPT: (
        "is damaged. Copy it with its -wal file before anything else, then try `sqlite3 FILE .recover`, "
        "or restore it from a backup."
    ),
    sqlite3.SQLITE_FULL: f"cannot grow: the disk is full. Free some space and try again. {_SAFE}",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check that it is a file, and that this user may read and write it.",
    sqlite3.SQLITE_PERM: "may not be opened by this user. Give it read and write access to the file and its folder.",
    sqlite3.SQLITE_READONLY: "cannot be written. Give this user write access to the file and its folder.",
    sqlite3.SQLITE_BUSY: (
        f"has been locked by another process for more than {BUSY_SECONDS:.0f} seconds. Find that process, "
        f"or use PostgreSQL when many write at once. {_SAFE}"
    ),
    sqlite3.SQLITE_IOERR: "failed to read or write. Check the disk, and keep the file off network file systems.",
}


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what an SQLite error means for the user of the file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bits only refine the primary code
    return StoreError(f"{path} {_MEANINGS.get(code, f'cannot be used: {error}.')}")


def connect(path: Path) -> sqlite3.Connection:
    """Open a handle in autocommit mode; every thread needs its own."""
    # Any thread may *close* it, when the store closes or the process forks; only its own one runs statements.
    handle = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # NORMAL would lose the last commits in a power cut, and a rotated refresh token cannot be had twice.
        handle.execute("PRAGMA synchronous=FULL")
    except BaseException:
        handle.close()
        raise
    return handle


def prepare(path: Path) -> None:
    """Make the file and its tables where they are missing; raise :class:`StoreError` where that fails."""
    with _CREATING:
        _create(path)
    try:
        handle = connect(path)
        try:
            _use_wal(handle)
            _migrate(handle, str(path))
        finally:
            handle.close()
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def _create(path: Path) -> None:
    try:
        _make_folder(path.parent)
        # O_EXCL: opening and closing a database that this process uses would drop SQLite's locks on it (POSIX).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made: {error.strerror}. Make its folder, give this user write access to it, "
            "or name another file."
        ) from error


def _make_folder(folder: Path) -> None:
    if folder.name != _OWN_FOLDER or folder.exists():
        return
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _use_wal(handle: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; the file remembers it."""
    end = time.monotonic() + BUSY_SECONDS
    while handle.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            handle.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not wait here when two processes switch at once: it reports BUSY straight away.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return  # whatever mode the file system allows: some have no shared memory


def _migrate(handle: sqlite3.Connection, location: str) -> None:
    known = shipped("sqlite")
    if not pending(_applied(handle), known, location):
        return
    handle.execute("BEGIN IMMEDIATE")
    try:
        handle.execute(
            "CREATE TABLE IF NOT EXISTS nango_py_schema_version (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL)"
        )
        for step in pending(_applied(handle), known, location):
            for statement in step.statements:
                handle.execute(statement)
            handle.execute("INSERT INTO nango_py_schema_version VALUES (?, ?)", (step.number, step.checksum))
        handle.execute("COMMIT")
    except BaseException:
        if handle.in_transaction:
            handle.execute("ROLLBACK")
        raise


def _applied(handle: sqlite3.Connection) -> dict[int, str]:
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nango_py_schema_version'"
    if handle.execute(table).fetchone() is None:
        return {}
    return dict(handle.execute("SELECT number, checksum FROM nango_py_schema_version"))
