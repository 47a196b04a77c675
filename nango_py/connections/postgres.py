"""A store in a PostgreSQL database: for many processes and machines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nango_py.connections.messages import duplicate, repeated_state
from nango_py.connections.postgres_server import Server
from nango_py.connections.store import FIELDS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.connections.store import Change

__all__ = ["PostgresStore"]

_SELECT = f"SELECT {', '.join(FIELDS)} FROM nango_py_connections"  # noqa: S608 - constants
_INSERT = (
    f"INSERT INTO nango_py_connections ({', '.join(FIELDS)}) VALUES ({', '.join(['%s'] * len(FIELDS))}) "  # noqa: S608
    "ON CONFLICT (integration, user_id) DO NOTHING"
)
_SWAP = (
    "UPDATE nango_py_connections SET sealed = %s, connection_config = %s, metadata = %s, status = %s, "
    "updated_at = %s, version = %s WHERE id = %s AND version = %s"
)
_PAIR = "WHERE integration = %s AND user_id = %s"

# clock_timestamp(), for now() stands still while a statement waits for the row.
_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_ACQUIRE = (
    f"INSERT INTO nango_py_leases AS held (name, owner, ends) VALUES (%s, %s, {_NOW} + %s) "  # noqa: S608 - constants
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, ends = excluded.ends "
    f"WHERE held.owner = excluded.owner OR held.ends <= {_NOW} RETURNING ends"
)
_RENEW = (
    f"UPDATE nango_py_leases SET ends = {_NOW} + %s WHERE name = %s AND owner = %s AND ends > {_NOW} RETURNING ends"  # noqa: S608
)

# A crash of the server may undo the last half second of what is counted; waiting for its disk would cost more.
_READ_COUNT = (
    "BEGIN; SET LOCAL synchronous_commit = off; SELECT counted FROM nango_py_limits WHERE name = %s FOR UPDATE; "  # noqa: S608
    f"SELECT {_NOW}"
)
_WRITE_COUNT = "UPDATE nango_py_limits SET counted = %s, ends = %s WHERE name = %s; COMMIT"
_FIRST_COUNT = "INSERT INTO nango_py_limits VALUES (%s, '', 0) ON CONFLICT DO NOTHING"
_PURGE_COUNTS = (
    "DELETE FROM nango_py_limits WHERE name IN "  # noqa: S608 - constants
    f"(SELECT name FROM nango_py_limits WHERE ends <= {_NOW} FOR UPDATE SKIP LOCKED)"
)


class PostgresStore:
    """Keep everything in the database at *url* (``postgresql://...``), in tables named ``nango_py_*``.

    The first use connects and makes the tables. Lease times are the server's clock.
    """

    shared = True
    may_make_key = False
    own_key = None

    def __init__(self, url: str) -> None:
        self._server = Server(url)

    @property
    def location(self) -> str:
        """Say which database it is, without user and password."""
        return self._server.location

    def get(self, integration: str, user_id: str) -> Row | None:
        """Return the row of a connection, or None."""
        found = self._one(f"{_SELECT} {_PAIR}", integration, user_id)
        return None if found is None else _row(found)

    def version(self, integration: str, user_id: str) -> tuple[str, int] | None:
        """Return id and version of a connection, or None."""
        query = f"SELECT id, version FROM nango_py_connections {_PAIR}"  # noqa: S608 - constants
        found: tuple[str, int] | None = self._one(query, integration, user_id)
        return found

    def put(self, row: Row) -> None:
        """Insert *row*; a pair that is taken is a DuplicateConnection."""
        if not self._count(_INSERT, *(getattr(row, name) for name in FIELDS)):
            raise duplicate(row)

    def compare_and_swap(self, row: Row, *, expected_version: int) -> bool:
        """Replace a row if it still has *expected_version*."""
        new = row.sealed, row.connection_config, row.metadata, row.status, row.updated_at, expected_version + 1
        return bool(self._count(_SWAP, *new, row.id, expected_version))

    def delete(self, integration: str, user_id: str) -> bool:
        """Delete a connection, and tell whether there was one."""
        statement = f"DELETE FROM nango_py_connections {_PAIR}"  # noqa: S608 - constants
        return bool(self._count(statement, integration, user_id))

    def iterate(
        self, *, integration: str | None = None, user_id: str | None = None, page_size: int = 500
    ) -> Iterator[Row]:
        """Yield rows ordered by id, one page in memory and no transaction between pages."""
        wanted = {"integration": integration, "user_id": user_id}
        filters = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(("id > %s", *(f"{name} = %s" for name in filters)))
        query, last = f"{_SELECT} WHERE {where} ORDER BY id LIMIT %s", ""
        while page := self._all(query, last, *filters.values(), page_size):
            yield from map(_row, page)
            last = page[-1][0]

    def acquire_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Take a lease by the server's clock; None while another holds it."""
        found = self._one(_ACQUIRE, name, owner, seconds)
        return None if found is None else float(found[0])

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Prolong a lease that *owner* still holds."""
        found = self._one(_RENEW, seconds, name, owner)
        return None if found is None else float(found[0])

    def release_lease(self, name: str, owner: str) -> bool:
        """Free a lease if *owner* holds it."""
        return bool(self._count("DELETE FROM nango_py_leases WHERE name = %s AND owner = %s", name, owner))

    def put_attempt(self, state: str, sealed: str, expires_at: float, *, now: float | None = None) -> None:
        """Keep an OAuth attempt, and purge expired ones."""
        insert = (
            "INSERT INTO nango_py_attempts (state, sealed, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        )
        self._count("DELETE FROM nango_py_attempts WHERE expires_at <= %s", _moment(now))
        if not self._count(insert, state, sealed, expires_at):
            raise repeated_state()

    def get_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Return what is kept of an OAuth attempt, or None."""
        statement = "SELECT sealed FROM nango_py_attempts WHERE state = %s AND expires_at > %s"
        found = self._one(statement, state, _moment(now))
        return None if found is None else str(found[0])

    def take_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Remove an OAuth attempt and return what was kept, or None."""
        statement = "DELETE FROM nango_py_attempts WHERE state = %s RETURNING sealed, expires_at"
        found = self._one(statement, state)
        return found[0] if found and found[1] > _moment(now) else None

    def revise(self, name: str, change: Change) -> None:
        """Let *change* replace the text under *name*, in one transaction of two round trips."""
        while not self._is_revised(name, change):
            self._count(_PURGE_COUNTS)
            self._count(_FIRST_COUNT, name)

    def _is_revised(self, name: str, change: Change) -> bool:
        """Tell whether there was a row to revise."""
        with self._server.lending() as connection, self._server.bundling(connection) as cursor:
            try:
                cursor.execute(_READ_COUNT, (name,))
                cursor.nextset()
                cursor.nextset()
                found = cursor.fetchone()
                if found is None:
                    return False
                cursor.nextset()
                now = cursor.fetchall()[0][0]
                text, seconds = change(found[0] or None, now)
                cursor.execute(_WRITE_COUNT, (text, now + seconds, name))
            finally:
                if not connection.broken and connection.info.transaction_status:
                    connection.rollback()
        return True

    def close(self) -> None:
        """Close the pool."""
        self._server.close()

    def _one(self, statement: str, *values: Any) -> Any:
        with self._server.lending() as connection:
            return connection.execute(statement.encode(), values).fetchone()

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._server.lending() as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def _count(self, statement: str, *values: Any) -> int:
        with self._server.lending() as connection:
            return connection.execute(statement.encode(), values).rowcount


def _moment(now: float | None) -> float:
    return time.time() if now is None else now


def _row(values: tuple[Any, ...]) -> Row:
    return Row(**dict(zip(FIELDS, values, strict=True)))
