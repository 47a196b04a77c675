"""Begin and finish attempts; every method is a flow of effects."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nango_py.auth.grant import BadAnswer, Refused, Unanswered
from nango_py.connections.connection import freeze
from nango_py.connections.persistence import persisted
from nango_py.connections.refusals import grant_failed
from nango_py.connections.renewal import merged_credentials
from nango_py.connections.vault import Changes, checked_name
from nango_py.effects import Call, Join, Sleep
from nango_py.errors import (
    AccessDenied,
    CallbackError,
    ConfigError,
    DuplicateConnection,
    ResponseError,
    StoreError,
    UnknownConnection,
    UsageError,
)
from nango_py.exchange.token_endpoint import account_of, fresh_text
from nango_py.field import read_fields
from nango_py.log import emit
from nango_py.oauth.attempt import ATTEMPT_SECONDS, Attempt, AuthorizationRequest, DeviceAuthorization, hash_of
from nango_py.oauth.callback import check_redirect_uri, read_callback, refusal_in, state_of
from nango_py.oauth.client import missing_client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nango_py.accounts import Accounts
    from nango_py.auth.grant import Account, Obtained
    from nango_py.auth.grant import Flow as Grants
    from nango_py.connections.connection import Connection
    from nango_py.core import Core
    from nango_py.effects import Flow
    from nango_py.model import Integration

__all__ = ["Flows"]

_T = TypeVar("_T")
_GRANT_SECONDS = 20.0
_SLOW_DOWN = 5.0
_SLOWEST = 60.0
_FAILURES = (Refused, BadAnswer, Unanswered, ValueError)
"""How a grant ends that brings nothing."""


class Flows:
    """Connect accounts: :meth:`begin` and :meth:`finish` in a browser, the other two on another device."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._accounts: Accounts = core.accounts
        self._late = core.accounts.late_grants
        self._clock = core.clock

    def begin(
        self,
        integration: str,
        user_id: str,
        *,
        redirect_uri: str,
        scopes: Sequence[str] | None,
        connection_config: Mapping[str, Any] | None,
        metadata: Mapping[str, Any] | None,
    ) -> Flow[AuthorizationRequest]:
        """Return where the user's browser goes; see :meth:`OAuth.begin`."""
        check_redirect_uri(redirect_uri)
        found = self._core.integration(integration)
        if not found.auth.connects:
            raise UsageError(
                f"integration {integration!r}: its accounts are not connected in a browser. "
                "Hand in their credentials: register_connection."
            )
        _check_client(found)
        attempt = yield from self._attempt(found, user_id, scopes, connection_config, metadata)
        state, binding = fresh_text(), secrets.token_urlsafe(32)
        grant = found.auth.begin(self._account(found, attempt), redirect_uri=redirect_uri, state=state)
        begun = yield from self._run(found, attempt, partial(self._performed, found, attempt, grant), "the attempt")
        attempt = replace(attempt, redirect_uri=redirect_uri, binding_hash=hash_of(binding), kept=begun.kept)
        named = begun.state or state
        expires_at: float = yield Call(
            lambda: self._accounts.manager.vault.put_attempt(named, attempt.packed(), seconds=ATTEMPT_SECONDS)
        )
        return AuthorizationRequest(url=begun.url, state=named, binding=binding, expires_at=expires_at)

    def finish(self, callback_url: str, *, binding: str, user_id: str | None = None) -> Flow[Connection]:
        """Turn a callback into a connection; see :meth:`OAuth.finish`."""
        callback = read_callback(callback_url)
        state = state_of(callback)
        if not binding:
            raise CallbackError("there is no binding: this browser did not begin, or lost its session. Begin again.")
        # Only looked up, until it is known that this browser and this user may use it up.
        attempt: Attempt | None = yield Call(lambda: self._attempt_of(state))
        if attempt is None:
            raise _unknown_attempt()
        if not attempt.is_bound_to(binding):
            raise CallbackError(
                "the callback came to another browser than the one that began. Begin again, in one browser."
            )
        if user_id is not None and user_id != attempt.user_id:
            raise CallbackError("another user began what this callback ends. Begin again, signed in as one user.")
        found = self._core.integration(attempt.integration)
        work = partial(self._finished, found, attempt, state, callback)
        return (yield from self._run(found, attempt, work, "the code exchange"))

    def begin_device(
        self,
        integration: str,
        user_id: str,
        *,
        scopes: Sequence[str] | None,
        connection_config: Mapping[str, Any] | None,
        metadata: Mapping[str, Any] | None,
    ) -> Flow[DeviceAuthorization]:
        """Return the code to type on another device; see :meth:`OAuth.begin_device`."""
        found = self._core.integration(integration)
        if not found.auth.has_device_flow:
            raise UsageError(
                f"integration {integration!r}: its blueprint declares no auth.device_authorization_url. "
                "Connect in a browser: nango.oauth.begin."
            )
        _check_client(found)
        attempt = yield from self._attempt(found, user_id, scopes, connection_config, metadata)
        grant = found.auth.begin_device(self._account(found, attempt))
        work = partial(self._performed, found, attempt, grant)
        code = yield from self._run(found, attempt, work, "the device authorization")
        return DeviceAuthorization(
            user_code=code.user_code,
            verification_uri=code.verification_uri,
            verification_uri_complete=code.verification_uri_complete,
            expires_at=self._clock.now() + code.expires_in,
            interval=code.interval,
            attempt=replace(attempt, kept=code.kept, binding_hash=hash_of(fresh_text())),
        )

    def finish_device(self, device: DeviceAuthorization) -> Flow[Connection]:
        """Wait until the user has typed the code; see :meth:`OAuth.finish_device`."""
        attempt, interval = device.attempt, device.interval
        found = self._core.integration(attempt.integration)
        while True:
            if self._late.attempt(attempt.binding_hash) is None:
                yield Sleep(max(0.0, min(interval, device.expires_at - self._clock.now())))
                if self._clock.now() >= device.expires_at:
                    raise AccessDenied(
                        f"{_who(attempt)}: the code expired before it was entered. Begin again.",
                        integration=attempt.integration,
                    )
            outcome = yield from self._outcome(found, partial(self._asked, found, attempt))
            if not isinstance(outcome, Exception):
                return outcome
            interval = _next_interval(outcome, interval)
            if not interval:
                raise grant_failed(found, attempt.user_id, outcome, "the device authorization")

    def _attempt(
        self,
        found: Integration,
        user_id: str,
        scopes: Sequence[str] | None,
        config: Mapping[str, Any] | None,
        metadata: Mapping[str, Any] | None,
    ) -> Flow[Attempt]:
        if scopes is not None and (isinstance(scopes, str) or not all(isinstance(scope, str) for scope in scopes)):
            raise UsageError("scopes must be a list of texts, not one text.")
        if config is None:
            config = yield from self._known_config(found, user_id)
        return Attempt(
            integration=found.name,
            user_id=checked_name(user_id, "user_id"),
            scopes=None if scopes is None else tuple(scopes),
            connection_config=self._accounts.checked_config(found, config, comes_later=found.auth.picked),
            metadata=None if metadata is None else freeze(metadata),
        )

    def _known_config(self, found: Integration, user_id: str) -> Flow[Mapping[str, Any]]:
        """Return the config of a connection that is made anew: nobody has to say again where the account lives."""
        try:
            connection = yield from self._accounts.manager.read(found.name, user_id)
        except UnknownConnection:
            return {}
        known = {field.name for field in found.connection_config}
        return {name: value for name, value in connection.connection_config.items() if name in known}

    def _account(self, found: Integration, attempt: Attempt) -> Account:
        return account_of(found, attempt, now=self._clock.now(), scopes=attempt.scopes)

    def _run(self, found: Integration, attempt: Attempt, work: Callable[[], _T | Exception], what: str) -> Flow[_T]:
        outcome = yield from self._outcome(found, work)
        if isinstance(outcome, _FAILURES):
            raise grant_failed(found, attempt.user_id, outcome, what)
        return outcome  # type: ignore[return-value]

    def _outcome(self, found: Integration, work: Callable[[], _T]) -> Flow[_T]:
        """Do *work* in a thread that nobody cancels: a code that was spent for nothing would be lost."""
        outcome: _T = yield Join(lambda: self._accounts.manager.renewals.run(found, work))
        return outcome

    def _performed(self, found: Integration, attempt: Attempt, grant: Grants[_T]) -> _T | Exception:
        try:
            return self._accounts.perform(found, attempt, grant, seconds=_GRANT_SECONDS)
        except _FAILURES as error:
            return error

    def _attempt_of(self, state: str) -> Attempt | None:
        """Return the attempt that *state* names: not used up, or used up for a grant that waits to be stored."""
        if (late := self._late.attempt(state)) is not None:
            return late
        stored = self._accounts.manager.vault.get_attempt(state)
        return None if stored is None else Attempt.unpacked(stored)

    # In a thread that nobody cancels

    def _finished(
        self, found: Integration, attempt: Attempt, state: str, callback: Mapping[str, str]
    ) -> Connection | Exception:
        """Use the attempt up, exchange its code, and store what that brings."""
        if (late := self._late.take(state)) is not None:
            return self._connected(found, attempt, state, late)
        if self._accounts.manager.vault.take_attempt(state) is None:
            raise _unknown_attempt()  # another callback was quicker
        if refusal := refusal_in(callback):
            raise AccessDenied(
                f"{_who(attempt)}: access was not granted: {refusal}.", integration=attempt.integration
            )
        grant = found.auth.finish(
            self._account(found, attempt), callback, attempt.kept, redirect_uri=attempt.redirect_uri
        )
        return self._connected(found, attempt, state, self._performed(found, attempt, grant))

    def _asked(self, found: Integration, attempt: Attempt) -> Connection | Exception:
        """Ask whether the code was entered on the other device, and store what that brings."""
        name = attempt.binding_hash
        if (late := self._late.take(name)) is not None:
            return self._connected(found, attempt, name, late)
        grant = found.auth.finish_device(self._account(found, attempt), attempt.kept)
        return self._connected(found, attempt, name, self._performed(found, attempt, grant))

    def _connected(
        self, found: Integration, attempt: Attempt, name: str, outcome: Obtained | Exception
    ) -> Connection | Exception:
        """Store what came; what cannot be stored is kept for whoever finishes the attempt called *name* again."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            connection = persisted(partial(self._stored, found, attempt, outcome), self._clock)
        except StoreError as error:
            self._late.keep(name, attempt, outcome)
            raise StoreError(
                f"{error} What the sign-in of {_who(attempt)} brought is kept in this process for "
                f"{ATTEMPT_SECONDS / 60:.0f} minutes: finish once more, with the same arguments."
            ) from error
        self._accounts.manager.remember(connection)
        emit(
            "info",
            "connection.connected",
            secrets=tuple,
            least=found.log_level,
            integration=found.name,
            user_id=attempt.user_id,
        )
        return connection

    def _stored(self, found: Integration, attempt: Attempt, obtained: Obtained) -> Connection:
        """Return the connection, made or replaced.

        Nothing of old credentials is kept: the browser may have been signed in to another account of the provider.
        """
        vault = self._accounts.manager.vault
        credentials = merged_credentials({}, obtained.credentials)
        config = _whole_config(found, attempt, obtained)
        changes = Changes(credentials=credentials, connection_config=config, status="active")
        if attempt.metadata is not None:
            changes["metadata"] = attempt.metadata
        while True:
            current = vault.get(found.name, attempt.user_id)
            # Somebody may register or delete the connection between the look and the write.
            with suppress(DuplicateConnection, UnknownConnection):
                if current is None:
                    return vault.register(found.name, attempt.user_id, credentials, config, attempt.metadata)
                return vault.replace(current, **changes)


def _next_interval(outcome: Exception, interval: float) -> float:
    """Return how long to wait before asking again (RFC 8628 section 3.5); 0 when there is nothing to wait for."""
    if isinstance(outcome, Refused):
        if outcome.code == "authorization_pending":
            return interval
        return interval + _SLOW_DOWN if outcome.code == "slow_down" else 0.0
    return 0.0 if isinstance(outcome, ValueError) else min(2 * interval, _SLOWEST)


def _unknown_attempt() -> CallbackError:
    return CallbackError(
        "the callback belongs to no attempt that is going on: its state was never given out, is used up, or "
        f"is older than {ATTEMPT_SECONDS / 60:.0f} minutes. Begin again."
    )


def _check_client(found: Integration) -> None:
    """Refuse to send somebody to a provider that will not know who asks."""
    if (problem := missing_client(found, "nobody can sign in")) is not None:
        raise ConfigError(problem)


def _whole_config(found: Integration, attempt: Attempt, obtained: Obtained) -> dict[str, str]:
    """Return the config that the attempt began with, and over it what the sign-in brought, which is checked here.

    Raises:
        ResponseError: That does not fit what is declared, or it lacks what is required.
    """
    brought = obtained.connection_config
    fields = [
        field
        for field in found.connection_config
        if field.name in brought or field.name not in attempt.connection_config
    ]
    declared = {field.name: brought[field.name] for field in fields if field.name in brought}
    wrong: list[str] = []
    checked = read_fields(fields, declared, wrong.append)
    if wrong:
        raise ResponseError(
            f"{_who(attempt)}: access was granted, but the connection_config that it should bring does not fit: "
            f"{' '.join(wrong)} Begin again and give it, or correct redirect_uri_metadata and "
            "token_response_metadata of the blueprint.",
            integration=found.name,
        )
    return {**attempt.connection_config, **brought, **checked}


def _who(attempt: Attempt) -> str:
    return f"integration {attempt.integration!r}, user {attempt.user_id!r}"
