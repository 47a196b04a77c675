"""Sign requests as OAuth 1 has it (RFC 5849 section 3.4); oauthlib does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from nango_py.errors import InputError

if TYPE_CHECKING:
    from nango_py.http import URL, Request

__all__ = ["SignatureMethod", "Signer"]

SignatureMethod = Literal["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT"]

_FORM = "application/x-www-form-urlencoded"
_SAFE = "%=&+;:,*@!()/?$'-._~"
"""What may stand in a query that is signed; a % has been encoded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Hold what signs: a client and a token; for RSA-SHA1 the client's secret is its private key in PEM."""

    client: tuple[str, str] = field(repr=False)
    token: tuple[str, str] = field(repr=False)
    method: SignatureMethod
    realm: str | None = None

    def sign(self, request: Request, *, now: float, nonce: str, body: bytes | None) -> Request:
        """Return the request with its Authorization header; a form body is part of what is signed (3.4.1.3.1).

        Raises:
            InputError: The body is no form, though its content type says so.
        """
        from oauthlib.oauth1 import Client  # noqa: PLC0415 - an optional dependency

        client = Client(
            self.client[0],
            client_secret=self.client[1],
            resource_owner_key=self.token[0],
            resource_owner_secret=self.token[1],
            signature_method=self.method,
            realm=self.realm,
            rsa_key=self.client[1] if self.method == "RSA-SHA1" else None,
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


def _encoded(url: URL) -> str:
    """Return the URL with its query encoded strictly: what is signed are the decoded values (3.4.1.3.2)."""
    before, mark, query = str(url).partition("?")
    return before + mark + quote(query, safe=_SAFE)
