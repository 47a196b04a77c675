"""Where keys come from, and when none is made."""

from __future__ import annotations

import base64
import subprocess
import sys
from dataclasses import dataclass

import pytest

from nango_py.connections.key_source import key_ring, made_key_path, read_keys
from nango_py.connections.keyring import key_id
from nango_py.connections.memory import MemoryStore
from nango_py.connections.sqlite import SqliteStore
from nango_py.connections.vault import Vault
from nango_py.errors import DecryptionError, StoreError

OLD, NEW = b"o" * 32, b"n" * 32


def text(*keys):
    return ",".join(base64.b64encode(key).decode() for key in keys)


@dataclass
class Still:
    at: float = 1000.0

    def now(self):
        return self.at


@pytest.fixture
def sqlite(tmp_path):
    store = SqliteStore(tmp_path / "connections.db")
    yield store
    store.close()


def test_the_environment_holds_keys_newest_first(sqlite):
    assert key_ring(sqlite, {"NANGO_ENCRYPTION_KEYS": text(NEW, OLD)}).key_ids == (key_id(NEW), key_id(OLD))


@pytest.mark.parametrize(
    "content", [text(NEW, OLD), text(NEW, OLD).replace(",", "\n") + "\n", f" {text(NEW, OLD)} ,\n"]
)
def test_a_file_holds_keys_by_line_or_comma(tmp_path, sqlite, content):
    file = tmp_path / "keys"
    file.write_text(content)

    assert key_ring(sqlite, {"NANGO_ENCRYPTION_KEYS_FILE": str(file)}).key_ids == (key_id(NEW), key_id(OLD))


def test_both_at_once_are_refused(sqlite):
    with pytest.raises(StoreError, match="both set"):
        _ = key_ring(sqlite, {"NANGO_ENCRYPTION_KEYS": text(NEW), "NANGO_ENCRYPTION_KEYS_FILE": "x"}).key_ids


def test_a_missing_key_file_is_named(sqlite):
    with pytest.raises(StoreError, match=r"/nowhere/keys cannot be read: No such file"):
        _ = key_ring(sqlite, {"NANGO_ENCRYPTION_KEYS_FILE": "/nowhere/keys"}).key_ids


def test_url_safe_base64_is_read():
    key = b"\xfb\xff" * 16

    assert read_keys(base64.urlsafe_b64encode(key).decode(), "here") == (key,)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "KEYS: key 1 is empty"),
        (f"{text(NEW)},,{text(OLD)}", "KEYS: key 2 is empty"),
        (f"{text(NEW)},hunter2!", "KEYS: key 2 is no base64 text"),
        (f"{text(NEW)},aHVudGVyMg==", "KEYS: key 2 has 7 bytes; a key has 32"),
    ],
)
def test_a_bad_key_is_named_by_position_and_not_quoted(sqlite, value, message):
    with pytest.raises(StoreError, match=message) as caught:
        _ = key_ring(sqlite, {"NANGO_ENCRYPTION_KEYS": value}).key_ids

    assert "hunter2" not in str(caught.value)
    assert "aHVudGVyMg" not in str(caught.value)


def test_sqlite_gets_a_key_made_on_the_spot_and_kept(tmp_path, sqlite):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    first = key_ring(sqlite, environ).key_ids
    path = tmp_path / "config" / "nango-py" / "encryption.key"

    assert key_ring(sqlite, environ).key_ids == first
    assert (path.stat().st_mode & 0o777, [path]) == (0o600, list(path.parent.iterdir()))


def test_the_key_stands_in_the_users_configuration_directory(tmp_path):
    expected = tmp_path / ".config" / "nango-py" / "encryption.key"

    assert made_key_path({"HOME": str(tmp_path)}) == expected
    assert made_key_path({"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}) == expected


def test_processes_that_make_the_key_at_once_agree(tmp_path):
    code = """
import sys
from nango_py.connections.key_source import key_ring
from nango_py.connections.sqlite import SqliteStore
print(key_ring(SqliteStore(sys.argv[1] + "/x.db"), {"XDG_CONFIG_HOME": sys.argv[1]}).newest)
"""
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = [child.communicate()[0] for child in running]

    assert [child.returncode for child in running] == [0, 0, 0, 0]
    assert len(set(made)) == 1


def test_no_second_key_is_made_for_a_store_with_rows(tmp_path, sqlite):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    Vault(sqlite, key_ring(sqlite, environ), Still()).register("close", "user-1", {"password": "x"})
    path = made_key_path(environ)
    path.unlink()

    with pytest.raises(StoreError, match=r"encrypted with key [0-9a-f]{8}, which is not here"):
        _ = key_ring(sqlite, environ).key_ids
    assert not path.exists()


def test_a_place_where_no_key_can_be_made_is_named(tmp_path, sqlite):
    (tmp_path / "config").write_text("a file in the way")

    with pytest.raises(StoreError, match=r"encryption\.key cannot be made"):
        _ = key_ring(sqlite, {"XDG_CONFIG_HOME": str(tmp_path / "config")}).key_ids


def test_memory_has_a_key_of_its_own_that_every_vault_shares():
    store = MemoryStore()
    Vault(store, key_ring(store, {}), Still()).register("close", "user-1", {"password": "x"})

    assert Vault(store, key_ring(store, {}), Still()).get("close", "user-1").credentials["password"].reveal() == "x"


def test_other_stores_need_a_key_from_outside():
    store = MemoryStore()
    store.own_key = None

    with pytest.raises(StoreError, match="needs NANGO_ENCRYPTION_KEYS"):
        _ = key_ring(store, {}).key_ids


def test_a_wrong_key_opens_nothing_and_registers_nothing(sqlite):
    right, wrong = ({"NANGO_ENCRYPTION_KEYS": text(key)} for key in (OLD, NEW))
    Vault(sqlite, key_ring(sqlite, right), Still()).register("close", "user-1", {"password": "x"})
    vault = Vault(sqlite, key_ring(sqlite, wrong), Still())

    with pytest.raises(DecryptionError, match=f"user 'user-1'.*with key {key_id(OLD)}"):
        vault.get("close", "user-1")
    with pytest.raises(StoreError, match=f"encrypted with key {key_id(OLD)}, and the keys at hand are {key_id(NEW)}"):
        vault.register("close", "user-2", {"password": "x"})
    assert [view.user_id for view in vault.views()] == ["user-1"]


def test_the_singular_of_the_variable_is_not_ignored():
    with pytest.raises(StoreError, match="NANGO_ENCRYPTION_KEY is set, and nango_py reads NANGO_ENCRYPTION_KEYS"):
        key_ring(MemoryStore(), {"NANGO_ENCRYPTION_KEY": "x"}).seal(b"x", aad="a")
