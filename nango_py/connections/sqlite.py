"""A store in one SQLite file: the default, for one machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.connections.messages import duplicate, repeated_state
from nango_py.connections.sqlite_handles import Handles
from nango_py.connections.store import FIELDS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.connections.store import Change

__all__ = ["SqliteStore"]

_SELECT = f"SELECT {', '.join(FIELDS)} FROM nango_py_connections"  # noqa: S608 - constants
_INSERT = (
    f"INSERT INTO nango_py_connections ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))}) "  # noqa: S608
    "ON CONFLICT (integration, user_id) DO NOTHING"
)
_SWAP = (
    "UPDATE nango_py_connections SET sealed = ?, connection_config = ?, metadata = ?, status = ?, updated_at = ?, "
    "version = ? WHERE id = ? AND version = ?"
)
_ACQUIRE = (
    "INSERT INTO nango_py_leases (name, owner, ends) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
    "SET owner = excluded.owner, ends = excluded.ends"
)
_ATTEMPT = "SELECT sealed FROM nango_py_attempts WHERE state = ? AND expires_at > ?"
_PAIR = "WHERE integration = ? AND user_id = ?"


class SqliteStore:
    """Keep everything in the SQLite file *path*, which is made at the first use, readable by its owner only.

    Registered means on the disk: commits are synchronous. Lease times are the host's clock.
    """

    shared = True
    may_make_key = True
    own_key = None

    def __init__(self, path: Path | str) -> None:
        self._handles = Handles(Path(path).absolute())

    @property
    def location(self) -> str:
        """Say which file it is."""
        return str(self._handles.path)

    def get(self, integration: str, user_id: str) -> Row | None:
        """Return the row of a connection, or None."""
        with self._handles.reading() as handle:
            found = handle.execute(f"{_SELECT} {_PAIR}", (integration, user_id)).fetchone()
        return None if found is None else _row(found)

    def version(self, integration: str, user_id: str) -> tuple[str, int] | None:
        """Return id and version of a connection, or None."""
        query = f"SELECT id, version FROM nango_py_connections {_PAIR}"  # noqa: S608 - constants
        with self._handles.reading() as handle:
            found: tuple[str, int] | None = handle.execute(query, (integration, user_id)).fetchone()
        return found

    def put(self, row: Row) -> None:
        """Insert *row*; a pair that is taken is a DuplicateConnection."""
        values = tuple(getattr(row, name) for name in FIELDS)
        with self._handles.writing() as handle:
            if not handle.execute(_INSERT, values).rowcount:
                raise duplicate(row)

    def compare_and_swap(self, row: Row, *, expected_version: int) -> bool:
        """Replace a row if it still has *expected_version*."""
        new = row.sealed, row.connection_config, row.metadata, row.status, row.updated_at, expected_version + 1
        with self._handles.writing() as handle:
            return bool(handle.execute(_SWAP, (*new, row.id, expected_version)).rowcount)

    def delete(self, integration: str, user_id: str) -> bool:
        """Delete a connection, and tell whether there was one."""
        statement = f"DELETE FROM nango_py_connections {_PAIR}"  # noqa: S608 - constants
        with self._handles.writing() as handle:
            return bool(handle.execute(statement, (integration, user_id)).rowcount)

    def iterate(
        self, *, integration: str | None = None, user_id: str | None = None, page_size: int = 500
    ) -> Iterator[Row]:
        """Yield rows ordered by id, one page in memory and no transaction between pages."""
        wanted = {"integration": integration, "user_id": user_id}
        filters = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(("id > ?", *(f"{name} = ?" for name in filters)))
        query, last = f"{_SELECT} WHERE {where} ORDER BY id LIMIT ?", ""
        while page := self._all(query, last, *filters.values(), page_size):
            yield from map(_row, page)
            last = page[-1][0]

    def acquire_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Take a lease by the host's clock; None while another holds it."""
        # Most callers wait for somebody else: they look without the write lock, which the holder needs.
        if self._is_held(name, owner):
            return None
        with self._handles.writing() as handle:
            now = time.time()
            if _held(handle.execute("SELECT owner, ends FROM nango_py_leases WHERE name = ?", (name,)), owner, now):
                return None
            handle.execute(_ACQUIRE, (name, owner, now + seconds))
            return now + seconds

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Prolong a lease that *owner* still holds."""
        statement = "UPDATE nango_py_leases SET ends = ? WHERE name = ? AND owner = ? AND ends > ?"
        with self._handles.writing() as handle:
            now = time.time()
            held = handle.execute(statement, (now + seconds, name, owner, now)).rowcount
        return now + seconds if held else None

    def release_lease(self, name: str, owner: str) -> bool:
        """Free a lease if *owner* holds it."""
        statement = "DELETE FROM nango_py_leases WHERE name = ? AND owner = ?"
        with self._handles.writing() as handle:
            return bool(handle.execute(statement, (name, owner)).rowcount)

    def put_attempt(self, state: str, sealed: str, expires_at: float, *, now: float | None = None) -> None:
        """Keep an OAuth attempt, and purge expired ones."""
        insert = "INSERT INTO nango_py_attempts (state, sealed, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        with self._handles.writing() as handle:
            handle.execute("DELETE FROM nango_py_attempts WHERE expires_at <= ?", (_moment(now),))
            if not handle.execute(insert, (state, sealed, expires_at)).rowcount:
                raise repeated_state()

    def get_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Return what is kept of an OAuth attempt, or None."""
        with self._handles.reading() as handle:
            found = handle.execute(_ATTEMPT, (state, _moment(now))).fetchone()
        return None if found is None else str(found[0])

    def take_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Remove an OAuth attempt and return what was kept, or None."""
        attempt = "FROM nango_py_attempts WHERE state = ?"
        with self._handles.writing() as handle:
            found = handle.execute(f"SELECT sealed, expires_at {attempt}", (state,)).fetchone()
            handle.execute(f"DELETE {attempt}", (state,))
        return found[0] if found and found[1] > _moment(now) else None

    def revise(self, name: str, change: Change) -> None:
        """Let *change* replace the text under *name*, in one transaction."""
        with self._handles.writing(is_durable=False) as handle:
            now = time.time()
            found = handle.execute("SELECT counted FROM nango_py_limits WHERE name = ?", (name,)).fetchone()
            if found is None:
                handle.execute("DELETE FROM nango_py_limits WHERE ends <= ?", (now,))
            text, seconds = change(None if found is None else found[0], now)
            handle.execute("INSERT OR REPLACE INTO nango_py_limits VALUES (?, ?, ?)", (name, text, now + seconds))

    def close(self) -> None:
        """Close the file."""
        self._handles.close()

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._handles.reading() as handle:
            return handle.execute(query, values).fetchall()

    def _is_held(self, name: str, owner: str) -> bool:
        with self._handles.reading() as handle:
            held = handle.execute("SELECT owner, ends FROM nango_py_leases WHERE name = ?", (name,))
            return _held(held, owner, time.time())


def _held(found: Any, owner: str, now: float) -> bool:
    """Tell whether somebody other than *owner* holds the lease that a cursor found."""
    lease = found.fetchone()
    return lease is not None and lease[0] != owner and lease[1] > now


def _moment(now: float | None) -> float:
    return time.time() if now is None else now


def _row(values: tuple[Any, ...]) -> Row:
    return Row(**dict(zip(FIELDS, values, strict=True)))
