"""An attempt to connect an account, from the click to the callback."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from nango_py.connections.connection import thaw

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ATTEMPT_SECONDS", "Attempt", "AuthorizationRequest", "DeviceAuthorization"]

ATTEMPT_SECONDS = 600.0
"""How long an attempt may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """Where to send the user's browser, and what to keep until it is back.

    *binding* belongs into the browser's own session (a cookie): only with it can the attempt be finished.
    *expires_at* is in UTC seconds since the epoch.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    binding: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is kept of an attempt: for whom it is, and what its callback must fit."""

    integration: str
    user_id: str
    redirect_uri: str = ""
    binding_hash: str = ""
    scopes: tuple[str, ...] | None = None
    connection_config: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)

    # What a grant needs of whom it is for: an attempt has no credentials yet.

    @property
    def credentials(self) -> Mapping[str, Any]:
        """No credentials: they are what the attempt is about."""
        return {}

    def packed(self) -> dict[str, Any]:
        """Return JSON-like data, to be stored encrypted."""
        data: dict[str, Any] = thaw({each.name: getattr(self, each.name) for each in fields(self)})
        return data

    @classmethod
    def unpacked(cls, data: Mapping[str, Any]) -> Self:
        """Return the attempt that was stored."""
        plain: dict[str, Any] = thaw(data)
        scopes = plain.pop("scopes")
        return cls(**plain, scopes=None if scopes is None else tuple(scopes))

    def is_bound_to(self, binding: str) -> bool:
        """Tell whether *binding* is the one that was given out with the attempt."""
        return hmac.compare_digest(self.binding_hash, hash_of(binding))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """What the user types where, on another device (RFC 8628); *expires_at* is in UTC seconds since the epoch."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: float
    interval: float
    attempt: Attempt = field(repr=False)


def hash_of(binding: str) -> str:
    """Return what is kept of a binding: whoever reads the store must not be able to finish an attempt."""
    return hashlib.sha256(binding.encode("utf-8", "surrogatepass")).hexdigest()
