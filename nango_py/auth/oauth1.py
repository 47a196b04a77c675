"""OAUTH1: requests signed with a token and its secret (RFC 5849); oauthlib signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from nango_py.auth.scheme import AuthScheme, revealed
from nango_py.errors import InputError
from nango_py.field import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.http import URL, Request
    from nango_py.template import Template, Tree

__all__ = ["OAuth1"]

_FORM = "application/x-www-form-urlencoded"
_SAFE = "%=&+;:,*@!()/?$'-._~"
"""What may stand in a query that is signed; a % has been encoded already."""


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

    request_url: Template | None = None
    request_params: Mapping[str, Tree] = field(default_factory=dict)
    request_http_method: Literal["GET", "POST"] = "POST"
    authorization_url: Template | None = None
    authorization_params: Mapping[str, Tree] = field(default_factory=dict)
    token_url: Template | None = None
    token_params: Mapping[str, Tree] = field(default_factory=dict)
    token_http_method: Literal["GET", "POST"] = "POST"  # noqa: S105 - a method, no password
    signature_method: Literal["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT"] = "HMAC-SHA1"
    scope_separator: str = " "
    placement: Literal["header", "none"] = "header"

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with its Authorization header; a form body is part of what is signed (3.4.1.3.1)."""
        if self.placement == "none":
            return request
        from oauthlib.oauth1 import Client  # noqa: PLC0415 - an optional dependency

        client = Client(
            revealed(values, "oauth_client_id"),
            client_secret=revealed(values, "oauth_client_secret"),
            resource_owner_key=revealed(values, "oauth_token"),
            resource_owner_secret=revealed(values, "oauth_token_secret"),
            signature_method=self.signature_method,
            rsa_key=revealed(values, "oauth_client_secret") if self.signature_method == "RSA-SHA1" else None,
            timestamp=str(int(now)),
            nonce=nonce,
        )
        form = request.headers.get("Content-Type", "").split(";")[0].strip().lower() == _FORM
        headers = {"Content-Type": _FORM} if form and body else {}
        try:
            text = body.decode() if form and body else None
            _, signed, _ = client.sign(_encoded(request.url), request.method, text, headers)  # type: ignore[arg-type]
        except ValueError:
            raise InputError(
                f"OAuth 1 signs form fields, and the body is not form-encoded, as {_FORM} says."
            ) from None
        request.headers["Authorization"] = signed["Authorization"]
        return request

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        return self.placement == "header" and name.lower() == "authorization"


def _encoded(url: URL) -> str:
    """Return the URL with its query encoded strictly: what is signed are the decoded values (3.4.1.3.2)."""
    before, mark, query = str(url).partition("?")
    return before + mark + quote(query, safe=_SAFE)
