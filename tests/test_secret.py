"""A secret shows itself only to those who ask for it."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from nango_py.secret import Secret


def test_reveal_gives_the_text_out():
    assert "hunter2" == Secret("hunter2").reveal()


def test_repr_hides_the_text_wherever_it_is_nested():
    assert "{'key': [Secret(***)]}" == repr({"key": [Secret("hunter2")]})


@pytest.mark.parametrize(
    "leak",
    [
        str,
        "{}".format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret:>10}",
        lambda secret: "%s" % secret,  # noqa: UP031 - the old way must not leak either
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        "".join,
        lambda secret: "Bearer " + secret,
        len,
        iter,
    ],
)
def test_every_way_into_a_text_is_an_error(leak):
    with pytest.raises(TypeError) as refused:
        leak(Secret("hunter2"))

    assert "hunter2" not in str(refused.value)


def test_the_old_format_with_r_hides_the_text():
    assert "Secret(***)" == "%r" % Secret("hunter2")  # noqa: UP031


def test_a_secret_is_never_equal_to_its_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a")) != hash("a")


def test_an_empty_secret_is_false():
    assert [False, True] == [bool(Secret("")), bool(Secret("a"))]


@pytest.mark.parametrize("name", ["_text", "other"])
def test_a_secret_cannot_be_changed(name):
    secret = Secret("hunter2")
    with pytest.raises(AttributeError, match="cannot be changed"):
        setattr(secret, name, "new")

    assert "hunter2" == secret.reveal()


def test_a_secret_has_no_dict_that_shows_it():
    with pytest.raises(TypeError):
        vars(Secret("hunter2"))
