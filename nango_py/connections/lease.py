"""Hold a connection's lease, so that one process at a time renews it."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Self

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
    """A lease that was taken; leaving its context gives it back, unless it was kept meanwhile.

    How long it lasts is counted in real seconds, since its clock is the store's.
    """

    def __init__(self, store: Store, name: str, owner: str) -> None:
        self._store = store
        self._name = name
        self._owner = owner
        self._is_kept = False
        self._begins()

    def _begins(self) -> None:
        """Count from before the store is asked."""
        self._ends_at = time.monotonic() + LEASE_SECONDS

    def __enter__(self) -> Self:
        self._is_kept = False
        return self

    def __exit__(self, *_exception: object) -> None:
        if not self._is_kept:
            self.release()

    @property
    def is_young(self) -> bool:
        """Whether there is time for a whole renewal, and for storing what it brings."""
        return self._left() > _NEEDED * LEASE_SECONDS

    @property
    def for_requests(self) -> float:
        """Seconds in which token requests must be over, so that what they bring can be stored."""
        return self._left() - _TO_STORE * LEASE_SECONDS

    def prolong(self) -> None:
        """Let it last as long as a new one, unless it is young, or lost."""
        if self.is_young or self._left() <= 0:
            return
        before = self._ends_at
        self._begins()
        try:
            is_held = self._store.renew_lease(self._name, self._owner, LEASE_SECONDS) is not None
        except StoreError:
            is_held = False  # whoever stores under it learns soon enough how the store is
        if not is_held:
            self._ends_at = before

    def keep(self) -> None:
        """Let nobody else have it until it ends."""
        self._is_kept = True

    def release(self) -> None:
        """Give it back, if it is held still."""
        with suppress(StoreError):  # it ends by itself, and what was done under it counts
            self._store.release_lease(self._name, self._owner)

    def _left(self) -> float:
        return self._ends_at - time.monotonic()


@contextmanager
def hold(store: Store, name: str, *, until: Callable[[], bool]) -> Iterator[Lease | None]:
    """Take the lease *name*, waiting while another holds it; give None when *until* came true meanwhile.

    Raises:
        StoreError: Others hold it longer than anybody may.
    """
    lease = _take(store, name, uuid.uuid4().hex, until)
    with nullcontext() if lease is None else lease:
        yield lease


def _take(store: Store, name: str, owner: str, until: Callable[[], bool]) -> Lease | None:
    gives_up_at, pause = time.monotonic() + _PATIENCE, _POLL
    while True:
        lease = Lease(store, name, owner)
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
