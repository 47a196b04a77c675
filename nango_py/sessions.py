"""The sessions of an engine's connections: each is made once, with what its requests share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from nango_py import forks
from nango_py.errors import UsageError
from nango_py.exchange.breakers import Breakers
from nango_py.exchange.limiter import Limits, SharedGates
from nango_py.exchange.plan import shape_of
from nango_py.exchange.session import Session, profile_of
from nango_py.http import Cookies
from nango_py.template import TemplateError

if TYPE_CHECKING:
    from nango_py.clock import Clock
    from nango_py.connections.manager import CredentialManager
    from nango_py.connections.store import Store
    from nango_py.model import Integration

__all__ = ["Sessions"]

MOST = 10_000
"""Sessions that are kept; the least recently used ones go first, with what was learnt of their limits."""


class Sessions:
    """Keep the sessions of an engine, and what those of one integration share."""

    def __init__(self, *, manager: CredentialManager, store: Store, clock: Clock) -> None:
        self._manager = manager
        self._store = store
        self._clock = clock
        self._breakers = Breakers(clock)
        self._lock = forks.Lock()
        self._known: OrderedDict[tuple[str, str], Session] = OrderedDict()
        self._shared: dict[str, Any] = {}

    def of(self, integration: Integration, user_id: str) -> Session:
        """Return the session of a connection; nothing is read yet.

        Raises:
            UsageError: The integration cannot be used as it is declared.
        """
        key = (integration.name, user_id)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._make(integration, user_id)
                if len(self._known) > MOST:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
            return known

    def forget(self, integration: str, user_id: str) -> None:
        """Drop the session of a connection: the next one may be another account's."""
        with self._lock:
            self._known.pop((integration, user_id), None)

    def close(self) -> None:
        """Tell the store what was counted."""
        for _, _, gates in self._shared.values():
            gates.close()

    def _make(self, integration: Integration, user_id: str) -> Session:
        shared = self._shared.get(integration.name)
        if shared is None:
            try:
                shared = shape_of(integration), profile_of(integration), self._gates_of(integration)
            except TemplateError as error:
                raise UsageError(f"integration {integration.name!r}: {error}") from None
            self._shared[integration.name] = shared
        shape, profile, gates = shared
        return Session(
            integration=integration,
            user_id=user_id,
            shape=shape,
            profile=profile,
            clock=self._clock,
            fresh=lambda seconds: self._manager.fresh(integration, user_id, seconds=seconds),
            renewed=lambda connection, seconds: self._manager.refused(integration, connection, seconds=seconds),
            cookies=Cookies() if integration.requests.cookies else None,
            limits=Limits(gates, user_id),
            breakers=self._breakers,
        )

    def _gates_of(self, integration: Integration) -> SharedGates:
        """Return the gates of an integration; a store that this process has for itself has nobody to count with."""
        if not (integration.rate_limit_shared and self._store.shared):
            return SharedGates(integration, self._clock)
        if not hasattr(self._store, "revise"):
            raise UsageError(
                f"integration {integration.name!r}: rate_limit_shared needs a store that can count for several "
                f"processes, and {self._store.location} has no `revise`. Use PostgreSQL or SQLite, add the method, "
                "or leave rate_limit_shared out."
            )
        return SharedGates(integration, self._clock, self._store.revise)
