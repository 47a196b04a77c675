"""Hold a connection's lease, so that one process at a time renews it."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from nango_py.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.connections.store import Store

__all__ = ["LEASE_SECONDS", "Lease", "hold"]

LEASE_SECONDS = 30.0
"""A holder that dies blocks no longer than this."""
_NEEDED = 5 / 6
_TO_STORE = 1 / 6
_PATIENCE = 3 * LEASE_SECONDS
"""Longer than two holders that die one after the other."""
_POLL = 0.01
_SLOWEST_POLL = 0.1


class Lease:
    """Know how long a lease that was taken still lasts; real seconds, since its clock is the store's."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    @property
    def is_young(self) -> bool:
        """Whether there is time for a whole renewal, and for storing what it brings."""
        return self._left() > _NEEDED * LEASE_SECONDS

    @property
    def for_requests(self) -> float:
        """Seconds in which token requests must be over, so that what they bring can be stored."""
        return self._left() - _TO_STORE * LEASE_SECONDS

    def _left(self) -> float:
        """Return the seconds left, counted from before the lease was asked for."""
        return self._ends_at - time.monotonic()


@contextmanager
def hold(store: Store, name: str, *, until: Callable[[], bool]) -> Iterator[Lease | None]:
    """Take the lease *name*, waiting while another holds it; give None when *until* came true meanwhile.

    Raises:
        StoreError: Others hold it longer than anybody may.
    """
    owner = uuid.uuid4().hex
    lease = _take(store, name, owner, until)
    try:
        yield lease
    finally:
        if lease is not None:
            with suppress(StoreError):  # it ends by itself, and what was done under it counts
                store.release_lease(name, owner)


def _take(store: Store, name: str, owner: str, until: Callable[[], bool]) -> Lease | None:
    gives_up_at, pause = time.monotonic() + _PATIENCE, _POLL
    while True:
        lease = Lease(LEASE_SECONDS)
        if store.acquire_lease(name, owner, LEASE_SECONDS) is not None:
            return lease
        if until():
            return None
        if time.monotonic() > gives_up_at:
            raise StoreError(
                f"{store.location}: the lease {name!r} has been held by others for more than {_PATIENCE:g} s."
            )
        # Real time, not the engine's clock: another process is what is waited for.
        time.sleep(pause)
        pause = min(2 * pause, _SLOWEST_POLL)
