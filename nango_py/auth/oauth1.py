"""OAUTH1: requests signed with a token and its secret (RFC 5849); oauthlib signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.oauth1_handshake import authorize, exchange
from nango_py.auth.oauth1_signature import SignatureMethod, Signer
from nango_py.auth.scheme import AuthScheme, revealed
from nango_py.auth.token_scheme import JWT_EXTRA
from nango_py.field import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.auth.grant import Account, Begun, Flow, Grant
    from nango_py.http import Request
    from nango_py.template import Template, Tree

__all__ = ["OAuth1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth1(AuthScheme):
    """Sign every request with the integration's client and the connection's token."""

    mode: ClassVar[str] = "OAUTH1"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="oauth_token", title="Token", secret=True),
        Field(name="oauth_token_secret", title="Token secret", secret=True),
    )
    templates: ClassVar[frozenset[str]] = frozenset({"request_url", "authorization_url", "token_url"})
    needs_body: ClassVar[bool] = True
    extra: ClassVar[str | None] = "oauthlib:oauth1"
    connects: ClassVar[bool] = True
    wants_client: ClassVar[bool] = True
    supplies: ClassVar[frozenset[str]] = frozenset({"raw"})

    request_url: Template | None = None
    request_params: Mapping[str, Tree] = field(default_factory=dict)
    request_http_method: Literal["GET", "POST"] = "POST"
    authorization_url: Template | None = None
    authorization_params: Mapping[str, Tree] = field(default_factory=dict)
    token_url: Template | None = None
    token_params: Mapping[str, Tree] = field(default_factory=dict)
    token_http_method: Literal["GET", "POST"] = "POST"  # noqa: S105 - a method, no password
    signature_method: SignatureMethod = "HMAC-SHA1"
    scope_separator: str = " "
    placement: Literal["header", "none"] = "header"

    def begin(self, account: Account, *, redirect_uri: str, state: str) -> Flow[Begun]:
        """Return where temporary credentials are authorized; see :func:`authorize`."""
        del state
        return authorize(self, account, redirect_uri=redirect_uri)

    def finish(
        self, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any], *, redirect_uri: str
    ) -> Grant:
        """Exchange the authorized temporary credentials; see :func:`exchange`."""
        del redirect_uri
        return exchange(self, account, callback, kept)

    def urls(self) -> Iterator[Template]:
        """Yield the endpoints that the credentials meet."""
        yield from filter(None, (self.request_url, self.authorization_url, self.token_url))

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with its Authorization header; a form body is part of what is signed (3.4.1.3.1)."""
        if self.placement == "none":
            return request
        signer = Signer(
            client=(revealed(values, "oauth_client_id"), revealed(values, "oauth_client_secret")),
            token=(revealed(values, "oauth_token"), revealed(values, "oauth_token_secret")),
            method=self.signature_method,
        )
        return signer.sign(request, now=now, nonce=nonce, body=body)

    def extras(self) -> frozenset[str]:
        """Return the optional dependencies that what is declared needs: RSA is signed through pyjwt."""
        return AuthScheme.extras(self) | ({JWT_EXTRA} if self.signature_method == "RSA-SHA1" else frozenset())

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        return self.placement == "header" and name.lower() == "authorization"
