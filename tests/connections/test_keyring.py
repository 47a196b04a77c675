"""Sealed texts open with the right key, in the right place, and unharmed; nowhere else."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.connections.keyring import KeyRing, key_id, sealed_with
from nango_py.errors import DecryptionError

OLD, NEW = b"o" * 32, b"n" * 32


def ring(*keys):
    return KeyRing(lambda: keys)


@given(st.binary(max_size=200), st.text())
def test_what_is_sealed_opens(plain, name):
    aad = f"connection:{name}".encode("ascii", "backslashreplace").decode()
    keys = ring(NEW)

    assert keys.open(keys.seal(plain, aad=aad), aad=aad) == plain


def test_the_envelope_names_version_and_key():
    version, name, blob = ring(NEW, OLD).seal(b"plain", aad="a").split(":")

    assert (version, name) == ("v1", hashlib.sha256(NEW).hexdigest()[:8])
    assert len(base64.b64decode(blob)) == 12 + len(b"plain") + 16


def test_the_same_text_is_sealed_differently_each_time():
    keys = ring(NEW)

    assert len({keys.seal(b"plain", aad="a") for _ in range(50)}) == 50


def test_the_newest_key_seals_and_every_key_opens():
    sealed = ring(OLD).seal(b"plain", aad="a")

    assert ring(NEW, OLD).open(sealed, aad="a") == b"plain"
    assert sealed_with(ring(NEW, OLD).seal(b"plain", aad="a")) == key_id(NEW)


def test_a_missing_key_is_named_with_those_at_hand():
    sealed = ring(OLD).seal(b"plain", aad="a")

    with pytest.raises(DecryptionError, match=f"with key {key_id(OLD)}, and the keys at hand are {key_id(NEW)}"):
        ring(NEW).open(sealed, aad="a")


def test_another_place_does_not_open_it():
    keys = ring(NEW)

    with pytest.raises(DecryptionError, match="moved here from another row"):
        keys.open(keys.seal(b"plain", aad="attempt:1"), aad="connection:1")


def test_every_changed_character_is_noticed():
    keys = ring(NEW)
    sealed = keys.seal(b"plain", aad="a")

    for place in range(len(sealed)):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(DecryptionError):
            keys.open(sealed[:place] + other + sealed[place + 1 :], aad="a")


@pytest.mark.parametrize("cut", range(0, 56, 3))
def test_a_cut_text_is_damaged(cut):
    keys = ring(NEW)

    with pytest.raises(DecryptionError):
        keys.open(keys.seal(b"plain", aad="a")[:cut], aad="a")


def test_a_newer_format_asks_for_an_upgrade():
    with pytest.raises(DecryptionError, match=r"unknown format 'v2'\. Upgrade nango_py"):
        ring(NEW).open("v2:00000000:AAAA", aad="a")


def test_keys_are_loaded_once_when_first_needed():
    loads = []
    keys = KeyRing(lambda: loads.append(1) or (NEW,))

    assert loads == []
    keys.seal(b"", aad="a")
    keys.seal(b"", aad="a")
    assert loads == [1]


def test_repr_shows_no_key():
    assert repr(ring(NEW)) == "KeyRing(***)"


def test_the_module_does_not_import_cryptography():
    code = "import sys, nango_py.connections.vault; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
