"""Connections as the engine knows them, above a store that knows encrypted rows."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from nango_py.connections.connection import Connection, ConnectionView, Status, conceal, reveal, thaw
from nango_py.connections.keyring import sealed_with
from nango_py.connections.rotation import Rotation, rotate
from nango_py.connections.store import Row
from nango_py.errors import DecryptionError, StoreError, UnknownConnection, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nango_py.clock import Clock
    from nango_py.connections.keyring import KeyRing
    from nango_py.connections.store import Store

__all__ = ["Changes", "Vault", "checked_name"]

_LONGEST_NAME = 512
"""Characters of an integration or user id: PostgreSQL cannot index much more."""

_SAMPLE = 100
"""Rows whose key is looked at before the first connection is registered."""


class Changes(TypedDict, total=False):
    """What of a connection can change; each value replaces the old one whole."""

    credentials: Mapping[str, Any]
    connection_config: Mapping[str, str]
    metadata: Mapping[str, Any]
    status: Status


class Vault:
    """Register, read and change connections; credentials are encrypted on the way in and opened on the way out."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self.store = store
        self._keys = keys
        self._clock = clock
        self._fits = False

    def register(
        self,
        integration: str,
        user_id: str,
        credentials: Mapping[str, Any],
        connection_config: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Store a new connection; a second one for the pair is a DuplicateConnection."""
        now = self._clock.now()
        connection = Connection(
            id=uuid.uuid4().hex,
            integration=checked_name(integration, "integration"),
            user_id=checked_name(user_id, "user_id"),
            credentials=credentials,
            connection_config=connection_config or {},
            metadata=metadata or {},
            created_at=now,
            updated_at=now,
            version=1,
        )
        self._check_keys()
        self.store.put(self._seal(connection))
        return connection

    def get(self, integration: str, user_id: str) -> Connection | None:
        """Return a connection with its credentials, or None."""
        row = self.store.get(integration, user_id)
        return None if row is None else self._open(row)

    def version(self, integration: str, user_id: str) -> tuple[str, int] | None:
        """Return id and version of a connection, or None, without opening it."""
        return self.store.version(integration, user_id)

    def replace(self, connection: Connection, **changes: Unpack[Changes]) -> Connection:
        """Make *changes* on top of whatever is stored now, and return the result.

        For changes a user asked for: what they give wins, and everything else keeps what others wrote meanwhile.
        A connection that was deleted (or deleted and registered again) is an UnknownConnection.
        """
        while True:
            current = self._current(connection)
            if current is None:
                raise UnknownConnection(
                    f"integration {connection.integration!r} no longer has this connection of user "
                    f"{connection.user_id!r}. Register it again."
                )
            written = self._write(current, changes)
            if written is not None:
                return written

    def swap(self, connection: Connection, **changes: Unpack[Changes]) -> Connection | None:
        """Make *changes* if they are still true, and return the result, else None.

        For changes that were derived from *connection*, as a renewed token is. None means that it was deleted, or
        that its credentials or one of the changed values are no longer those of *connection*. Other values may have
        changed meanwhile, and keys may have been rotated: that is kept.
        """
        current: Connection | None = connection
        while current is not None and _agree(connection, current, ("credentials", *changes)):
            written = self._write(current, changes)
            if written is not None:
                return written
            current = self._current(connection)
        return None

    def renew(
        self, connection: Connection, credentials: Mapping[str, Any], config: Mapping[str, str]
    ) -> Connection | None:
        """Store *credentials* that were got with those of *connection*, and *config* over its own; return the result.

        None means that it was deleted, or that somebody else changed its credentials. A mark that it got meanwhile
        does not count: it speaks of the credentials that are replaced. What is stored already is returned, for the
        answer of its commit may have got lost.
        """
        new = conceal(credentials)
        current: Connection | None = connection
        while current is not None:
            if current.credentials != connection.credentials:
                return current if current.credentials == new else None
            changes = Changes(
                credentials=new, connection_config={**current.connection_config, **config}, status="active"
            )
            written = self._write(current, changes)
            if written is not None:
                return written
            current = self._current(connection)
        return None

    def delete(self, integration: str, user_id: str) -> bool:
        """Delete a connection, and tell whether there was one; no key is needed."""
        return self.store.delete(integration, user_id)

    def views(self, integration: str | None = None, user_id: str | None = None) -> Iterator[ConnectionView]:
        """Yield connections without credentials, ordered by id; no key is needed."""
        return map(_view, self.store.iterate(integration=integration, user_id=user_id))

    def rotate(self, progress: Callable[[Rotation], None] | None = None) -> Rotation:
        """Encrypt every connection with the newest key; may be stopped at any moment and started again.

        *progress* is called with the counts so far, after each row.
        """
        return rotate(self.store, self._keys, _aad, progress or _ignore)

    def put_attempt(self, state: str, attempt: Mapping[str, Any], *, seconds: float) -> float:
        """Keep the JSON-like data of an OAuth attempt, encrypted; return when it expires, by the clock."""
        now = self._clock.now()
        sealed = self._keys.seal(_json(reveal(attempt)).encode(), aad=_attempt_aad(state))
        self.store.put_attempt(_fingerprint(state), sealed, now + seconds, now=now)
        return now + seconds

    def get_attempt(self, state: str) -> Mapping[str, Any] | None:
        """Return the data of an OAuth attempt, texts as secrets, and leave it; None if unknown, taken or expired."""
        return self._open_attempt(state, self.store.get_attempt(_fingerprint(state), now=self._clock.now()))

    def take_attempt(self, state: str) -> Mapping[str, Any] | None:
        """Return the data of an OAuth attempt, texts as secrets, once; None if unknown, taken or expired."""
        return self._open_attempt(state, self.store.take_attempt(_fingerprint(state), now=self._clock.now()))

    def _open_attempt(self, state: str, sealed: str | None) -> Mapping[str, Any] | None:
        if sealed is None:
            return None
        return conceal(json.loads(self._keys.open(sealed, aad=_attempt_aad(state))))

    def _write(self, current: Connection, changes: Changes) -> Connection | None:
        """Store *current* with *changes* if it is still the newest version."""
        changed = replace(current, **changes, version=current.version + 1, updated_at=self._clock.now())
        swapped = self.store.compare_and_swap(self._seal(changed), expected_version=current.version)
        return changed if swapped else None

    def _current(self, connection: Connection) -> Connection | None:
        current = self.get(connection.integration, connection.user_id)
        return current if current is not None and current.id == connection.id else None

    def _seal(self, connection: Connection) -> Row:
        return Row(
            id=connection.id,
            integration=connection.integration,
            user_id=connection.user_id,
            sealed=self._keys.seal(_json(reveal(connection.credentials)).encode(), aad=_aad(connection.id)),
            connection_config=_json(dict(connection.connection_config)),
            metadata=_json(thaw(connection.metadata)),
            status=connection.status,
            created_at=connection.created_at,
            updated_at=connection.updated_at,
            version=connection.version,
        )

    def _open(self, row: Row) -> Connection:
        try:
            credentials = json.loads(self._keys.open(row.sealed, aad=_aad(row.id)))
        except DecryptionError as error:
            raise DecryptionError(
                f"connection {row.id} (integration {row.integration!r}, user {row.user_id!r}): {error}"
            ) from None
        return Connection(**_public(row), credentials=credentials)

    def _check_keys(self) -> None:
        """Refuse to put connections under a new key beside others that nobody can open."""
        if self._fits:
            return
        wanted = {sealed_with(row.sealed) for row in islice(self.store.iterate(page_size=_SAMPLE), _SAMPLE)}
        if wanted and wanted.isdisjoint(self._keys.key_ids):
            raise StoreError(
                f"{self.store.location}: its connections are encrypted with key {', '.join(sorted(wanted))}, and the "
                f"keys at hand are {', '.join(self._keys.key_ids)}. Restore that key, and add new ones before it."
            )
        self._fits = True


def _agree(one: Connection, other: Connection, names: tuple[str, ...]) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _view(row: Row) -> ConnectionView:
    return ConnectionView(**_public(row))


def _public(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "integration": row.integration,
        "user_id": row.user_id,
        "connection_config": json.loads(row.connection_config),
        "metadata": json.loads(row.metadata),
        "status": row.status,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "version": row.version,
    }


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _aad(connection_id: str) -> str:
    return f"connection:{connection_id}"


def _attempt_aad(state: str) -> str:
    return f"attempt:{_fingerprint(state)}"


def _fingerprint(state: str) -> str:
    # Whoever reads the table must not be able to finish somebody's attempt.
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def checked_name(value: Any, what: str) -> str:
    """Return the id of a user or an integration; *what* names it.

    Raises:
        UsageError: It cannot be stored.
    """
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME:
        raise UsageError(f"{what}: give a text of 1 to {_LONGEST_NAME} characters.")
    if "\0" in value or not value.isprintable():
        raise UsageError(f"{what}: it holds a control character or half a surrogate pair. Give printable text.")
    return value


def _ignore(_counts: Rotation) -> None: ...
