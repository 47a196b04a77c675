"""Renew credentials, once: one at a time per connection, in this process and among all that share the store."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from nango_py import tracing
from nango_py.auth.grant import BadAnswer, Refused, Unanswered
from nango_py.connections.crew import Crew
from nango_py.connections.freshness import judge
from nango_py.connections.lease import hold
from nango_py.connections.persistence import persisted
from nango_py.connections.refusals import (
    deleted,
    expired,
    failed,
    reauth_required,
    refused,
    unanswered,
    unfit,
)
from nango_py.errors import NangoError, StoreError, UsageError
from nango_py.log import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from nango_py.auth.grant import Obtained
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.lease import Lease
    from nango_py.connections.vault import Vault
    from nango_py.model import Integration

__all__ = ["COOL_DOWN", "Hooks", "Renew", "Renewals"]

GRANT_SECONDS = 20.0
"""What the token requests of one renewal may take together; less than a lease."""
COOL_DOWN = 30.0
"""Seconds after a failed renewal in which no other is tried."""
_SWEEP = 1000
"""Failures after which those that have cooled down are forgotten: their connections may never be used again."""
_AT_ONCE = 16
"""Renewals whose tokens are stored late by the way, after one of another connection was stored."""


class Renew(Protocol):
    """Get new credentials for a connection within *seconds*, in this thread."""

    def __call__(self, integration: Integration, connection: Connection, *, seconds: float) -> Obtained:
        """Return what was obtained.

        Raises:
            Refused, BadAnswer, Unanswered: It was not.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the program wants to be told; called from a worker thread, after the store was written."""

    on_renewed: Callable[[ConnectionView], None] | None = None
    on_reauth_required: Callable[[ConnectionView], None] | None = None


@dataclass(slots=True, kw_only=True)
class _Failure:
    credentials: Mapping[str, Any] = field(repr=False)
    at: float
    error: NangoError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unsaved:
    """What was *obtained* for *base*, under *lease*, and is not stored."""

    integration: Integration
    base: Connection
    obtained: Obtained = field(repr=False)
    lease: Lease

    def renewed(self) -> Connection:
        """Return the connection as it should be stored."""
        credentials = merged_credentials(self.base.credentials, self.obtained.credentials)
        return replace(self.base, credentials=credentials)

    def belongs_to(self, connection: Connection) -> bool:
        """Tell whether nobody changed the credentials that it was obtained with; a mark does not count."""
        return self.base.id == connection.id and self.base.credentials == connection.credentials


@dataclass(slots=True, kw_only=True)
class Renewals:
    """Renew connections in threads of their own, so that a cancelled request never cancels a renewal.

    A ticket ends with the connection or with an error of ours as its *result*: whoever waits raises a copy.
    """

    vault: Vault
    clock: Clock
    renew: Renew
    revoke: Callable[[Integration, Connection], None]
    """Tells the provider to forget a connection's tokens, where that can be told; it raises nothing."""
    remember: Callable[[Connection], None]
    hooks: Hooks = field(default_factory=Hooks)
    _crew: Crew = field(default_factory=Crew)
    _failures: dict[str, _Failure] = field(default_factory=dict)
    _unsaved: dict[tuple[str, str], _Unsaved] = field(default_factory=dict, repr=False)

    def join(
        self, integration: Integration, connection: Connection, *, is_rejected: bool = False
    ) -> Future[Connection | NangoError]:
        """Return the ticket of the connection's renewal, begun now unless it is going on.

        *is_rejected* says that the provider refused the access token of *connection*, whatever its expiry.
        """

        def work() -> Connection | NangoError:
            try:
                return self._renewed(integration, connection, is_rejected=is_rejected)
            except NangoError as error:
                return error

        return self._crew.join(f"renewal-{integration.name}", connection.id, work)

    def make(self, integration: Integration, connection: Connection) -> Connection | NangoError:
        """Return the connection with a token made on this machine, which is remembered and never stored."""
        try:
            obtained = self.renew(integration, connection, seconds=GRANT_SECONDS)
        except ValueError as reason:
            return unfit(integration, connection, str(reason))
        made = replace(connection, credentials=merged_credentials(connection.credentials, obtained.credentials))
        self.remember(made)
        return made

    def run(self, integration: Integration, work: Callable[[], Any]) -> Future[Any]:
        """Do other work of an integration that must not be cancelled half-way."""
        return self._crew.join(f"renewal-{integration.name}", uuid4().hex, work)

    def holds(self, connection: Connection) -> bool:
        """Tell whether there are newer credentials of *connection* that could not be stored yet."""
        unsaved = self._unsaved.get(connection.pair)
        return unsaved is not None and unsaved.belongs_to(connection)

    def withdraw(self, integration: str, user_id: str) -> Connection | None:
        """Return the connection with credentials that could not be stored, and let nobody store them any more."""
        unsaved = self._unsaved.pop((integration, user_id), None)
        if unsaved is None:
            return None
        unsaved.lease.release()
        return unsaved.renewed()

    def close(self) -> None:
        """Wait for the renewals that are going on, and have the store take what it did not take until now."""
        self._crew.close()
        is_open = True
        for unsaved in self._unsaved.values():
            try:
                if is_open:
                    self._write(unsaved)
            except StoreError:
                is_open = False  # to ask it for each would take long, and be in vain
            if not is_open:
                emit_event("warning", "renewal.lost", unsaved.integration, unsaved.base)
            unsaved.lease.release()
        self._unsaved.clear()

    def _renewed(self, integration: Integration, known: Connection, *, is_rejected: bool) -> Connection:
        rejected = known if is_rejected else None
        seen = self._current(integration, known)
        while not self._is_settled(integration, seen, rejected):
            if (unsaved := self._unsaved.get(seen.pair)) is not None:
                seen = self._save_late(unsaved) or self._current(integration, known)
                continue
            self._check_cool_down(seen)
            with hold(self.vault.store, f"renewal:{seen.id}", until=partial(self._has_changed, seen)) as lease:
                # Whoever held the lease before may have renewed it.
                seen = self._current(integration, known)
                settled = self._is_settled(integration, seen, rejected)
                if not settled and lease is not None and lease.is_young:
                    if (renewed := self._obtain(integration, seen, lease)) is not None:
                        return renewed
                    # The user replaced or deleted the connection meanwhile: their word counts.
                    seen = self._current(integration, known)
        self.remember(seen)
        return seen

    def _current(self, integration: Integration, known: Connection) -> Connection:
        current = self.vault.get(known.integration, known.user_id)
        if current is not None and self.holds(current):
            return current
        # Whoever changed or deleted the connection meanwhile, their word counts.
        unwanted = self.withdraw(known.integration, known.user_id)
        if current is None or current.id != known.id:
            if unwanted is not None and current is None:
                self.revoke(integration, unwanted)  # with another connection, that could end the new grant as well
            raise deleted(integration, known.user_id)
        if judge(integration.auth, current, self.clock.now()) == "dead":
            raise reauth_required(integration, current)
        if not integration.auth.can_renew(current.credentials):
            raise expired(integration, current)
        return current

    def _has_changed(self, seen: Connection) -> bool:
        return self.vault.version(seen.integration, seen.user_id) != (seen.id, seen.version)

    def _is_settled(self, integration: Integration, current: Connection, rejected: Connection | None) -> bool:
        """Tell whether the stored connection needs no renewal any more."""
        if rejected is not None and _token(current) == _token(rejected):
            return False
        return judge(integration.auth, current, self.clock.now()) == "fresh"

    def _obtain(self, integration: Integration, current: Connection, lease: Lease) -> Connection | None:
        """Return the connection, renewed; None when it is not the one any more that was to be renewed."""
        facts = {"nango.integration": current.integration, "nango.user_id": current.user_id}
        try:
            with tracing.spanned("nango.renewal", facts):
                obtained = self.renew(integration, current, seconds=min(GRANT_SECONDS, lease.for_requests))
        except Refused as refusal:
            if (error := self._refused(integration, current, refusal)) is None:
                return None
            raise error from None
        except BadAnswer as answer:
            raise self._fail(integration, current, failed(integration, current, answer)) from None
        except Unanswered as silence:
            if silence.is_ambiguous:
                self._mark(current, "renewal_uncertain")
            raise self._fail(integration, current, unanswered(integration, current, silence)) from None
        except ValueError as reason:
            raise unfit(integration, current, str(reason)) from None
        return self._save(_Unsaved(integration=integration, base=current, obtained=obtained, lease=lease))

    def _save(self, unsaved: _Unsaved) -> Connection | None:
        """Store what was obtained before anybody uses it; what cannot be stored now is kept for the next try.

        Nobody else may renew meanwhile, for what it was obtained with may be spent. None when it is not wanted any
        more.
        """
        integration, pair = unsaved.integration, unsaved.base.pair
        self._unsaved[pair] = unsaved
        try:
            written = persisted(partial(self._write, unsaved), self.clock)
        except StoreError:
            unsaved.lease.keep()
            raise
        except UsageError:
            self._unsaved.pop(pair, None)  # no store takes it
            raise
        if written is None:
            return None
        # Before the hook, which may ask for these very credentials and would wait for itself; and before they are no
        # longer unsaved: whoever deletes the connection meanwhile has to find them in one of the two places.
        self.remember(written)
        self._unsaved.pop(pair, None)
        self._failures.pop(written.id, None)
        expires_at = integration.auth.expires_at(written.credentials)
        emit_event("info", "connection.renewed", integration, written, expires_at=expires_at)
        self._tell(self.hooks.on_renewed, written)
        self._save_others()
        return written

    def _save_late(self, unsaved: _Unsaved) -> Connection | None:
        with unsaved.lease:
            return self._save(unsaved)

    def _write(self, unsaved: _Unsaved) -> Connection | None:
        unsaved.lease.prolong()
        return self.vault.renew(unsaved.base, unsaved.renewed().credentials, unsaved.obtained.connection_config)

    def _save_others(self) -> None:
        """Have the store, which takes things again, take more of what it did not: nobody may ask for that soon."""
        for unsaved in list(self._unsaved.values())[:_AT_ONCE]:
            # As rejected, for a token that is stored and not over yet would pass for a good one.
            self.join(unsaved.integration, unsaved.base, is_rejected=True)

    def _check_cool_down(self, current: Connection) -> None:
        failure = self._failures.get(current.id)
        if failure is None:
            return
        if failure.credentials == current.credentials and self.clock.monotonic() - failure.at < COOL_DOWN:
            raise copy(failure.error)  # each raising would make the traceback of the one error longer
        self._failures.pop(current.id, None)

    def _fail(self, integration: Integration, current: Connection, error: NangoError) -> NangoError:
        now = self.clock.monotonic()
        if len(self._failures) % _SWEEP == 0:
            for key, one in list(self._failures.items()):
                if now - one.at >= COOL_DOWN:
                    self._failures.pop(key, None)
        self._failures[current.id] = _Failure(credentials=current.credentials, at=now, error=copy(error))
        # A token that still works hides the failure from its users, so it has to be said here.
        emit_event("warning", "renewal.failed", integration, current, error=type(error).__name__, reason=str(error))
        return error

    def _refused(self, integration: Integration, current: Connection, refusal: Refused) -> NangoError | None:
        if not refusal.is_final:
            return self._fail(integration, current, refused(integration, current, str(refusal)))
        marked = self._mark(current, "reauth_required")
        if marked is None:
            return None  # somebody changed the credentials while they were refused: the newer ones may be good
        emit_event("warning", "connection.reauth_required", integration, marked, reason=str(refusal))
        self._tell(self.hooks.on_reauth_required, marked)
        return reauth_required(integration, current, str(refusal))

    def _mark(self, current: Connection, status: Any) -> Connection | None:
        marked = self.vault.swap(current, status=status)
        if marked is not None:
            self.remember(marked)
        return marked

    def _tell(self, hook: Callable[[ConnectionView], None] | None, connection: Connection) -> None:
        if hook is None:
            return
        try:
            hook(connection.view())
        except Exception as error:
            # The program's own mistake must not cost the token that was just stored.
            emit(
                "error", "hook.failed", secrets=tuple, error=type(error).__name__,
                integration=connection.integration, user_id=connection.user_id,
            )  # fmt: skip


def merged_credentials(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *old* credentials with the *new* ones over them; a None deletes."""
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def emit_event(level: str, event: str, integration: Integration, connection: Connection, **fields: Any) -> None:
    """Log a line about a connection; what it says was masked where it came from."""
    emit(
        level,
        event,
        secrets=tuple,
        least=integration.log_level,
        integration=integration.name,
        user_id=connection.user_id,
        **fields,
    )


def _token(connection: Connection) -> Any:
    return connection.credentials.get("access_token")
