"""OAUTH2: a bearer token that an account holder grants (RFC 6749, RFC 6750), by browser or device."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.authorization_url import authorization_url
from nango_py.auth.client_authentication import chosen
from nango_py.auth.grant import BadAnswer, Begun, DeviceCode, Obtained, Refused
from nango_py.auth.pkce import challenge_of
from nango_py.auth.scheme import revealed
from nango_py.auth.token_answer import pick
from nango_py.auth.token_scheme import TokenScheme
from nango_py.template import Template, Tree, render_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth.client_authentication import Method
    from nango_py.auth.grant import Account, Flow, Grant, TokenRequest
    from nango_py.auth.scheme import Refuse
    from nango_py.field import Field

__all__ = ["OAuth2"]

_INTERVAL = 5
"""Seconds between two questions where the server names none (RFC 8628 section 3.2)."""
_LONGEST_DEVICE_CODE = 86_400.0
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2(TokenScheme):
    """Send an access token as ``Bearer``; what else is declared here tells how such a token is obtained."""

    mode: ClassVar[str] = "OAUTH2"
    templates: ClassVar[frozenset[str]] = frozenset(
        {"authorization_url", "token_url", "refresh_url", "revocation_url", "device_authorization_url", "value"}
    )
    names_in_tokens: ClassVar[frozenset[str]] = frozenset({"code", "refresh_token"})
    connects: ClassVar[bool] = True
    wants_client: ClassVar[bool] = True

    authorization_url: Template | None = None
    authorization_params: Mapping[str, Tree] = field(default_factory=dict)
    authorization_method: Literal["body", "header"] = "body"
    authorization_url_skip_encode: tuple[str, ...] = ()
    authorization_url_skip_empty: bool = False
    authorization_url_fragment: str | None = None
    authorization_url_replacements: Mapping[str, str] = field(default_factory=dict)
    authorization_code_param_in_callback: str = "code"
    redirect_uri_metadata: tuple[str, ...] = ()
    issuer: str | None = None
    refresh_url: Template | None = None
    refresh_params: Mapping[str, Tree] = field(default_factory=dict)
    device_authorization_url: Template | None = None
    disable_pkce: bool = False

    @property
    def picked(self) -> frozenset[str]:
        """The names of connection config that a token answer or a callback brings."""
        return frozenset((*self.token_response_metadata, *self.redirect_uri_metadata))

    @property
    def client_method(self) -> Method:
        """How the client proves itself to the token endpoint."""
        return chosen(self.token_request_auth_method, self.authorization_method)

    def accept(
        self, given: Mapping[str, Any], fields: tuple[Field, ...], refuse: Refuse, *, now: float
    ) -> dict[str, Any]:
        """Return the tokens to keep; a refresh token alone is enough, an access token is got with it."""
        kept = TokenScheme.accept(self, given, fields, refuse, now=now)
        if not (kept.get("access_token") or kept.get("refresh_token")):
            refuse("'access_token' is missing (Access token).")
        return kept

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether there is a refresh token and somewhere to send it."""
        return bool(credentials.get("refresh_token")) and (self.refresh_url or self.token_url) is not None

    def renew(self, account: Account) -> Grant:
        """Use the refresh token (RFC 6749 section 6)."""
        fields = {"grant_type": "refresh_token", "refresh_token": revealed(account.credentials, "refresh_token")}
        answer = yield self.token_request(
            account,
            self.refresh_url or self.token_url,
            fields,
            params=self.refresh_params,
            purpose="renewal",
        )
        return self.read(self.granted(answer), account)

    def begin(self, account: Account, *, redirect_uri: str, state: str) -> Flow[Begun]:
        """Return the authorization URL (RFC 6749 section 4.1.1), with PKCE unless it is disabled."""
        yield from ()  # a generator as every grant is, though it asks nobody
        self.endpoint(self.token_url, account, "code exchange")  # nobody should agree for nothing
        verifier = None if self.disable_pkce else account.nonce()
        url = self.authorization_address(account, redirect_uri=redirect_uri, state=state, verifier=verifier)
        kept = {"code_verifier": verifier, "scope": self.scope_text(account)}
        return Begun(url=url, kept={name: value for name, value in kept.items() if value is not None})

    def authorization_address(
        self,
        account: Account,
        *,
        redirect_uri: str,
        state: str,
        verifier: str | None,
        endpoint: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the URL where access is granted; declared parameters win over the standard ones."""
        params: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.client_of(account)[0] or None,
            "redirect_uri": redirect_uri,
            "scope": self.scope_text(account),
            "state": state,
            **(more or {}),
        }
        if verifier is not None:
            params |= {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
        params |= render_tree(self.authorization_params, account.values) or {}
        return authorization_url(
            endpoint or self.endpoint(self.authorization_url, account, "authorization"),
            params,
            skip_encode=self.authorization_url_skip_encode,
            skip_empty=self.authorization_url_skip_empty,
            fragment=self.authorization_url_fragment,
            replacements=self.authorization_url_replacements,
        )

    def finish(
        self, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any], *, redirect_uri: str
    ) -> Grant:
        """Exchange the code (RFC 6749 section 4.1.3), after the issuer that the callback names was checked."""
        self._check_issuer(account, callback, kept)
        code = callback.get(self.authorization_code_param_in_callback)
        if not code:
            raise BadAnswer(f"came back without {self.authorization_code_param_in_callback!r}", status=200)
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": revealed(kept, "code_verifier") or None,
        }
        answer = yield self.code_request(account, kept, fields)
        found = self.read(self.granted(answer), account, scopes=revealed(kept, "scope") or None)
        config = {**pick(self.redirect_uri_metadata, callback), **found.connection_config}
        return Obtained(credentials=found.credentials, connection_config=config)

    def code_request(self, account: Account, kept: Mapping[str, Any], fields: Mapping[str, Any]) -> TokenRequest:
        """Return the request that exchanges a code."""
        del kept
        request = self.token_request(
            account, self.token_url, fields, params=self.token_params, purpose="code exchange"
        )
        return replace(request, is_repeatable=False)

    def issuer_of(self, account: Account, kept: Mapping[str, Any]) -> str | None:
        """Return the issuer that must have sent the callback, where it is known exactly."""
        del account, kept
        return self.issuer

    def _check_issuer(self, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any]) -> None:
        """Refuse a callback of another issuer (RFC 9207 section 2.4): the code would go to the wrong server."""
        sent = callback.get("iss")
        if not sent:
            return
        known = self.issuer_of(account, kept)
        if known is not None:
            matches = sent.rstrip("/") == known.rstrip("/")
        else:
            matches = _has_origin_of(sent, self.endpoint(self.authorization_url, account, "authorization"))
        if not matches:
            raise Refused(
                "invalid_issuer", "the callback names another issuer; declare auth.issuer if it is right", status=400
            )

    @property
    def has_device_flow(self) -> bool:
        """Whether a device authorization endpoint is declared."""
        return self.device_authorization_url is not None

    def begin_device(self, account: Account) -> Flow[DeviceCode]:
        """Ask for the code that the user types on another device (RFC 8628 section 3.1)."""
        scope = self.scope_text(account)
        answer = yield self.token_request(
            account, self.device_authorization_url, {"scope": scope}, purpose="device authorization"
        )
        data = self.granted(answer)
        try:
            return DeviceCode(
                user_code=str(data["user_code"]),
                verification_uri=str(data.get("verification_uri") or data["verification_url"]),
                verification_uri_complete=data.get("verification_uri_complete") or None,
                expires_in=min(_seconds(data["expires_in"]), _LONGEST_DEVICE_CODE),
                interval=max(_seconds(data.get("interval") or _INTERVAL), 1.0),
                kept={"device_code": str(data["device_code"]), "scope": scope},
            )
        except (KeyError, ValueError, TypeError, OverflowError):
            raise BadAnswer("was answered without a device code", status=answer.status) from None

    def finish_device(self, account: Account, kept: Mapping[str, Any]) -> Grant:
        """Ask once for the device's tokens (RFC 8628 section 3.4)."""
        fields = {"grant_type": _DEVICE_GRANT, "device_code": revealed(kept, "device_code")}
        answer = yield self.token_request(account, self.token_url, fields, purpose="device token request")
        return self.read(self.granted(answer), account, scopes=revealed(kept, "scope") or None)


def _has_origin_of(sent: str, url: str) -> bool:
    from nango_py.http import URL, InvalidURL, is_same_origin  # noqa: PLC0415 - few callbacks name their issuer

    try:
        return is_same_origin(URL(sent), URL(url))
    except InvalidURL:
        return False


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 < seconds < math.inf:
        raise ValueError("no time to wait")
    return seconds
