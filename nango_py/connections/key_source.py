"""Where encryption keys come from: the environment, a file, or one made on the spot."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.connections.keyring import KEY_BYTES, KeyRing, sealed_with
from nango_py.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.connections.store import Store

__all__ = ["KEYS", "KEYS_FILE", "key_ring", "made_key_path", "read_keys"]

KEYS = "NANGO_ENCRYPTION_KEYS"
KEYS_FILE = "NANGO_ENCRYPTION_KEYS_FILE"
_SINGULAR = "NANGO_ENCRYPTION_KEY"
_HOW = "Make a key: openssl rand -base64 32."


def key_ring(store: Store, environ: Mapping[str, str]) -> KeyRing:
    """Return the keys for *store*; nothing is read or made before the first one is needed.

    In this order: ``NANGO_ENCRYPTION_KEYS``, ``NANGO_ENCRYPTION_KEYS_FILE``, the key of a store in memory, and for
    SQLite a key made on the spot in the user's configuration directory, unless the store has rows already.
    """
    return KeyRing(partial(_keys, store, environ))


def read_keys(text: str, where: str) -> tuple[bytes, ...]:
    """Read base64 keys separated by commas or line ends, newest first; errors name the position, never the value."""
    parts = [part.strip() for part in re.split(r"[,\n]", text.strip().rstrip(",").rstrip())]
    return tuple(_key(part, f"{where}: key {number}") for number, part in enumerate(parts, 1))


def made_key_path(environ: Mapping[str, str]) -> Path:
    """Return where a key made on the spot is kept (XDG Base Directory Specification)."""
    # The specification has relative paths ignored.
    configured = Path(environ.get("XDG_CONFIG_HOME", ""))
    home = Path(environ.get("HOME") or Path.home())
    folder = configured if configured.is_absolute() else home / ".config"
    return folder / "nango-py" / "encryption.key"


def _keys(store: Store, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    if _SINGULAR in environ and not {KEYS, KEYS_FILE} & set(environ):
        # Ignored, it would have a key made on the spot, and the wrong one would encrypt.
        raise StoreError(f"{_SINGULAR} is set, and nango_py reads {KEYS}. Rename it, or unset it.")
    if KEYS in environ and KEYS_FILE in environ:
        raise StoreError(f"{KEYS} and {KEYS_FILE} are both set. Set one of them.")
    if KEYS in environ:
        return read_keys(environ[KEYS], KEYS)
    if KEYS_FILE in environ:
        return _read(Path(environ[KEYS_FILE]), KEYS_FILE)
    if store.own_key is not None:
        return (store.own_key,)
    if not store.may_make_key:
        raise StoreError(f"{store.location}: this store needs {KEYS}, which is not set. {_HOW}")
    return _made(store, made_key_path(environ))


def _made(store: Store, path: Path) -> tuple[bytes, ...]:
    if _is_there(path):
        return _read(path, "the encryption key")
    row = next(store.iterate(page_size=1), None)
    if row is not None:
        raise StoreError(
            f"{store.location}: its connections are encrypted with key {sealed_with(row.sealed) or '(unreadable)'}, "
            f"which is not here: {KEYS} is not set and {path} does not exist. Restore the key; a new one would not "
            "open them."
        )
    _make(path)
    return _read(path, "the encryption key")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder that may not be entered
        raise StoreError(f"{path} cannot be read: {error.strerror}. Give this user access, or set {KEYS}.") from error


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(draft, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        # Unlike a rename, a link never replaces: of two processes that start at once, one key wins, and is whole.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made: {error.strerror}. Make its folder writable, or set {KEYS}. {_HOW}"
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _write(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)


def _read(path: Path, what: str) -> tuple[bytes, ...]:
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise StoreError(f"{what}: {path} cannot be read: {error.strerror}. Check that it is there.") from error
    except UnicodeDecodeError:
        raise StoreError(f"{what}: {path} holds no base64 text. {_HOW}") from None
    return read_keys(text, f"{what}: {path}")


def _key(text: str, where: str) -> bytes:
    if not text:
        raise StoreError(f"{where} is empty. {_HOW}")
    try:
        key = base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (ValueError, binascii.Error):
        raise StoreError(f"{where} is no base64 text. {_HOW}") from None
    if len(key) != KEY_BYTES:
        raise StoreError(f"{where} has {len(key)} bytes; a key has {KEY_BYTES}. {_HOW}")
    return key
