"""Sign JSON Web Tokens (RFC 7519); pyjwt does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.pem import normalised_pem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["signed_token", "stated_end"]


def signed_token(
    claims: Mapping[str, Any], *, key: str | bytes, algorithm: str, headers: Mapping[str, Any] | None = None
) -> str:
    """Return a signed token of *claims*; *key* is a PEM text for RS, PS, ES and EdDSA, the secret for HS.

    Raises:
        ValueError: The key cannot sign with that algorithm; the message quotes nothing of it.
    """
    try:
        import jwt  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError:
        raise ValueError("a token is signed by the package jwt: pip install 'nango-py[jwt]'") from None
    material = key if algorithm.startswith("HS") or isinstance(key, bytes) else normalised_pem(key)
    try:
        return jwt.encode(dict(claims), material, algorithm=algorithm, headers=dict(headers or {}))
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, NotImplementedError):
        raise ValueError(f"the key cannot sign with {algorithm}: give a private key in PEM") from None


def stated_end(token: str) -> float | None:
    """Return the ``exp`` of a token without verifying it; None for what is no such token."""
    import json  # noqa: PLC0415
    from base64 import urlsafe_b64decode  # noqa: PLC0415

    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(payload["exp"])
    except (ValueError, KeyError, TypeError):
        return None
