"""Sign JSON Web Tokens (RFC 7519); pyjwt does it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nango_py.pem import normalised_pem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["signed_token", "stated_end"]


def signed_token(
    claims: Mapping[str, Any], *, key: str | bytes, algorithm: str, headers: Mapping[str, Any] | None = None
) -> str:
    """Return a signed token of *claims*; *key* is a PEM or JWK text for RS, PS, ES and EdDSA, the secret for HS.

    The ``kid`` of a JWK (RFC 7517) becomes that of the token, unless *headers* say another.

    Raises:
        ValueError: The key cannot sign with that algorithm; the message quotes nothing of it.
    """
    try:
        import jwt  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError:
        raise ValueError("a token is signed by the package jwt: pip install 'nango-py[jwt]'") from None
    try:
        material, named = _material(key, algorithm)
        return jwt.encode(dict(claims), material, algorithm=algorithm, headers={**named, **(headers or {})})
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, AttributeError, NotImplementedError):
        raise ValueError(f"the key cannot sign with {algorithm}: give a private key in PEM") from None


def _material(key: str | bytes, algorithm: str) -> tuple[Any, dict[str, str]]:
    """Return what signs, and the header that names it."""
    if isinstance(key, bytes) or algorithm.startswith("HS"):
        return key, {}
    if not key.lstrip().startswith("{"):
        return normalised_pem(key), {}
    import jwt  # noqa: PLC0415 - an optional dependency

    found = jwt.PyJWK.from_json(key, algorithm)
    return found.key, {"kid": found.key_id} if found.key_id else {}


def stated_end(token: str) -> float | None:
    """Return the ``exp`` of a token without verifying it; None for what is no such token."""
    import json  # noqa: PLC0415
    from base64 import urlsafe_b64decode  # noqa: PLC0415

    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        end = float(payload["exp"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return end if math.isfinite(end) else None
