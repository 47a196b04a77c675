"""A store that lives and dies with the process, for tests and scripts."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nango_py.connections import at_fork
from nango_py.connections.messages import closed, duplicate, repeated_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.connections.store import Change, Row

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keep everything in this process; a forked child has its own copy from then on."""

    location = "memory://"
    shared = False
    may_make_key = False

    def __init__(self) -> None:
        self.own_key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._closed = False
        self._rows: dict[tuple[str, str], Row] = {}
        self._leases: dict[str, tuple[str, float]] = {}
        self._attempts: dict[str, tuple[str, float]] = {}
        self._counts: dict[str, tuple[str, float]] = {}
        at_fork.watch(self)

    def get(self, integration: str, user_id: str) -> Row | None:
        """Return the row of a connection, or None."""
        with self._open():
            return self._rows.get((integration, user_id))

    def version(self, integration: str, user_id: str) -> tuple[str, int] | None:
        """Return id and version of a connection, or None."""
        row = self.get(integration, user_id)
        return None if row is None else (row.id, row.version)

    def put(self, row: Row) -> None:
        """Insert *row*; a pair that is taken is a DuplicateConnection."""
        with self._open():
            if self._rows.setdefault((row.integration, row.user_id), row) is not row:
                raise duplicate(row)

    def compare_and_swap(self, row: Row, *, expected_version: int) -> bool:
        """Replace a row if it still has *expected_version*."""
        pair = row.integration, row.user_id
        with self._open():
            old = self._rows.get(pair)
            if old is None or (old.id, old.version) != (row.id, expected_version):
                return False
            self._rows[pair] = replace(row, created_at=old.created_at, version=expected_version + 1)
            return True

    def delete(self, integration: str, user_id: str) -> bool:
        """Delete a connection, and tell whether there was one."""
        with self._open():
            return self._rows.pop((integration, user_id), None) is not None

    def iterate(
        self,
        *,
        integration: str | None = None,
        user_id: str | None = None,
        page_size: int = 500,  # noqa: ARG002 - the rows are in memory already
    ) -> Iterator[Row]:
        """Yield rows ordered by id."""
        with self._open():
            rows = [
                row
                for row in self._rows.values()
                if integration in (None, row.integration) and user_id in (None, row.user_id)
            ]
        yield from sorted(rows, key=lambda row: row.id)

    def acquire_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Take a lease by the host's clock; None while another holds it."""
        with self._open():
            now = time.time()
            holder, end = self._leases.get(name, (owner, 0.0))
            if holder != owner and end > now:
                return None
            self._leases[name] = owner, now + seconds
            return now + seconds

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Prolong a lease that *owner* still holds."""
        with self._open():
            now = time.time()
            holder, end = self._leases.get(name, (None, 0.0))
            if holder != owner or end <= now:
                return None
            self._leases[name] = owner, now + seconds
            return now + seconds

    def release_lease(self, name: str, owner: str) -> bool:
        """Free a lease if *owner* holds it."""
        with self._open():
            if self._leases.get(name, (None, 0.0))[0] != owner:
                return False
            del self._leases[name]
            return True

    def put_attempt(self, state: str, sealed: str, expires_at: float, *, now: float | None = None) -> None:
        """Keep an OAuth attempt, and purge expired ones."""
        now = time.time() if now is None else now
        with self._open():
            self._attempts = {key: kept for key, kept in self._attempts.items() if kept[1] > now}
            if self._attempts.setdefault(state, (sealed, expires_at)) != (sealed, expires_at):
                raise repeated_state()

    def get_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Return what is kept of an OAuth attempt, or None."""
        now = time.time() if now is None else now
        with self._open():
            sealed, expires_at = self._attempts.get(state, (None, 0.0))
            return sealed if expires_at > now else None

    def take_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Remove an OAuth attempt and return what was kept, or None."""
        now = time.time() if now is None else now
        with self._open():
            sealed, expires_at = self._attempts.pop(state, (None, 0.0))
            return sealed if expires_at > now else None

    def revise(self, name: str, change: Change) -> None:
        """Let *change* replace the text under *name*."""
        with self._open():
            now = time.time()
            self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}
            text, seconds = change(self._counts.get(name, (None, 0.0))[0], now)
            self._counts[name] = text, now + seconds

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._rows, self._leases, self._attempts, self._counts = {}, {}, {}, {}

    def before_fork(self) -> None:
        """Let no other thread be in the middle of a change."""
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:  # noqa: ARG002 - a copied lock is held by its copied holder
        """Go on, in the parent and in the child."""
        self._lock.release()

    def _open(self) -> threading.Lock:
        if self._closed:
            raise closed(self.location)
        return self._lock
