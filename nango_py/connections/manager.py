"""The credential manager: connections as fresh as they have to be."""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nango_py import forks
from nango_py.connections.freshness import judge
from nango_py.connections.refusals import expired, reauth_required
from nango_py.connections.renewal import Hooks, Renew, Renewals
from nango_py.effects import Call, Join
from nango_py.errors import NangoError, ReauthRequired, UnknownConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection
    from nango_py.connections.vault import Vault
    from nango_py.effects import Flow
    from nango_py.model import Integration

__all__ = ["CONNECTION_MAX_AGE", "CredentialManager"]

CONNECTION_MAX_AGE = 5.0
"""Seconds within which changes that other processes make take effect."""
YOUNG = 10.0
"""Seconds in which a token that is refused is not renewed: its age is not what is wrong with it."""
MAX_REMEMBERED = 10_000
"""Connections kept in memory; the least recently used ones go first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What was last known of a connection; None is a trace of one that was forgotten."""

    connection: Connection | None
    checked_at: float
    forgotten: str | None
    """The id of the connection that was here before; an id that is gone never comes back."""


@dataclass(slots=True, weakref_slot=True, kw_only=True, eq=False)
class CredentialManager:
    """Read connections through a bounded cache, and keep their credentials fresh.

    There is at most one version read per connection in five seconds.
    """

    vault: Vault
    clock: Clock
    renew: Renew = field(repr=False)
    revoke: Callable[[Integration, Connection], None] = field(repr=False)
    hooks: Hooks = field(default_factory=Hooks, repr=False)
    renewals: Renewals = field(init=False, repr=False)
    _known: OrderedDict[tuple[str, str], _Known] = field(default_factory=OrderedDict)
    _lock: forks.Lock = field(default_factory=forks.Lock)

    def __post_init__(self) -> None:
        self.renewals = Renewals(
            vault=self.vault,
            clock=self.clock,
            renew=self.renew,
            revoke=self.revoke,
            remember=self.remember,
            hooks=self.hooks,
        )

    def fresh(self, integration: Integration, user_id: str, *, seconds: float | None = None) -> Flow[Connection]:
        """Return the connection, fit to sign a request; credentials that are due are renewed first.

        A renewal is waited for no longer than *seconds*.

        Raises:
            UnknownConnection: There is none.
            ReauthRequired: Its credentials cannot be used any more, nor renewed.
            AuthenticationError, ResponseError, UnreachableError: They have expired and the renewal failed.
            TimeoutError: The renewal takes longer than *seconds*.
        """
        connection = yield from self.read(integration.name, user_id)
        return (yield from self._fit(integration, connection, seconds=seconds))

    def _fit(self, integration: Integration, connection: Connection, *, seconds: float | None) -> Flow[Connection]:
        state = judge(integration.auth, connection, self.clock.now())
        if state == "fresh":
            return connection
        if state == "dead" and not self.renewals.holds(connection):
            raise reauth_required(integration, connection)
        if not integration.auth.can_renew(connection.credentials):
            if state == "due":
                return connection
            raise expired(integration, connection)
        outcome = yield from self._renewed(integration, connection, seconds=seconds)
        if not isinstance(outcome, NangoError):
            return outcome
        if state == "due" and not isinstance(outcome, ReauthRequired | UnknownConnection):
            return connection  # the token works for its leeway, and the endpoint may be back before it ends
        raise copy(outcome)

    def refused(
        self, integration: Integration, connection: Connection, *, seconds: float | None = None
    ) -> Flow[Connection | None]:
        """Return the connection with other credentials than those that the provider just refused, or None.

        Newer ones that somebody stored are taken as they are. Else there is one renewal, unless the credentials are
        so young that their age cannot be the reason.

        Raises:
            AuthenticationError, ResponseError, UnreachableError: The renewal failed.
        """
        pair = connection.pair
        known = self._remembered(pair)
        current: Connection | None = yield Call(lambda: self.vault.get(*pair))
        if current is None or current.id != connection.id:
            return None
        if current.version != connection.version and current.credentials != connection.credentials:
            self._learn(current, since=known)
            return (yield from self._fit(integration, current, seconds=seconds))
        if not integration.auth.can_renew(connection.credentials) or self._is_young(integration, connection):
            return None
        outcome = yield from self._renewed(integration, connection, is_rejected=True, seconds=seconds)
        if isinstance(outcome, NangoError):
            raise copy(outcome)
        return None if outcome.credentials == connection.credentials else outcome

    def keep_alive(self, integration: Integration, user_id: str) -> Flow[Connection | NangoError | None]:
        """Renew the connection if its refresh token would die of idleness; None when there is no need."""
        connection = yield from self.read(integration.name, user_id)
        lifetime = integration.auth.idle_lifetime
        used_at = connection.credentials.get("obtained_at") or connection.updated_at
        is_idle = lifetime is not None and self.clock.now() - float(used_at) >= lifetime / 2
        if not is_idle or not integration.auth.can_renew(connection.credentials):
            return None
        return (yield from self._renewed(integration, connection, is_rejected=True))

    def _renewed(
        self,
        integration: Integration,
        connection: Connection,
        *,
        is_rejected: bool = False,
        seconds: float | None = None,
    ) -> Flow[Connection | NangoError]:
        if not integration.auth.is_kept:
            made: Connection | NangoError = yield Call(lambda: self.renewals.make(integration, connection))
            return made
        outcome: Connection | NangoError = yield Join(
            lambda: self.renewals.join(integration, connection, is_rejected=is_rejected), seconds
        )
        return outcome

    def _is_young(self, integration: Integration, connection: Connection) -> bool:
        """Tell whether the token was got so recently that another one would be refused alike."""
        obtained_at = connection.credentials.get("obtained_at")
        if obtained_at is None or judge(integration.auth, connection, self.clock.now()) != "fresh":
            return False
        # A token of the future was got before the clock was set back: its age is not known.
        return abs(self.clock.now() - float(obtained_at)) < YOUNG

    def read(self, integration: str, user_id: str, *, is_cached: bool = True) -> Flow[Connection]:
        """Return the connection, whatever its state; as it is stored now unless it *is_cached*.

        Raises:
            UnknownConnection: There is none.
        """
        pair = (integration, user_id)
        known = self._remembered(pair)
        before = known.connection if known is not None and is_cached else None
        if (
            known is not None
            and before is not None
            and self.clock.monotonic() - known.checked_at < CONNECTION_MAX_AGE
        ):
            return before
        connection: Connection | None = yield Call(lambda: self._look(pair, before))
        if connection is None:
            self.forget(integration, user_id)
            raise UnknownConnection(
                f"integration {integration!r} has no connection for user {user_id!r}. "
                f"Register it first: register_connection({integration!r}, {user_id!r}, credentials), "
                f"or nango-py connections add {integration} {user_id}. "
                "Where accounts sign in, connect it: nango.oauth.begin, or nango-py connect."
            )
        self._learn(connection, since=known)
        return connection

    def remember(self, connection: Connection) -> None:
        """Keep a connection that was just written, unless a later state of it is known, or its end."""
        with self._lock:
            known = self._known.get(connection.pair)
            if known is not None and known.forgotten == connection.id:
                return
            last = None if known is None else known.connection
            if last is None or last.id != connection.id or last.version <= connection.version:
                self._keep(connection.pair, connection)

    def forget(self, integration: str, user_id: str) -> Connection | None:
        """Drop and return what is remembered of a connection that is gone, also for whoever is reading it."""
        with self._lock:
            known = self._known.get((integration, user_id))
            self._keep((integration, user_id), None)
        return None if known is None else known.connection

    def _learn(self, connection: Connection, *, since: _Known | None) -> None:
        """Keep a connection that was read, unless it was written or forgotten after *since* was known.

        A later state of the connection that is known counts in any case.
        """
        with self._lock:
            known = self._known.get(connection.pair)
            last = None if known is None else known.connection
            is_later = last is not None and last.id == connection.id and last.version < connection.version
            if known is since or is_later:
                self._keep(connection.pair, connection)

    def _keep(self, pair: tuple[str, str], connection: Connection | None) -> None:
        known = self._known.get(pair)
        forgotten = None if known is None else known.forgotten
        last = None if known is None else known.connection
        if last is not None and (connection is None or connection.id != last.id):
            forgotten = last.id
        self._known[pair] = _Known(connection, self.clock.monotonic(), forgotten)
        self._known.move_to_end(pair)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)

    def _remembered(self, pair: tuple[str, str]) -> _Known | None:
        with self._lock:
            known = self._known.get(pair)
            if known is not None:
                self._known.move_to_end(pair)
            return known

    def _look(self, pair: tuple[str, str], known: Connection | None) -> Connection | None:
        if known is not None and self.vault.version(*pair) == (known.id, known.version):
            return known
        return self.vault.get(*pair)
