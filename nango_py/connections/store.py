"""What a connection store must offer; it sees sealed rows and never a credential."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.connections.connection import Status

__all__ = ["FIELDS", "Change", "Row", "Store"]

Change: TypeAlias = "Callable[[str | None, float], tuple[str, float]]"
"""What makes the new text of a count, and the seconds for which it matters, of the old one and the store's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold a connection as it is stored: credentials encrypted, the two mappings as JSON texts."""

    id: str
    integration: str
    user_id: str
    sealed: str
    connection_config: str = "{}"
    metadata: str = "{}"
    status: Status = "active"
    created_at: float
    updated_at: float
    version: int = 1


FIELDS = tuple(field.name for field in fields(Row))
"""The columns of the connections table, id first."""


class Store(Protocol):
    """Keep connections, leases and OAuth attempts.

    Every method is synchronous, short, atomic, and safe to call from any thread; it raises
    :class:`nango_py.errors.StoreError` when the store cannot be read or written. What a method has reported as
    stored survives the death of the process. A store must work in a forked child, without harm to the parent.
    """

    @property
    def location(self) -> str:
        """Say where the store is, for messages: a path or a URL, without password."""
        ...

    @property
    def shared(self) -> bool:
        """Tell whether other processes may write to it."""
        ...

    @property
    def may_make_key(self) -> bool:
        """Tell whether an encryption key may be made on the spot and kept in the user's configuration directory."""
        ...

    @property
    def own_key(self) -> bytes | None:
        """Return the key of a store that dies with this process; None for every other."""
        ...

    def get(self, integration: str, user_id: str) -> Row | None:
        """Return the row of a connection, or None."""
        ...

    def version(self, integration: str, user_id: str) -> tuple[str, int] | None:
        """Return id and version of a connection, or None; cheaper than :meth:`get`."""
        ...

    def put(self, row: Row) -> None:
        """Insert *row*; raise :class:`nango_py.errors.DuplicateConnection` when its pair is taken."""
        ...

    def compare_and_swap(self, row: Row, *, expected_version: int) -> bool:
        """Replace the row of ``row.id`` if it still has *expected_version*, and tell whether that was so.

        Everything but id, pair and ``created_at`` is replaced; the new version is *expected_version* + 1, whatever
        ``row.version`` says.
        """
        ...

    def delete(self, integration: str, user_id: str) -> bool:
        """Delete a connection, and tell whether there was one."""
        ...

    def iterate(
        self, *, integration: str | None = None, user_id: str | None = None, page_size: int = 500
    ) -> Iterator[Row]:
        """Yield rows ordered by id, reading *page_size* at a time; memory is one page.

        No lock or transaction is held between pages: a row that lives during the whole walk comes exactly once.
        """
        ...

    def acquire_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Take the lease *name* for *seconds*; return its end by the store's clock, or None while another holds it.

        The store's clock is the database server's, or the host's for a file. *owner* must be unique per holder; the
        owner of a live lease may take it again, which prolongs it.
        """
        ...

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        """Let a lease end *seconds* from now; return its end, or None when *owner* no longer holds it."""
        ...

    def release_lease(self, name: str, owner: str) -> bool:
        """Free a lease if *owner* holds it, and tell whether that was so; nobody else's release frees it."""
        ...

    def put_attempt(self, state: str, sealed: str, expires_at: float, *, now: float | None = None) -> None:
        """Keep an OAuth attempt until *expires_at*, and purge those that have expired at *now*.

        Times are UTC seconds since the epoch; without *now* the host's clock counts.
        """
        ...

    def get_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Return what is kept of an OAuth attempt, which stays, or None if there is none that lives at *now*."""
        ...

    def take_attempt(self, state: str, *, now: float | None = None) -> str | None:
        """Remove an OAuth attempt and return what was kept, or None; exactly one of many callers gets it.

        An attempt that has expired at *now* never comes back.
        """
        ...

    def revise(self, name: str, change: Change) -> None:
        """Let *change* replace the text kept under *name*, None at first; nobody else does so in between.

        *change* is short and is called once. Where it raises, nothing is changed. What was kept may be lost in a
        crash of the machine, and may be purged after the seconds for which it mattered.
        """
        ...

    def close(self) -> None:
        """Let go of files and sockets; using the store afterwards is a StoreError, closing it again is not."""
        ...
