"""What is connected: accounts, their credentials, and the grants that bring and renew them; all of it as flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nango_py import forks
from nango_py.auth.grant import BadAnswer, Refused, Unanswered
from nango_py.connections.key_source import key_ring
from nango_py.connections.manager import CredentialManager
from nango_py.connections.vault import Vault
from nango_py.effects import Call, Join
from nango_py.errors import CredentialsError, NangoError, StoreError, UnknownConnection
from nango_py.exchange.plan import secret_texts
from nango_py.exchange.token_endpoint import account_of
from nango_py.field import read_fields
from nango_py.log import emit
from nango_py.oauth.late import LateGrants
from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from nango_py.auth.grant import Flow as Grants
    from nango_py.auth.grant import Obtained
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.renewal import Hooks
    from nango_py.connections.store import Store
    from nango_py.effects import Flow
    from nango_py.exchange.token_endpoint import TokenEndpoint
    from nango_py.model import Integration

__all__ = ["Accounts", "KeptAlive"]

_T = TypeVar("_T")
_REVOCATION_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlive:
    """What :meth:`Nango.keep_alive` did: who was renewed, and who could not be, with the reason."""

    renewed: tuple[ConnectionView, ...] = ()
    failed: tuple[tuple[ConnectionView, NangoError], ...] = ()


class Accounts:
    """Register, read, change and renew connections; each method that reaches out is a flow."""

    def __init__(
        self,
        *,
        integration: Callable[[str], Integration],
        store: Store,
        environ: Mapping[str, str],
        clock: Clock,
        endpoint: TokenEndpoint,
        hooks: Hooks,
    ) -> None:
        self._integration = integration
        self._store = store
        self._environ = environ
        self._clock = clock
        self._endpoint = endpoint
        self._hooks = hooks
        self._lock = forks.Lock()
        self._manager: CredentialManager | None = None
        self.late_grants = LateGrants(clock)

    @property
    def manager(self) -> CredentialManager:
        """Return the credential manager; keys are read when it is first needed."""
        if self._manager is not None:
            return self._manager  # without the lock, which a fork could find held for ever
        with self._lock:
            if self._manager is None:
                vault = Vault(self._store, key_ring(self._store, self._environ), self._clock)
                self._manager = CredentialManager(
                    vault=vault, clock=self._clock, renew=self._renew, revoke=self._revoke, hooks=self._hooks
                )
            return self._manager

    def register(
        self,
        integration: str,
        user_id: str,
        credentials: Mapping[str, Any],
        connection_config: Mapping[str, Any] | None,
        metadata: Mapping[str, Any] | None,
    ) -> Flow[Connection]:
        """Store a new connection."""
        found = self._integration(integration)
        checked = self._credentials(found, credentials)
        config = self.checked_config(found, connection_config or {})
        connection: Connection = yield Call(
            lambda: self.manager.vault.register(integration, user_id, checked, config, metadata)
        )
        self.manager.remember(connection)
        return connection

    def get(self, integration: str, user_id: str) -> Flow[Connection]:
        """Return a connection as it is stored now."""
        return (yield from self.manager.read(integration, user_id, is_cached=False))

    def delete(self, integration: str, user_id: str) -> Flow[None]:
        """Delete a connection, and tell the provider to forget it where the blueprint says how.

        It is gone here whatever the provider answers; a revocation that failed is logged.
        """
        try:
            found = self._integration(integration)
        except NangoError as error:
            # A connection can be deleted without its declaration, which would say whom to tell.
            _skip_revocation(integration, user_id, error)
            deleted = yield Call(lambda: self._delete(integration, user_id))
        else:
            deleted = yield Join(lambda: self.manager.renewals.run(found, partial(self._forgotten, found, user_id)))
        if not deleted:
            raise UnknownConnection(f"integration {integration!r} has no connection for user {user_id!r}.")

    def _forgotten(self, integration: Integration, user_id: str) -> bool:
        """Delete a connection here and at the provider, in this thread, which nobody cancels."""
        last = self._last_look(integration, user_id)
        deleted = self.manager.vault.delete(integration.name, user_id)
        # A renewal may have ended after the look, or could not store what it brought.
        unsaved = self.manager.renewals.withdraw(integration.name, user_id) if deleted else None
        known = self.manager.forget(integration.name, user_id)
        if not deleted:
            return False
        newest = unsaved or _newer(last, known)
        if newest is not None:
            self._revoke(integration, newest)
        return True

    def _delete(self, integration: str, user_id: str) -> bool:
        deleted = self.manager.vault.delete(integration, user_id)
        self.manager.forget(integration, user_id)
        return deleted

    def _last_look(self, integration: Integration, user_id: str) -> Connection | None:
        """Return what is about to be deleted; None where nobody has to be told."""
        if not integration.auth.revokes:
            return None
        try:
            return self.manager.vault.get(integration.name, user_id)
        except NangoError as error:
            _skip_revocation(integration.name, user_id, error)  # a connection can be deleted without its key
            return None

    def _revoke(self, integration: Integration, connection: Connection) -> None:
        """Tell the provider to forget a connection's tokens, where the blueprint says how; failures are logged."""
        if not integration.auth.revokes:
            return
        try:
            account = account_of(integration, connection, now=self._clock.now())
            self.perform(integration, connection, integration.auth.revoke(account), seconds=_REVOCATION_SECONDS)
        except (Refused, BadAnswer, Unanswered, ValueError, NangoError) as error:
            emit(
                "warning",
                "revocation.failed",
                secrets=lambda: secret_texts(integration, connection),
                integration=integration.name,
                user_id=connection.user_id,
                reason=str(error),
            )

    def update_credentials(self, integration: str, user_id: str, new: Mapping[str, Any]) -> Flow[ConnectionView]:
        """Replace a connection's credentials; what was refused before is forgotten."""
        checked = self._credentials(self._integration(integration), new)
        return (yield from self._update(integration, user_id, credentials=checked, status="active"))

    def update_config(self, integration: str, user_id: str, new: Mapping[str, Any]) -> Flow[ConnectionView]:
        """Replace a connection's config."""
        config = self.checked_config(self._integration(integration), new)
        return (yield from self._update(integration, user_id, connection_config=config))

    def update_metadata(self, integration: str, user_id: str, new: Mapping[str, Any]) -> Flow[ConnectionView]:
        """Replace a connection's metadata."""
        return (yield from self._update(integration, user_id, metadata=new))

    def _update(self, integration: str, user_id: str, **changes: Any) -> Flow[ConnectionView]:
        connection = yield from self.get(integration, user_id)
        written: Connection = yield Call(lambda: self.manager.vault.replace(connection, **changes))
        self.manager.remember(written)
        return written.view()

    def views(self, *, integration: str | None = None, user_id: str | None = None) -> Flow[list[ConnectionView]]:
        """Return connections without credentials."""
        if integration is not None:
            self._integration(integration)
        found: list[ConnectionView] = yield Call(lambda: list(self.manager.vault.views(integration, user_id)))
        return found

    def credentials(self, integration: str, user_id: str) -> Flow[Mapping[str, Secret]]:
        """Return a connection's credentials, fit to be used; whoever held a refresh token could spoil it."""
        connection = yield from self.manager.fresh(self._integration(integration), user_id)
        return {
            name: value
            for name, value in connection.credentials.items()
            if isinstance(value, Secret) and name != "refresh_token"
        }

    def keep_alive(self, integrations: Iterable[str]) -> Flow[KeptAlive]:
        """Renew every connection whose refresh token would die of idleness."""
        renewed: list[ConnectionView] = []
        failed: list[tuple[ConnectionView, NangoError]] = []
        for name in integrations:
            integration = self._integration(name)
            if integration.auth.idle_lifetime is None:
                continue
            for view in (yield from self.views(integration=name)):
                if view.status == "reauth_required":
                    continue
                try:
                    outcome = yield from self.manager.keep_alive(integration, view.user_id)
                except UnknownConnection:
                    continue  # deleted since it was listed
                except NangoError as error:
                    outcome = error  # what is wrong with one is no reason to let the others die
                if isinstance(outcome, NangoError):
                    failed.append(((yield from self._view_now(view)), outcome))
                elif outcome is not None:
                    renewed.append(outcome.view())
        return KeptAlive(renewed=tuple(renewed), failed=tuple(failed))

    def _view_now(self, view: ConnectionView) -> Flow[ConnectionView]:
        """Return the view as a failure left it; the one from before where it cannot be read."""
        try:
            found = yield from self.views(integration=view.integration, user_id=view.user_id)
        except StoreError:
            found = []
        return found[0] if found else view

    # Grants

    def perform(self, integration: Integration, holder: Any, grant: Grants[_T], *, seconds: float) -> _T:
        """Return what *grant* ends with, in this thread; see :meth:`TokenEndpoint.perform`."""
        secrets = tuple(secret_texts(integration, holder))
        return self._endpoint.perform(grant, integration=integration, secrets=secrets, seconds=seconds)

    def _renew(self, integration: Integration, connection: Connection, *, seconds: float) -> Obtained:
        account = account_of(integration, connection, now=self._clock.now())
        return self.perform(integration, connection, integration.auth.renew(account), seconds=seconds)

    def close(self) -> None:
        """Wait for the renewals that are going on, and close the store."""
        if self._manager is not None:
            self._manager.renewals.close()
        self._store.close()

    def _credentials(self, integration: Integration, given: Mapping[str, Any]) -> dict[str, Any]:
        _check_mapping(given, f"integration {integration.name!r}: credentials")
        found: list[str] = []
        checked = integration.auth.accept(given, integration.credentials, found.append, now=self._clock.now())
        if found:
            raise CredentialsError(f"integration {integration.name!r}: credentials: " + " ".join(found))
        return checked

    def checked_config(
        self, integration: Integration, given: Mapping[str, Any], *, comes_later: Container[str] = ()
    ) -> dict[str, str]:
        """Return connection config as it is kept; names that *comes_later* holds may be absent.

        Raises:
            CredentialsError: It does not fit what is declared.
        """
        _check_mapping(given, f"integration {integration.name!r}: connection_config")
        found: list[str] = []
        fields = [
            replace(field, optional=True) if field.name in comes_later else field
            for field in integration.connection_config
        ]
        checked = read_fields(fields, given, found.append)
        if found:
            raise CredentialsError(f"integration {integration.name!r}: connection_config: " + " ".join(found))
        return checked


def _newer(last: Connection | None, known: Connection | None) -> Connection | None:
    """Return *known* where it is a later state of the connection *last*, else *last*."""
    if last is not None and known is not None and known.id == last.id and known.version > last.version:
        return known
    return last


def _skip_revocation(integration: str, user_id: str, error: NangoError) -> None:
    emit(
        "warning", "revocation.skipped", secrets=tuple, integration=integration, user_id=user_id,
        error=type(error).__name__,
    )  # fmt: skip


def _check_mapping(value: Any, what: str) -> None:
    if not isinstance(value, Mapping):
        raise CredentialsError(f"{what} must be a mapping of names to values, not {type(value).__name__}.")
