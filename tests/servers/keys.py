"""An RSA key pair for clients that sign: made once a session."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["RsaKey", "new_rsa_key", "rsa_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RsaKey:
    """Both halves of an RSA key."""

    private_pem: str
    public_pem: str
    n: str
    """Modulus ..."""
    e: str
    """... and exponent, as a JSON Web Key (RFC 7518 section 6.3.1) has them."""


@cache
def rsa_key() -> RsaKey:
    """Return the session's key: the same each time."""
    return new_rsa_key()


def new_rsa_key() -> RsaKey:
    """Return a key that no server knows yet."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    numbers = key.public_key().public_numbers()
    return RsaKey(
        private_pem=private.decode(), public_pem=public.decode(), n=_base64(numbers.n), e=_base64(numbers.e)
    )


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
