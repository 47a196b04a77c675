"""The SQLite file: where it is made, how it fails, and that nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from nango_py.connections.keyring import KeyRing
from nango_py.connections.sqlite import SqliteStore
from nango_py.connections.store import Row
from nango_py.connections.vault import Vault
from nango_py.errors import StoreError

SECRET = "hunter2-in-plain"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "connections.db"


@pytest.fixture
def opened():
    """Open stores that are closed after the test."""
    stores = []

    def open_at(path):
        stores.append(SqliteStore(path))
        return stores[-1]

    yield open_at
    for store in stores:
        store.close()


def row(number=1, sealed="sealed"):
    return Row(
        id=f"{number:032x}",
        integration="close",
        user_id=f"user-{number}",
        sealed=sealed,
        created_at=1.0,
        updated_at=1.0,
    )


def filled(path, count=200):
    """Make a closed database of some pages."""
    store = SqliteStore(path)
    for number in range(count):
        store.put(row(number, sealed="s" * 300))
    store.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_made_before_the_first_use(path, opened):
    opened(path)

    assert not path.exists()


def test_the_files_are_for_their_owner_only(path, opened):
    opened(path).put(row())
    files = sorted(path.parent.iterdir())

    assert [file.name for file in files] == ["connections.db", "connections.db-shm", "connections.db-wal"]
    assert {mode(file) for file in files} == {0o600}


def test_its_own_folder_is_made_private_and_kept_out_of_git(tmp_path, opened):
    opened(tmp_path / ".nango" / "connections.db").put(row())

    assert mode(tmp_path / ".nango") == 0o700
    assert (tmp_path / ".nango" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_left_alone(tmp_path, opened):
    (tmp_path / ".nango").mkdir(mode=0o755)
    opened(tmp_path / ".nango" / "connections.db").put(row())

    assert not (tmp_path / ".nango" / ".gitignore").exists()


def test_it_is_one_file_after_closing(path, opened):
    store = opened(path)
    store.put(row())
    store.close()

    assert list(path.parent.iterdir()) == [path]


def test_commits_are_on_the_disk_and_writers_do_not_block_readers(path, opened):
    opened(path).put(row())
    with opened(path)._handles.reading() as handle:
        assert handle.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert handle.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_reader_sees_the_last_commit_while_another_writes(path, opened):
    store, other = opened(path), opened(path)
    store.put(row(1))
    with other._handles.writing() as handle:
        handle.execute("DELETE FROM nango_py_connections")
        assert store.get("close", "user-1") == row(1)
    assert store.get("close", "user-1") is None


def test_the_path_is_fixed_when_the_store_is_made(tmp_path, monkeypatch, opened):
    monkeypatch.chdir(tmp_path)
    store = opened("connections.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put(row())

    assert (tmp_path / "connections.db").exists()


def test_a_failed_change_leaves_no_transaction(path, opened):
    store = opened(path)
    with suppress(RuntimeError), store._handles.writing() as handle:
        handle.execute("INSERT INTO nango_py_leases VALUES ('name', 'owner', 1e12)")
        raise RuntimeError

    assert store.acquire_lease("name", "other", 30) is not None
    store.put(row())
    assert opened(path).get("close", "user-1") == row()


def test_a_handle_is_closed_with_its_thread(path, opened):
    store = opened(path)
    threads = [threading.Thread(target=store.get, args=("close", "user-1")) for _ in range(20)]
    for thread in threads:
        thread.start()
        thread.join()
    store.get("close", "user-1")

    assert len(store._handles._all) == 1


def test_closing_closes_the_handles_of_every_thread(path, opened):
    store, done, asked = opened(path), threading.Event(), threading.Event()

    def use():
        store.put(row())
        asked.set()
        done.wait(30)

    thread = threading.Thread(target=use)
    thread.start()
    asked.wait(30)
    store.close()

    assert list(path.parent.iterdir()) == [path]
    done.set()
    thread.join()


def test_a_missing_folder_is_named(tmp_path, opened):
    with pytest.raises(StoreError, match=r"missing/connections\.db cannot be made: No such file or directory"):
        opened(tmp_path / "missing" / "connections.db").get("close", "user-1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, opened):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"file/connections\.db cannot be made: Not a directory"):
        opened(tmp_path / "file" / "connections.db").get("close", "user-1")


def test_a_folder_in_the_place_of_the_file_is_named(path, opened):
    path.mkdir()

    with pytest.raises(StoreError, match=r"connections\.db cannot be opened"):
        opened(path).get("close", "user-1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path, opened):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be made: Permission denied"):
            opened(tmp_path / "connections.db").put(row())
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_named(path, opened):
    filled(path)
    path.chmod(0o400)

    with pytest.raises(StoreError, match="cannot be written"):
        opened(path).put(row(1000))


def test_another_kind_of_file_is_named_and_left_alone(path, opened):
    path.write_text("these are my notes\n" * 200)

    with pytest.raises(StoreError, match=r"connections\.db is not an SQLite database"):
        opened(path).put(row())
    assert path.read_text() == "these are my notes\n" * 200


@pytest.mark.parametrize("left", [100, 4096, 3 * 4096, 3 * 4096 + 100, 0.5, 0.95])
def test_a_truncated_file_is_reported_and_left_alone(path, opened, left):
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left if left > 1 else left * len(whole))])
    rest = path.read_bytes()

    with pytest.raises(StoreError, match=r"connections\.db is (damaged|not an SQLite database)"):
        list(opened(path).iterate())
    assert path.read_bytes() == rest


def test_garbage_in_the_middle_is_reported(path, opened):
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))

    with pytest.raises(StoreError, match=r"connections\.db is damaged"):
        list(opened(path).iterate())


def test_a_full_disk_is_reported_and_loses_nothing(path, opened):
    store = opened(path)
    store.put(row(0, sealed="s" * 300))
    with store._handles.reading() as handle:
        pages = handle.execute("PRAGMA page_count").fetchone()[0]
        handle.execute(f"PRAGMA max_page_count = {pages + 3}")
    stored = [row(0, sealed="s" * 300)]

    def fill():
        for number in range(1, 1000):
            store.put(row(number, sealed="s" * 300))
            stored.append(row(number, sealed="s" * 300))

    with pytest.raises(StoreError, match="the disk is full") as caught:
        fill()

    assert str(path) in str(caught.value)
    assert list(store.iterate()) == stored
    assert store.delete("close", "user-0")
    store.close()
    assert list(opened(path).iterate()) == stored[1:]


def test_a_database_that_stays_locked_is_reported(path, opened, monkeypatch):
    monkeypatch.setattr("nango_py.connections.sqlite_file.BUSY_SECONDS", 0.05)
    opened(path).put(row(1))
    locked = sqlite3.connect(path, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="has been locked by another process"):
            opened(path).put(row(2))
    finally:
        locked.close()


def test_another_programs_tables_are_left_alone(path, opened):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE nango_connections (id INTEGER)")
    other.execute("INSERT INTO nango_connections VALUES (7)")
    other.commit()
    other.close()
    store = opened(path)
    store.put(row())
    with store._handles.reading() as handle:
        assert handle.execute("SELECT id FROM nango_connections").fetchall() == [(7,)]


def test_files_hold_no_plain_secret(path, opened):
    store = opened(path)
    vault = Vault(store, KeyRing(lambda: (b"k" * 32,)), SimpleNamespace(now=lambda: 1.0))
    made = vault.register("close", "user-1", {"password": SECRET, "raw": {"token": SECRET}})
    vault.replace(made, credentials={"password": SECRET + "-2"})
    vault.put_attempt("state", {"verifier": SECRET}, seconds=60)
    during = b"".join(file.read_bytes() for file in path.parent.iterdir())
    store.close()

    assert b"user-1" in during
    assert SECRET.encode() not in during + path.read_bytes()
