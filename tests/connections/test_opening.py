"""URLs lead to stores, and mistakes to messages without passwords."""

from __future__ import annotations

import sys

import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.connections.opening import open_store
from nango_py.errors import StoreError, UsageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "environ", "path"),
    [
        ("sqlite:///my.db", {}, "my.db"),
        ("sqlite:///sub/my.db", {}, "sub/my.db"),
        ("SQLITE:///my.db", {}, "my.db"),
        (None, {}, ".nango/connections.db"),
        (None, {"NANGO_STORE": ""}, ".nango/connections.db"),
        (None, {"NANGO_STORE": "sqlite:///env.db"}, "env.db"),
        ("sqlite:///my.db", {"NANGO_STORE": "sqlite:///env.db"}, "my.db"),
    ],
)
def test_sqlite_urls_name_a_file(here, url, environ, path):
    assert open_store(url, environ).location == str(here / path)


def test_four_slashes_are_an_absolute_path(here):
    assert open_store("sqlite:////srv/my.db", {}).location == "/srv/my.db"


def test_opening_touches_no_file(here):
    open_store(None, {})

    assert list(here.iterdir()) == []


def test_memory_has_a_url_and_a_store_is_a_store():
    store = open_store("memory://", {})

    assert isinstance(store, MemoryStore)
    assert open_store(store, {"NANGO_STORE": "sqlite:///x.db"}) is store


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://my.db", "sqlite:///:memory:", "sqlite:///x.db?a=b"]
)
def test_a_sqlite_url_without_a_path_is_explained(url):
    with pytest.raises(UsageError, match="three slashes and a path"):
        open_store(url, {})


def test_a_misspelt_scheme_gets_a_hint_and_shows_no_password():
    with pytest.raises(UsageError, match=r"unknown store 'postgresl'\. Did you mean 'postgresql'\?") as caught:
        open_store("postgresl://user:hunter2@host/db", {})

    assert "hunter2" not in str(caught.value)


def test_a_path_is_no_url():
    with pytest.raises(UsageError, match="must be given as a URL"):
        open_store("connections.db", {})


def test_postgres_says_where_it_is_without_user_and_password():
    pytest.importorskip("psycopg")
    store = open_store("postgresql://user:hunter2@db.example.com:5433/nango?sslmode=require", {})

    assert store.location == "postgresql://db.example.com:5433/nango"


@pytest.mark.parametrize("url", ["postgresql://user:hunter2%zz@host/db", "postgresql://user:hunter2@ho st/db?nope=1"])
def test_an_unreadable_postgres_url_shows_no_password(url):
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="cannot be read") as caught:
        open_store(url, {})

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_missing_psycopg_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreError, match=r"pip install 'nango-py\[postgres\]'"):
        open_store("postgresql://host/db", {})
