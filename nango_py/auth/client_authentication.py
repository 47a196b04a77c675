"""How a client proves itself to a token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from nango_py.auth.grant import TokenRequest

__all__ = ["Method", "authenticated", "chosen"]

Method = Literal["basic", "post", "client_secret_jwt", "private_key_jwt", "none"]

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 300
"""Minutes: a clock that is behind must not make assertions that have ended already."""


def chosen(method: Method | None, where: Literal["body", "header"]) -> Method:
    """Return the method of Nango's two keys for the one thing: both are honoured, never together."""
    return method or ("basic" if where == "header" else "post")


def authenticated(
    request: TokenRequest,
    method: Method,
    *,
    client_id: str,
    client_secret: str,
    audience: str,
    now: float,
    nonce: str,
    algorithm: str | None = None,
) -> TokenRequest:
    """Return *request* with the client's proof; exactly one is sent (RFC 6749 section 2.3).

    For ``private_key_jwt`` the secret is the private key in PEM. *audience* is the token endpoint's URL.

    Raises:
        ValueError: The key cannot sign.
    """
    if method == "basic":
        # Both parts are form-encoded first (section 2.3.1): a colon in the id would move the border.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        basic = f"Basic {b64encode(pair.encode()).decode()}"
        return replace(request, headers={**request.headers, "Authorization": basic})
    proof: dict[str, str] = {"client_id": client_id}
    if method == "post":
        if client_secret:  # a public client has none, and leaves the parameter out (section 2.3.1)
            proof["client_secret"] = client_secret
    elif method in {"client_secret_jwt", "private_key_jwt"}:
        proof["client_assertion_type"] = _ASSERTION
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": nonce,
            "iat": int(now),
            "exp": int(now) + _ASSERTION_SECONDS,
        }
        proof["client_assertion"] = _signed(claims, client_secret, algorithm or _usual(method))
    return _with_fields(request, proof)


def _usual(method: Method) -> str:
    return "HS256" if method == "client_secret_jwt" else "RS256"


def _signed(claims: dict[str, Any], key: str, algorithm: str) -> str:
    from nango_py.auth.json_web_token import signed_token  # noqa: PLC0415 - an optional dependency

    return signed_token(claims, key=key, algorithm=algorithm)


def _with_fields(request: TokenRequest, fields: dict[str, str]) -> TokenRequest:
    """Return *request* with *fields* in its body, where the declared parameters do not name them already."""
    if request.form is None and request.json is None:
        taken = {name for name, _ in request.params}
        added = tuple(pair for pair in fields.items() if pair[0] not in taken)
        return replace(request, params=(*request.params, *added))
    if request.json is not None:
        return replace(request, json={**fields, **_mapping(request.json)})
    return replace(request, form={**fields, **_mapping(request.form)})


def _mapping(body: Any) -> dict[str, Any]:
    return dict(body or {})
