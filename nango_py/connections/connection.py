"""One account's use of an integration, immutable, with its secrets wrapped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from nango_py.errors import CredentialsError, UsageError
from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection", "ConnectionView", "Status", "conceal", "freeze", "reveal", "thaw"]

Status = Literal["active", "renewal_uncertain", "reauth_required"]
"""``renewal_uncertain``: a renewal got no answer, so the provider may have replaced the refresh token unheard."""

_MAX_DEPTH = 40
"""Deeper data is a mistake, and would end in a RecursionError far from its cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """Show a connection without its credentials; times are UTC seconds since the epoch."""

    id: str
    integration: str
    user_id: str
    connection_config: Mapping[str, str]
    metadata: Mapping[str, Any]
    status: Status = "active"
    created_at: float
    updated_at: float
    version: int

    def __post_init__(self) -> None:
        _set(self, "connection_config", _texts(self.connection_config))
        _set(self, "metadata", freeze(self.metadata))


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Hold one account's use of an integration, unique per ``(integration, user_id)``.

    Every text in *credentials*, at any depth, is a :class:`Secret`; numbers, booleans and None stay what they are.
    The mappings are copied and read-only. *version* grows by one with every change of the stored row.
    """

    id: str
    integration: str
    user_id: str
    credentials: Mapping[str, Any] = field(repr=False)
    connection_config: Mapping[str, str]
    metadata: Mapping[str, Any]
    status: Status = "active"
    created_at: float
    updated_at: float
    version: int

    def __post_init__(self) -> None:
        _set(self, "credentials", conceal(self.credentials))
        _set(self, "connection_config", _texts(self.connection_config))
        _set(self, "metadata", freeze(self.metadata))

    @property
    def pair(self) -> tuple[str, str]:
        """Return the integration and the user, which no other connection has."""
        return self.integration, self.user_id

    def view(self) -> ConnectionView:
        """Return the same without credentials."""
        return ConnectionView(
            id=self.id,
            integration=self.integration,
            user_id=self.user_id,
            connection_config=self.connection_config,
            metadata=self.metadata,
            status=self.status,
            created_at=self.created_at,
            updated_at=self.updated_at,
            version=self.version,
        )


def conceal(credentials: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a read-only copy of JSON-like *credentials* in which every text is a :class:`Secret`.

    Raises :class:`CredentialsError`, which names the place and never the value, for what JSON cannot hold.
    """
    if not isinstance(credentials, Mapping):
        raise CredentialsError("credentials: expected a mapping of names to values.")
    copied: Mapping[str, Any] = _copy(credentials, "credentials", 0, Secret, CredentialsError)
    return copied


def reveal(credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Return *credentials* as plain JSON data; only the door to encryption, and to a request, needs it."""
    plain: dict[str, Any] = thaw(credentials)
    return plain


def freeze(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a read-only deep copy of JSON-like *data*: lists become tuples."""
    if not isinstance(data, Mapping):
        raise UsageError("metadata: expected a mapping of names to values.")
    copied: Mapping[str, Any] = _copy(data, "metadata", 0, str, UsageError)
    return copied


def thaw(value: Any) -> Any:
    """Return plain JSON data: dicts, lists, and the text of secrets."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def _texts(config: Mapping[Any, Any]) -> Mapping[str, str]:
    if not isinstance(config, Mapping):
        raise CredentialsError("connection_config: expected a mapping of names to texts.")
    for key, value in config.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise CredentialsError(f"connection_config: {key!r} must be a text, not {type(value).__name__}.")
    return MappingProxyType(dict(config))


def _copy(value: Any, where: str, depth: int, text: Callable[[str], Any], error: type[UsageError]) -> Any:
    if depth > _MAX_DEPTH:
        raise error(f"{where}: nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return MappingProxyType(
            {
                _key(key, where, error): _copy(item, f"{where}.{key}", depth + 1, text, error)
                for key, item in value.items()
            }
        )
    if isinstance(value, list | tuple):
        return tuple(_copy(item, f"{where}[{index}]", depth + 1, text, error) for index, item in enumerate(value))
    return _scalar(value, where, text, error)


def _key(key: Any, where: str, error: type[UsageError]) -> str:
    if not isinstance(key, str):
        raise error(f"{where}: names must be texts, not {type(key).__name__}.")
    return key


def _scalar(value: Any, where: str, text: Callable[[str], Any], error: type[UsageError]) -> Any:
    if isinstance(value, Secret) and text is Secret:
        return value
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    kind = "a number that is not finite" if isinstance(value, float) else type(value).__name__
    raise error(f"{where}: JSON cannot hold {kind}. Give texts, numbers, booleans, lists or mappings.")


def _set(target: object, name: str, value: object) -> None:
    object.__setattr__(target, name, value)
