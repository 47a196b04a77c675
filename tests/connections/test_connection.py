"""Connections are immutable and show no secret."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.connections.connection import Connection, ConnectionView, conceal, freeze, reveal, thaw
from nango_py.errors import CredentialsError, UsageError
from nango_py.secret import Secret

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def connection(**changes):
    given_values = {
        "id": "1" * 32,
        "integration": "close",
        "user_id": "user-1",
        "credentials": {"password": "hunter2", "expires_at": 5, "raw": {"deep": [{"token": "s3cret"}]}},
        "connection_config": {"region": "eu"},
        "metadata": {"plan": {"seats": [1, 2]}},
        "created_at": 1.0,
        "updated_at": 2.0,
        "version": 3,
    }
    return Connection(**{**given_values, **changes})


def test_texts_become_secrets_at_any_depth_and_numbers_stay():
    credentials = connection().credentials

    assert credentials["password"] == Secret("hunter2")
    assert credentials["raw"]["deep"][0]["token"] == Secret("s3cret")
    assert credentials["expires_at"] == 5


def test_repr_shows_no_secret():
    shown = repr(connection()) + repr(connection().view()) + repr(connection().credentials)

    assert "hunter2" not in shown
    assert "s3cret" not in shown


def test_a_callers_later_change_does_not_reach_the_connection():
    credentials, metadata, config = {"raw": {"list": ["a"]}}, {"plan": {"seats": [1]}}, {"region": "eu"}
    made = connection(credentials=credentials, metadata=metadata, connection_config=config)
    credentials["raw"]["list"].append("b")
    metadata["plan"]["seats"].append(2)
    config["region"] = "us"

    assert (reveal(made.credentials), thaw(made.metadata), dict(made.connection_config)) == (
        {"raw": {"list": ["a"]}},
        {"plan": {"seats": [1]}},
        {"region": "eu"},
    )


def test_a_connection_cannot_be_changed():
    made = connection()

    with pytest.raises(FrozenInstanceError):
        made.status = "reauth_required"
    for mapping in (made.credentials, made.credentials["raw"], made.connection_config, made.metadata["plan"]):
        with pytest.raises(TypeError):
            mapping["new"] = 1


def test_the_view_is_the_connection_without_credentials():
    made = connection()
    view = made.view()

    assert {field.name for field in fields(ConnectionView)} == {f.name for f in fields(Connection)} - {"credentials"}
    assert all(getattr(view, field.name) == getattr(made, field.name) for field in fields(view))


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_conceal_and_reveal_are_inverse_through_json(plain):
    assert json.loads(json.dumps(reveal(conceal(plain)))) == plain
    assert conceal(reveal(conceal(plain))) == conceal(plain)


@pytest.mark.parametrize("bad", [{"a": {1}}, {"a": b"hunter2"}, {"a": float("nan")}, {"a": {1: "x"}}, "hunter2"])
def test_what_json_cannot_hold_is_refused_without_quoting_it(bad):
    with pytest.raises(CredentialsError) as caught:
        conceal(bad)

    assert "hunter2" not in str(caught.value)


def test_the_place_of_a_bad_value_is_named():
    with pytest.raises(CredentialsError, match=r"credentials\.raw\.list\[1\]: JSON cannot hold bytes"):
        conceal({"raw": {"list": [1, b"x"]}})


def test_data_without_end_is_refused():
    endless = {}
    endless["again"] = endless

    with pytest.raises(CredentialsError, match="nested deeper than 40 levels"):
        conceal(endless)


def test_metadata_takes_no_secrets_and_only_mappings():
    with pytest.raises(UsageError, match=r"metadata\.key: JSON cannot hold Secret"):
        freeze({"key": Secret("x")})
    with pytest.raises(UsageError, match="metadata: expected a mapping"):
        freeze([1])


@pytest.mark.parametrize("config", [{"port": 80}, {1: "x"}, ["x"]])
def test_connection_config_holds_texts_only(config):
    with pytest.raises(CredentialsError, match="connection_config"):
        connection(connection_config=config)
