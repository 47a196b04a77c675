"""OAUTH2: a bearer token (RFC 6749, RFC 6750)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.expiry import stated_expiry
from nango_py.auth.scheme import AuthScheme, Place, Refuse
from nango_py.field import Field, read_fields
from nango_py.secret import Secret
from nango_py.template import Template, Tree, split

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OAuth2"]

_TIMES = ("expires_at", "expires_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2(AuthScheme):
    """Send an access token as ``Bearer``; what else is declared here tells how such a token is obtained."""

    mode: ClassVar[str] = "OAUTH2"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="access_token", title="Access token", secret=True),
        Field(name="refresh_token", title="Refresh token", secret=True, optional=True),
        Field(name="token_type", title="Token type", optional=True),
        Field(name="scope", title="Granted scopes", optional=True),
    )
    supplies: ClassVar[frozenset[str]] = frozenset({"raw"})
    templates: ClassVar[frozenset[str]] = frozenset(
        {"authorization_url", "token_url", "refresh_url", "revocation_url", "value"}
    )

    authorization_url: Template | None = None
    authorization_params: Mapping[str, Tree] = field(default_factory=dict)
    authorization_method: Literal["body", "header"] = "body"
    token_url: Template | None = None
    token_params: Mapping[str, Tree] = field(default_factory=dict)
    token_request_auth_method: Literal["basic", "post", "private_key_jwt", "none"] | None = None
    refresh_url: Template | None = None
    refresh_params: Mapping[str, Tree] = field(default_factory=dict)
    revocation_url: Template | None = None
    body_format: Literal["form", "json"] = "form"
    scope_separator: str = " "
    default_scopes: tuple[str, ...] = ()
    default_token_lifetime: float | None = None
    disable_pkce: bool = False
    placement: Literal["header", "none"] = "header"
    value: Template | None = None

    def accept(
        self, given: Mapping[str, Any], fields: tuple[Field, ...], refuse: Refuse, *, now: float
    ) -> dict[str, Any]:
        """Return the tokens to keep: a lifetime (``expires_in``) becomes a moment, ``raw`` is kept as it came."""
        special = {*_TIMES, "raw"}
        plain = {name: value for name, value in given.items() if name not in special}
        kept: dict[str, Any] = dict(read_fields(fields, plain, refuse))
        kept |= self._expiry(given, refuse, now)
        raw = given.get("raw")
        if isinstance(raw, Mapping):
            kept["raw"] = dict(raw)
        elif raw is not None:
            refuse(f"'raw' must be a mapping, not {type(raw).__name__}.")
        return kept

    def _expiry(self, given: Mapping[str, Any], refuse: Refuse, now: float) -> dict[str, float]:
        stated = {name: _shown(given.get(name)) for name in _TIMES}
        try:
            moment = stated_expiry(stated, now=now)
            if moment is not None and not math.isfinite(moment):
                raise ValueError("no moment")
        except (TypeError, ValueError, OverflowError):
            refuse("'expires_at' must be a time (epoch seconds, milliseconds or ISO 8601), 'expires_in' seconds.")
            return {}
        if moment is None and self.default_token_lifetime is not None:
            moment = now + self.default_token_lifetime
        return {} if moment is None else {"expires_at": moment}

    def expires_at(self, credentials: Mapping[str, Any]) -> float | None:
        """Return when the access token stops working, where that is known."""
        moment = credentials.get("expires_at")
        return None if moment is None else float(moment)

    def place(self) -> Place | None:
        """Return the Authorization header, unless the blueprint places the token itself."""
        if self.placement == "none":
            return None
        return Place(where="header", name="Authorization", value=self.value or split("Bearer ${access_token}"))

    def urls(self) -> Iterator[Template]:
        """Yield the endpoints that the credentials meet."""
        for url in (self.authorization_url, self.token_url, self.refresh_url, self.revocation_url):
            if url is not None:
                yield url


def _shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value
