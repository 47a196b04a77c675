"""What every store says in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.errors import DuplicateConnection, StoreError

if TYPE_CHECKING:
    from nango_py.connections.store import Row

__all__ = ["closed", "duplicate", "repeated_state"]


def closed(location: str) -> StoreError:
    """Return the error for the use of a store after ``close()``."""
    return StoreError(f"{location}: the store is closed. Open a new one, or close it after its last use.")


def duplicate(row: Row) -> DuplicateConnection:
    """Return the error for a second connection of one pair."""
    return DuplicateConnection(
        f"integration {row.integration!r} has a connection for user {row.user_id!r} already. "
        "Change it (update_connection_credentials), or delete it first (delete_connection)."
    )


def repeated_state() -> StoreError:
    """Return the error for a second OAuth attempt of one state."""
    return StoreError("an OAuth attempt of that state is stored already. Begin again with a new, random state.")
