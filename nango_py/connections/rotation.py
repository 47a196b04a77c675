"""Encrypt every row with the newest key, one compare-and-swap at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from nango_py.connections.keyring import sealed_with
from nango_py.errors import DecryptionError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.connections.keyring import KeyRing
    from nango_py.connections.store import Row, Store

__all__ = ["Rotation", "rotate"]

LEASE = "keys.rotate"
LEASE_SECONDS = 60.0
_RENEW_EVERY = 20
"""Rows between two renewals of the lease: far less than a minute of work, even on a slow disk."""

_Outcome = Literal["rotated", "current", "deleted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Count what became of the rows: *current* ones had the newest key already, *failed* ones cannot be opened.

    *failed_ids* names the failed ones once the walk is over.
    """

    rotated: int = 0
    current: int = 0
    deleted: int = 0
    failed: int = 0
    failed_ids: tuple[str, ...] = ()


def rotate(store: Store, keys: KeyRing, aad: Callable[[str], str], progress: Callable[[Rotation], None]) -> Rotation:
    """Encrypt every row of *store* with the newest of *keys*; another rotation at the same time is a StoreError.

    Rows that cannot be opened are counted, and the rest goes on. What is done stays done when the process dies; the
    next rotation can start when the lease of the dead one has run out.
    """
    owner = uuid.uuid4().hex
    if store.acquire_lease(LEASE, owner, LEASE_SECONDS) is None:
        raise StoreError(
            f"{store.location}: another rotation of keys is going on. Wait for its end; if its process died, "
            f"try again in {LEASE_SECONDS:.0f} seconds."
        )
    try:
        return _walk(store, keys, aad, progress, owner)
    finally:
        store.release_lease(LEASE, owner)


def _walk(
    store: Store, keys: KeyRing, aad: Callable[[str], str], progress: Callable[[Rotation], None], owner: str
) -> Rotation:
    counts, failed = Rotation(), list[str]()
    for number, row in enumerate(store.iterate(), 1):
        outcome = _reseal(store, keys, aad, row)
        counts = replace(counts, **{outcome: getattr(counts, outcome) + 1})
        if outcome == "failed":
            failed.append(row.id)
        progress(counts)
        if number % _RENEW_EVERY == 0:
            _keep(store, owner)
    return replace(counts, failed_ids=tuple(failed))


def _keep(store: Store, owner: str) -> None:
    if store.renew_lease(LEASE, owner, LEASE_SECONDS) is None:
        raise StoreError(f"{store.location}: the rotation of keys stalled and lost its lease. Start it again.")


def _reseal(store: Store, keys: KeyRing, aad: Callable[[str], str], row: Row) -> _Outcome:
    """Encrypt one row anew, again from the start whenever somebody changes it meanwhile."""
    current: Row | None = row
    while current is not None and current.id == row.id:
        try:
            plain = keys.open(current.sealed, aad=aad(current.id))
        except DecryptionError:
            return "failed"
        if sealed_with(current.sealed) == keys.newest:
            return "current"
        fresh = replace(current, sealed=keys.seal(plain, aad=aad(current.id)))
        if store.compare_and_swap(fresh, expected_version=current.version):
            return "rotated"
        current = store.get(row.integration, row.user_id)
    return "deleted"
