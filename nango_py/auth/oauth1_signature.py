"""Sign requests as OAuth 1 has it (RFC 5849 section 3.4); oauthlib does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from nango_py.errors import CredentialsError, InputError, UsageError
from nango_py.pem import normalised_pem

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
    callback: str | None = None
    """Where the browser comes back to, in the request for temporary credentials."""
    verifier: str | None = field(default=None, repr=False)
    """What the browser brought back, in the token exchange."""

    def sign(self, request: Request, *, now: float, nonce: str, body: bytes | None) -> Request:
        """Return the request with its Authorization header; a form body is part of what is signed (3.4.1.3.1).

        Raises:
            InputError: The body is no form, though its content type says so.
            CredentialsError: The key is none for RSA; the message quotes nothing of it.
        """
        from oauthlib.oauth1 import Client  # noqa: PLC0415 - an optional dependency

        rsa_key = _checked_key(self.client[1]) if self.method == "RSA-SHA1" else None
        client = Client(
            self.client[0],
            client_secret=self.client[1],
            resource_owner_key=self.token[0] or None,
            resource_owner_secret=self.token[1],
            callback_uri=self.callback,
            verifier=self.verifier,
            signature_method=self.method,
            realm=self.realm,
            rsa_key=rsa_key,
            timestamp=str(int(now)),
            nonce=nonce,
        )
        form = request.headers.get("Content-Type", "").split(";")[0].strip().lower() == _FORM
        headers = {"Content-Type": _FORM} if form and body else {}
        try:
            text = body.decode() if form and body else None
            _, signed, _ = client.sign(_encoded(request.url), request.method, text, headers)  # type: ignore[arg-type]
        except UnicodeEncodeError:
            raise  # it is about the credentials
        except ValueError:
            raise InputError(
                f"OAuth 1 signs form fields, and the body is not form-encoded, as {_FORM} says."
            ) from None
        request.headers["Authorization"] = signed["Authorization"]
        return request


def _checked_key(text: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - rarely needed
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    if find_spec("jwt") is None:
        raise UsageError("RSA-SHA1 is signed by the package jwt: pip install 'nango-py[jwt]'.")
    pem = normalised_pem(text)
    try:
        is_fit = isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
    except (ValueError, TypeError):
        is_fit = False
    if not is_fit:
        raise CredentialsError("RSA-SHA1 signs with a private key: oauth_client_secret must be an RSA key in PEM.")
    return pem


def _encoded(url: URL) -> str:
    """Return the URL with its query encoded strictly: what is signed are the decoded values (3.4.1.3.2)."""
    before, mark, query = str(url).partition("?")
    return before + mark + quote(query, safe=_SAFE)
