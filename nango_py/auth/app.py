"""APP: a GitHub App that acts as one of its installations."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from nango_py.auth.grant import Refused, TokenRequest
from nango_py.auth.json_web_token import signed_token
from nango_py.auth.scheme import revealed
from nango_py.auth.token_answer import TokenPaths
from nango_py.auth.token_scheme import TokenScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.auth.grant import Account, Grant

__all__ = ["App"]

_BEFORE = 60
"""Seconds that the app's token is dated back, as GitHub's guide advises: clocks differ."""
_LIFETIME = 600
"""Seconds; GitHub allows no more."""
_GONE = 404


def _paths(keys: Mapping[str, Any]) -> TokenPaths:
    return TokenPaths.declare({"token": "token", **keys})


@dataclass(frozen=True, slots=True, kw_only=True)
class App(TokenScheme):
    """Send an installation's token as ``Bearer``; the app gets it with a token that it signs itself.

    ``oauth_client_id`` is the app's id, ``oauth_client_secret`` its private key in PEM. A connection needs no
    credentials; its connection config says which installation it is.
    """

    mode: ClassVar[str] = "APP"
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
        {**TokenScheme.nested, "token_response": _paths}
    )
    extra: ClassVar[str | None] = "jwt:jwt"

    token_response: TokenPaths = field(default_factory=lambda: _paths({}))

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell that a new token can be had at any time."""
        del credentials
        return True

    def renew(self, account: Account) -> Grant:
        """Ask for a token of the installation (GitHub REST, POST /app/installations/{id}/access_tokens)."""
        request = self.token_request(account, self.token_url, {}, params=self.token_params, prove=False)
        headers = {"Authorization": f"Bearer {self._app_token(account)}", **request.headers}
        answer = yield TokenRequest(
            url=request.url, json=request.json, form=request.form, headers=headers, purpose="installation token"
        )
        try:
            return self.read(self.granted(answer), account)
        except Refused as refusal:
            # The installation was removed: only the account's owner can bring it back.
            is_final = refusal.is_final or answer.status == _GONE
            raise Refused(refusal.code, refusal.description, status=answer.status, is_final=is_final) from None

    def _app_token(self, account: Account) -> str:
        now = int(account.now)
        claims = {
            "iss": revealed(account.values, "oauth_client_id"),
            "iat": now - _BEFORE,
            "exp": now + _LIFETIME,
        }
        return signed_token(claims, key=revealed(account.values, "oauth_client_secret"), algorithm="RS256")
