"""TBA: NetSuite's token-based authentication, OAuth 1 with a realm; oauthlib signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.oauth1_signature import Signer
from nango_py.auth.scheme import AuthScheme, revealed
from nango_py.field import Field
from nango_py.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.http import Request
    from nango_py.template import Template

__all__ = ["TokenBased"]

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBased(AuthScheme):
    """Sign every request with HMAC-SHA256 in the account's realm.

    The client is the connection's own, or the integration's: ``oauth_client_id`` and ``oauth_client_secret``.
    """

    mode: ClassVar[str] = "TBA"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="token_id", title="Token ID", secret=True),
        Field(name="token_secret", title="Token secret", secret=True),
        Field(name="client_id", title="Consumer key", optional=True),
        Field(name="client_secret", title="Consumer secret", secret=True, optional=True),
    )
    templates: ClassVar[frozenset[str]] = frozenset({"account_id"})
    needs_body: ClassVar[bool] = True
    extra: ClassVar[str | None] = "oauthlib:oauth1"

    account_id: Template
    placement: Literal["header", "none"] = "header"

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with its Authorization header."""
        if self.placement == "none":
            return request
        signer = Signer(
            client=_client(values),
            token=(revealed(values, "token_id"), revealed(values, "token_secret")),
            method="HMAC-SHA256",
            realm=_realm(self.account_id.render(values)),
        )
        return signer.sign(request, now=now, nonce=nonce, body=body)

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        return self.placement == "header" and name.lower() == "authorization"


def _client(values: Mapping[str, Any]) -> tuple[str, str]:
    own = values.get("credentials") or values
    if revealed(own, "client_id"):
        return revealed(own, "client_id"), revealed(own, "client_secret")
    return revealed(values, "oauth_client_id"), revealed(values, "oauth_client_secret")


def _realm(account: str) -> str:
    """Return the realm of an account: host names spell ``1234567-sb1`` what the realm spells ``1234567_SB1``."""
    if not _ACCOUNT.fullmatch(account):
        # oauthlib puts it between quotes as it is.
        raise TemplateError("auth.account_id must be of letters, digits, '-' and '_', as in 1234567_SB1.")
    return account.upper().replace("-", "_")
