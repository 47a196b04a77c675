"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.connections.memory import MemoryStore
from nango_py.errors import UsageError
from nango_py.location import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.connections.store import Store

__all__ = ["DEFAULT_PATH", "open_store"]

DEFAULT_PATH = Path(".nango", "connections.db")
_FORMS = "sqlite:///relative.db, sqlite:////absolute.db, postgresql://HOST/DATABASE or memory://"


def open_store(url_or_store: str | Store | None, environ: Mapping[str, str]) -> Store:
    """Return the store at a URL; None means ``NANGO_STORE``, or else ``.nango/connections.db`` here.

    Files and connections are opened at the first use. A message never quotes more of a URL than its scheme.
    """
    if url_or_store is None:
        url_or_store = environ.get("NANGO_STORE") or f"sqlite:///{DEFAULT_PATH.as_posix()}"
    if not isinstance(url_or_store, str):
        return url_or_store
    scheme, mark, rest = url_or_store.partition("://")
    if not mark:
        raise UsageError(f"the store must be given as a URL: {_FORMS}.")
    return _opened(scheme.lower(), url_or_store, rest)


def _opened(scheme: str, url: str, rest: str) -> Store:
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme in ("postgresql", "postgres"):
        from nango_py.connections.postgres import PostgresStore  # noqa: PLC0415 - an extra, and slow to import

        return PostgresStore(url)
    if scheme == "memory" and not rest:
        return MemoryStore()
    hint = did_you_mean(scheme, ("sqlite", "postgresql", "memory"))
    raise UsageError(f"unknown store {scheme!r}. {hint} Write {_FORMS}.")


def _sqlite(rest: str) -> Store:
    from nango_py.connections.sqlite import SqliteStore  # noqa: PLC0415 - a program with PostgreSQL never needs it

    host, slash, path = rest.partition("/")
    if host or not slash or not path or path == ":memory:" or "?" in path:
        raise UsageError(
            "a SQLite store has three slashes and a path, and no options: sqlite:///relative.db or "
            "sqlite:////absolute.db. For a store in memory write memory://."
        )
    return SqliteStore(Path(path))
