"""Databases of every age are met with the right steps, or with a clear refusal."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace

import pytest

from nango_py.connections.migrations import Migration, pending, shipped
from nango_py.connections.opening import open_store
from nango_py.errors import StoreError

STEPS = tuple(Migration(number=n, name=f"000{n}_x.sql", statements=("x",), checksum=f"sum{n}") for n in (1, 2, 3))


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_shipped_steps_are_numbered_without_gaps(dialect):
    numbers = [step.number for step in shipped(dialect)]

    assert numbers == list(range(1, len(numbers) + 1))
    assert all(step.statements for step in shipped(dialect))


def test_both_dialects_have_the_same_steps():
    assert [step.name for step in shipped("sqlite")] == [step.name for step in shipped("postgres")]


@pytest.mark.parametrize(
    ("applied", "numbers"), [({}, [1, 2, 3]), ({1: "sum1"}, [2, 3]), ({1: "sum1", 2: "sum2"}, [3])]
)
def test_the_missing_steps_are_pending(applied, numbers):
    assert [step.number for step in pending(applied, STEPS, "x.db")] == numbers


def test_a_newer_database_is_refused():
    with pytest.raises(StoreError, match=r"x\.db: the database has schema version 4.*up to 3\. Upgrade nango_py"):
        pending({1: "sum1", 4: "sum4"}, STEPS, "x.db")


def test_a_step_from_another_file_is_refused():
    with pytest.raises(StoreError, match=r"schema version 2 \(0002_x\.sql\) was made by a different file"):
        pending({1: "sum1", 2: "other"}, STEPS, "x.db")


def test_a_newer_sqlite_file_is_refused_when_used(tmp_path):
    path = tmp_path / "connections.db"
    store = open_store(f"sqlite:///{path}", {})
    store.get("close", "user-1")
    store.close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("INSERT INTO nango_py_schema_version VALUES (99, 'x')")
    database.close()
    store = open_store(f"sqlite:///{path}", {})

    with pytest.raises(StoreError, match="schema version 99"):
        store.get("close", "user-1")
    store.close()


def test_a_step_that_fails_leaves_no_trace(tmp_path, monkeypatch):
    steps = (*shipped("sqlite"), replace(STEPS[1], statements=("CREATE TABLE half (x)", "this is no SQL")))
    monkeypatch.setattr("nango_py.connections.sqlite_file.shipped", lambda _dialect: steps)
    store = open_store(f"sqlite:///{tmp_path / 'connections.db'}", {})
    with pytest.raises(StoreError, match="syntax error"):
        store.get("close", "user-1")
    store.close()
    database = sqlite3.connect(tmp_path / "connections.db")

    assert database.execute("SELECT name FROM sqlite_master").fetchall() == []
    database.close()


def test_many_may_open_a_new_database_at_once(shared_url):
    stores = [open_store(shared_url, {}) for _ in range(8)]
    found = [()] * len(stores)

    def use(number):
        found[number] = stores[number].get("close", "user-1")

    threads = [threading.Thread(target=use, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()

    assert found == [None] * len(stores)
