"""The server of a PostgreSQL store: pool, migrations, and what its errors mean."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nango_py.connections import at_fork
from nango_py.connections.messages import closed
from nango_py.connections.migrations import pending, shipped
from nango_py.errors import StoreError
from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg_pool import ConnectionPool

__all__ = ["Server"]

CONNECT_SECONDS = 10
POOL_SIZE = 10
_MIGRATION_LOCK = 5281490317
"""An arbitrary number: advisory locks are shared by every program that uses the database."""

_VERSION_TABLE = (
    "CREATE TABLE IF NOT EXISTS nango_py_schema_version (number bigint PRIMARY KEY, checksum text NOT NULL)"
)


class Server:
    """Lend connections to one PostgreSQL database; the first use connects and migrates.

    A forked child must not talk on the parent's sockets: it drops the pool without closing it, and makes its own.
    """

    _pool: ConnectionPool[Any] | None
    _lock: threading.Lock

    def __init__(self, url: str) -> None:
        self._psycopg = _psycopg()
        self._url = Secret(url)
        self.location = self._describe()
        self._closed = False
        self._fresh()
        at_fork.watch(self)

    @contextmanager
    def lending(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection in autocommit mode."""
        pool = self._opened()
        with self._explained(), pool.connection() as connection:
            yield connection

    def bundling(self, connection: psycopg.Connection[Any]) -> psycopg.ClientCursor[Any]:
        """Return a cursor that sends several statements, with their values, in one round trip."""
        return self._psycopg.ClientCursor(connection)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the pool; connections lent at the moment are closed when they come back."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def before_fork(self) -> None:
        """Let no other thread be in the middle of making the pool."""
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; in the child with no pool."""
        self._lock.release()
        if in_child:
            if self._pool is not None:
                at_fork.abandon(self._pool)
            self._fresh()

    def _fresh(self) -> None:
        self._lock = threading.Lock()
        self._pool = None

    def _opened(self) -> ConnectionPool[Any]:
        with self._lock:
            if self._closed:
                raise closed(self.location)
            if self._pool is None:
                self._migrate()
                self._pool = self._make_pool()
            return self._pool

    def _make_pool(self) -> ConnectionPool[Any]:
        from psycopg_pool import ConnectionPool  # noqa: PLC0415 - an extra, and slow to import

        return ConnectionPool(
            self._url.reveal(),
            min_size=1,
            max_size=POOL_SIZE,
            timeout=CONNECT_SECONDS,
            # No prepared statements: a pooler such as PgBouncer hands each transaction to another server process.
            kwargs={"autocommit": True, "connect_timeout": CONNECT_SECONDS, "prepare_threshold": None},
            check=ConnectionPool.check_connection,  # a restarted server is met here, not in the middle of a statement
            open=True,
        )

    def _migrate(self) -> None:
        known = shipped("postgres")
        with self._explained():
            url = self._url.reveal()
            with self._psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
                if pending(_applied(connection), known, self.location):
                    self._apply(connection)

    def _apply(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            # Two processes that start at once queue here; the later one finds nothing left to do.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            connection.execute(_VERSION_TABLE)
            for step in pending(_applied(connection), shipped("postgres"), self.location):
                for statement in step.statements:
                    connection.execute(statement.encode())
                connection.execute(
                    "INSERT INTO nango_py_schema_version VALUES (%s, %s)", (step.number, step.checksum)
                )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from psycopg_pool import PoolTimeout  # noqa: PLC0415 - an extra, and slow to import

        try:
            yield
        except PoolTimeout as error:
            raise StoreError(
                f"{self.location}: no connection within {CONNECT_SECONDS} seconds. Check that the server runs and "
                f"allows {POOL_SIZE} connections to each process."
            ) from error
        except self._psycopg.Error as error:
            raise StoreError(f"{self.location}: {self._words(error)}") from self._harmless(error)

    def _describe(self) -> str:
        """Return a URL without user, password and options."""
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - an extra, and slow to import

        try:
            parts = conninfo_to_dict(self._url.reveal())
        except self._psycopg.Error:
            # libpq quotes the text that it cannot read, which may be the password: its message must not be chained.
            raise StoreError(
                "the PostgreSQL URL cannot be read. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE and "
                "percent-encode special characters in the password."
            ) from None
        host, port = parts.get("host") or parts.get("hostaddr") or "", parts.get("port")
        return f"postgresql://{host}{f':{port}' if port else ''}/{parts.get('dbname') or ''}"

    def _words(self, error: psycopg.Error) -> str:
        # The detail of a server's message quotes row values; the first line does not.
        words = error.diag.message_primary or str(error).partition("\n")[0]
        hint = (
            " Check the URL, and that the server runs." if isinstance(error, self._psycopg.OperationalError) else ""
        )
        return f"{words.rstrip('. ')}.{hint}"

    def _harmless(self, error: psycopg.Error) -> psycopg.Error | None:
        return error if error.diag.message_detail is None else None


def _applied(connection: psycopg.Connection[Any]) -> dict[int, str]:
    found = connection.execute("SELECT to_regclass('nango_py_schema_version')").fetchone()
    if found is None or found[0] is None:
        return {}
    return dict(connection.execute("SELECT number, checksum FROM nango_py_schema_version").fetchall())


def _psycopg() -> Any:
    try:
        import psycopg  # noqa: PLC0415 - an extra, and slow to import
        import psycopg_pool  # noqa: F401, PLC0415 - told missing here, not at the first statement
    except ImportError as error:
        raise StoreError("a PostgreSQL store needs psycopg: pip install 'nango-py[postgres]'") from error
    return psycopg
