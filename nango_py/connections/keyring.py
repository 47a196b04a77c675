"""Encryption at rest: AES-256-GCM with keys that can be replaced."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from nango_py import forks
from nango_py.errors import DecryptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "KeyRing", "key_id", "sealed_with"]

KEY_BYTES: Final = 32
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: 96 random bits, good for 2**32 messages a key
_VERSION = "v1"
_DAMAGED = (
    "is damaged, or was moved here from another row. Restore it from a backup, or register the connection again."
)


class KeyRing:
    """Seal with the newest key, open with any; *load* returns the keys, newest first, when the first is needed."""

    def __init__(self, load: Callable[[], tuple[bytes, ...]]) -> None:
        self._load = load
        self._lock = forks.Lock()
        self._ciphers: dict[str, AESGCM] | None = None

    def __repr__(self) -> str:
        return "KeyRing(***)"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of the keys at hand, newest first."""
        return tuple(self._loaded())

    @property
    def newest(self) -> str:
        """Return the id of the key that seals."""
        return self.key_ids[0]

    def seal(self, plain: bytes, *, aad: str) -> str:
        """Return *plain* encrypted, as ``v1:<key id>:<base64>``; it opens only with the same *aad*.

        *aad* says what this is the secret of (``connection:<id>``), so that it is of no use anywhere else.
        """
        name = self.newest
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._loaded()[name].encrypt(nonce, plain, _bound(name, aad))
        return f"{_VERSION}:{name}:{base64.b64encode(nonce + cipher).decode()}"

    def open(self, sealed: str, *, aad: str) -> bytes:
        """Return what was sealed; raise :class:`DecryptionError` for an unknown key, or damaged or moved text."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to import

        name, blob = _parts(sealed)
        cipher = self._loaded().get(name)
        if cipher is None:
            raise DecryptionError(_unknown_key(name, self.key_ids))
        try:
            return cipher.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], _bound(name, aad))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise DecryptionError(f"the encrypted text {_DAMAGED}") from None

    def _loaded(self) -> dict[str, AESGCM]:
        with self._lock:
            if self._ciphers is None:
                self._ciphers = {key_id(key): _aesgcm(key) for key in self._load()}
            return self._ciphers


def key_id(key: bytes) -> str:
    """Return the public name of a key: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:8]


def sealed_with(sealed: str) -> str:
    """Return the id of the key that sealed a text, or an empty text if it is no sealed text."""
    version, _, rest = sealed.partition(":")
    return rest.partition(":")[0] if version == _VERSION else ""


def _parts(sealed: str) -> tuple[str, bytes]:
    try:
        version, name, text = sealed.split(":")
        blob = binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, binascii.Error):
        raise DecryptionError(f"the encrypted text {_DAMAGED}") from None
    if version != _VERSION:
        raise DecryptionError(f"the encrypted text has the unknown format {version[:8]!r}. Upgrade nango_py.")
    return name, blob


def _unknown_key(name: str, known: tuple[str, ...]) -> str:
    return (
        f"it was encrypted with key {name[:8]}, and the keys at hand are {', '.join(known) or 'none'}. "
        "Add that key to NANGO_ENCRYPTION_KEYS, after the newest."
    )


def _bound(name: str, aad: str) -> bytes:
    return f"nango_py|{_VERSION}|{name}|{aad}".encode()


def _aesgcm(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow to import

    return AESGCM(key)
