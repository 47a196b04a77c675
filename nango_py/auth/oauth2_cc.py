"""OAUTH2_CC: a token that a client gets for itself (RFC 6749 section 4.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.client_authentication import Method, chosen
from nango_py.auth.token_scheme import TOKEN_FIELDS, TokenScheme
from nango_py.field import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth.grant import Account, Grant, TokenRequest

__all__ = ["ClientCredentials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials(TokenScheme):
    """Send an access token as ``Bearer``; it is got with the connection's own client, or with the integration's."""

    mode: ClassVar[str] = "OAUTH2_CC"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="client_id", title="Client ID", optional=True),
        Field(name="client_secret", title="Client secret", secret=True, optional=True),
        *TOKEN_FIELDS,
    )

    body_format: Literal["form", "json", "query"] = "form"  # type: ignore[assignment]
    authorization_method: Literal["body", "header"] = "body"

    @property
    def client_method(self) -> Method:
        """How the client proves itself to the token endpoint."""
        return chosen(self.token_request_auth_method, self.authorization_method)

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell that a new token can be had at any time."""
        del credentials
        return True

    def renew(self, account: Account) -> Grant:
        """Ask for a token; there is no refresh token, nor need there be one (section 4.4.3)."""
        scope = self.scope_text(account)
        fields = {"grant_type": "client_credentials", "scope": scope}
        answer = yield self._request(account, fields)
        return self.read(self.granted(answer), account, scopes=scope)

    def _request(self, account: Account, fields: Mapping[str, Any]) -> TokenRequest:
        request = self.token_request(account, self.token_url, fields, params=self.token_params, prove=False)
        if self.body_format == "query":
            pairs = tuple((name, str(value)) for name, value in (request.form or {}).items())
            request = replace(request, params=pairs, form=None)
        return self.proven(account, request)
