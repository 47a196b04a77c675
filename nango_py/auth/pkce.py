"""Proof Key for Code Exchange (RFC 7636), S256 only."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

__all__ = ["challenge_of"]


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
