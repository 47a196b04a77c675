"""PostgreSQL: what its errors say, and that a restart is survived."""

from __future__ import annotations

import socket

import pytest

from nango_py.connections.opening import open_store
from nango_py.connections.store import Row
from nango_py.errors import StoreError

psycopg = pytest.importorskip("psycopg")

ROW = Row(id="1" * 32, integration="close", user_id="user-1", sealed="sealed", created_at=1.0, updated_at=1.0)


@pytest.fixture
def opened():
    stores = []

    def open_at(url):
        stores.append(open_store(url, {}))
        return stores[-1]

    yield open_at
    for store in stores:
        store.close()


def everything(error):
    """Return all that a printed traceback says of an error and its causes."""
    return "".join(f"{part!r} {part}" for part in (error, error.__cause__) if part is not None)


def test_an_unreachable_server_is_named_without_password(opened):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(StoreError, match=rf"postgresql://127\.0\.0\.1:{port}/nango: .*Check the URL") as caught:
        opened(f"postgresql://user:hunter2@127.0.0.1:{port}/nango").get("close", "user-1")
    assert "hunter2" not in everything(caught.value)


@pytest.mark.server
def test_a_missing_database_is_named(opened, postgres_url):
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        opened(postgres_url.rpartition("/")[0] + "/nowhere").get("close", "user-1")


@pytest.mark.server
def test_a_statement_that_fails_shows_no_row_values(opened, postgres_database):
    store = opened(postgres_database)
    store.put(ROW)
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("ALTER TABLE nango_py_connections ADD CHECK (sealed <> 'hunter2')")

    with pytest.raises(StoreError, match="violates check constraint") as caught:
        store.compare_and_swap(Row(**{**_values(ROW), "sealed": "hunter2"}), expected_version=1)
    assert "hunter2" not in everything(caught.value)
    assert store.get("close", "user-1") == ROW


def _values(row):
    return {name: getattr(row, name) for name in row.__slots__}


@pytest.mark.server
def test_a_server_that_was_restarted_is_met_again(opened, postgres_database, postgres_server):
    store = opened(postgres_database)
    store.put(ROW)
    postgres_server.stop()
    postgres_server.start()

    assert store.get("close", "user-1") == ROW


@pytest.mark.server
def test_sessions_that_the_server_ended_are_replaced(opened, postgres_database):
    store = opened(postgres_database)
    store.put(ROW)
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert store.get("close", "user-1") == ROW
