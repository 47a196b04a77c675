"""JWT: a token that is made and signed on this machine (RFC 7519)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.expiry import leeway_of
from nango_py.auth.grant import Obtained
from nango_py.auth.made_token import MadeToken, TokenSignature
from nango_py.auth.scheme import AuthScheme, Place
from nango_py.template import Template, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.auth.grant import Account, Grant

__all__ = ["JsonWebToken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonWebToken(AuthScheme):
    """Send a token as ``Bearer`` that is made of the connection's credentials; it is remembered, never stored."""

    mode: ClassVar[str] = "JWT"
    supplies: ClassVar[frozenset[str]] = frozenset({"access_token"})
    templates: ClassVar[frozenset[str]] = frozenset({"value"})
    filled: ClassVar[frozenset[str]] = frozenset({"token"})
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
        {"token": MadeToken.declare, "signature": TokenSignature.declare}
    )
    extra: ClassVar[str | None] = "jwt:jwt"
    is_kept: ClassVar[bool] = False

    token: MadeToken
    signature: TokenSignature = field(default_factory=TokenSignature)
    token_expiration_buffer: float | None = None
    placement: Literal["header", "none"] = "header"
    value: Template | None = None

    def is_complete(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether a token was made."""
        return bool(credentials.get("access_token"))

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell that a token can be made at any time."""
        del credentials
        return True

    def expires_at(self, credentials: Mapping[str, Any]) -> float | None:
        """Return when the token stops working."""
        moment = credentials.get("expires_at")
        return None if moment is None else float(moment)

    def leeway(self, credentials: Mapping[str, Any]) -> float:
        """Return the declared leeway or five minutes, and at most a tenth of the token's lifetime."""
        return leeway_of(credentials, self.token_expiration_buffer)

    def renew(self, account: Account) -> Grant:
        """Make a token; nobody is asked.

        Raises:
            ValueError: The key cannot sign it; the message quotes nothing of the key.
        """
        yield from ()  # a generator as every grant is
        token, end = self.token.made(self.signature, account.values, now=account.now)
        return Obtained(credentials={"access_token": token, "expires_at": end, "obtained_at": account.now})

    def place(self) -> Place | None:
        """Return the Authorization header, unless the blueprint places the token itself."""
        if self.placement == "none":
            return None
        return Place(where="header", name="Authorization", value=self.value or split("Bearer ${access_token}"))
