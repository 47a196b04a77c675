"""The credential manager: connections as fresh as they have to be."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nango_py.effects import Call
from nango_py.errors import ReauthRequired, UnknownConnection

if TYPE_CHECKING:
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection
    from nango_py.connections.vault import Vault
    from nango_py.effects import Flow
    from nango_py.model import Integration

__all__ = ["CONNECTION_MAX_AGE", "CredentialManager"]

CONNECTION_MAX_AGE = 5.0
"""Seconds within which changes that other processes make take effect."""
MAX_REMEMBERED = 10_000
"""Connections kept in memory; the least recently used ones go first."""


@dataclass(slots=True)
class _Known:
    connection: Connection
    checked_at: float


@dataclass(slots=True, kw_only=True)
class CredentialManager:
    """Read connections through a bounded cache: at most one version read per connection in five seconds."""

    vault: Vault
    clock: Clock
    _known: OrderedDict[tuple[str, str], _Known] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, integration: Integration, user_id: str) -> Flow[Connection]:
        """Return the connection, fit to sign a request.

        Raises:
            UnknownConnection: There is none.
            ReauthRequired: Its credentials have expired, or the provider refused them for good.
        """
        connection = yield from self.read(integration.name, user_id)
        self._check(integration, connection)
        return connection

    def read(self, integration: str, user_id: str) -> Flow[Connection]:
        """Return the connection, whatever its state.

        Raises:
            UnknownConnection: There is none.
        """
        pair = (integration, user_id)
        known = self._remembered(pair)
        now = self.clock.monotonic()
        if known is not None and now - known.checked_at < CONNECTION_MAX_AGE:
            return known.connection
        connection: Connection | None = yield Call(lambda: self._look(pair, known))
        if connection is None:
            self.forget(integration, user_id)
            raise UnknownConnection(
                f"integration {integration!r} has no connection for user {user_id!r}. "
                f"Register it first: register_connection({integration!r}, {user_id!r}, credentials)."
            )
        self.remember(connection)
        return connection

    def remember(self, connection: Connection) -> None:
        """Keep a connection that was just read or written."""
        with self._lock:
            self._known[connection.integration, connection.user_id] = _Known(connection, self.clock.monotonic())
            self._known.move_to_end((connection.integration, connection.user_id))
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def forget(self, integration: str, user_id: str) -> None:
        """Drop what is remembered of a connection."""
        with self._lock:
            self._known.pop((integration, user_id), None)

    def _remembered(self, pair: tuple[str, str]) -> _Known | None:
        with self._lock:
            known = self._known.get(pair)
            if known is not None:
                self._known.move_to_end(pair)
            return known

    def _look(self, pair: tuple[str, str], known: _Known | None) -> Connection | None:
        if known is not None and self.vault.version(*pair) == (known.connection.id, known.connection.version):
            return known.connection
        return self.vault.get(*pair)

    def _check(self, integration: Integration, connection: Connection) -> None:
        who = f"integration {integration.name!r}, user {connection.user_id!r}"
        remedy = "Connect the account again, or hand in new ones: update_connection_credentials."
        if connection.status == "reauth_required":
            raise ReauthRequired(
                f"{who}: the provider refuses the credentials for good. {remedy}", integration=integration.name
            )
        expires_at = integration.auth.expires_at(connection.credentials)
        if expires_at is not None and expires_at <= self.clock.now():
            raise ReauthRequired(f"{who}: the token has expired. {remedy}", integration=integration.name)
