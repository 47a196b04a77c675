"""Keys as PEM texts (RFC 7468)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

__all__ = ["ed25519_signature", "normalised_pem", "public_key_fingerprint"]


def normalised_pem(text: str) -> str:
    """Return a PEM text whose line breaks were lost on its way through a form or an environment variable."""
    text = text.strip().replace("\\n", "\n")
    begin, _, rest = text.partition("-----BEGIN ")
    label, _, rest = rest.partition("-----")
    body, _, _ = rest.partition("-----END")
    if begin or not label or not body:
        return text
    packed = "".join(body.split())
    lines = "\n".join(packed[at : at + 64] for at in range(0, len(packed), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def public_key_fingerprint(private_key: str) -> str:
    """Return ``SHA256:`` and the base64 text of the hash of the public key that belongs to a private one.

    Raises:
        ValueError: It is no private key in PEM; the message quotes nothing of it.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - rarely needed

    key = _private_key(private_key, "a fingerprint")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return f"SHA256:{b64encode(sha256(public).digest()).decode()}"


def ed25519_signature(text: str, private_key: str) -> str:
    """Return the base64 text of the Ed25519 signature (RFC 8032) of *text*.

    Raises:
        ValueError: The key is no Ed25519 key in PEM; the message quotes nothing of it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = _private_key(private_key, "an Ed25519 signature")
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("an Ed25519 signature needs a key of that kind")
    return b64encode(key.sign(text.encode())).decode()


def _private_key(text: str, what: str) -> Any:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    try:
        return serialization.load_pem_private_key(normalised_pem(text).encode(), None)
    except (ValueError, TypeError):
        raise ValueError(f"{what} needs a private key in PEM") from None
