"""What is read out of the answers of token endpoints."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from nango_py.auth.grant import BadAnswer, Refused, TokenAnswer, read_answer
from nango_py.auth.token_answer import DeadToken, TokenPaths, pick, read_tokens
from nango_py.http import Headers

NOW = 1_800_000_000.0


def read(data, **settings):
    paths = TokenPaths(**settings.pop("paths", {}))
    return read_tokens(data, paths=paths, now=NOW, **settings).credentials


def expiry(data, **settings):
    return read({"access_token": "a", **data}, **settings)["expires_at"]


def jwt(**claims):
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    texts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*texts, "c2ln"))


def answer(body, status=200, kind="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    return TokenAnswer(status=status, headers=Headers({"Content-Type": kind}), body=text.encode())


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_plain_answer_is_read():
    data = {
        "access_token": "a",
        "refresh_token": "r",
        "token_type": "Bearer",
        "scope": "x y",
        "expires_in": 60,
        "id": 7,
    }

    assert {
        "access_token": "a",
        "refresh_token": "r",
        "token_type": "Bearer",
        "scope": "x y",
        "expires_at": NOW + 60,
        "obtained_at": NOW,
        "raw": {"token_type": "Bearer", "scope": "x y", "expires_in": 60, "id": 7},
    } == read(data)


def test_an_answer_without_a_token_is_none():
    with pytest.raises(BadAnswer, match="without 'access_token'"):
        read({"token": "x"})


@pytest.mark.parametrize("token", [None, "", True, {"a": 1}, ["a"], 1.5])
def test_what_is_no_text_is_no_token(token):
    with pytest.raises(BadAnswer):
        read({"access_token": token})


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("data.tok", {"data": {"tok": "T"}}),
        ("a[0].tok", {"a": [{"tok": "T"}, {"tok": "no"}]}),
        ("a.0.tok", {"a": [{"tok": "T"}]}),
        ("a.b", {"a.b": "T", "a": {"b": "no"}}),
    ],
)
def test_a_token_is_found_at_its_path(path, data):
    assert "T" == read(data, paths={"token": path})["access_token"]


def test_a_number_is_a_token_too():
    assert "5" == read({"access_token": 5})["access_token"]


def test_the_part_that_the_account_chose_holds_the_tokens():
    data = {
        "ok": True,
        "access_token": "bot",
        "authed_user": {"access_token": "user", "scope": ["a", "b"], "id": "U1"},
    }
    found = read_tokens(data, paths=TokenPaths(), now=NOW, base="authed_user", picked=("id", "ok"))

    assert ("user", "a b") == (found.credentials["access_token"], found.credentials["scope"])
    assert {"id": "U1", "ok": "true"} == found.connection_config


def test_a_part_without_a_token_leaves_the_one_outside():
    assert "bot" == read({"access_token": "bot", "authed_user": {"id": "U1"}}, base="authed_user")["access_token"]


def test_a_path_may_lead_to_the_token_itself():
    assert ("T", NOW + 60) == tuple(
        read({"data": {"tok": "T"}, "expires_in": 60}, base="data.tok")[name]
        for name in ("access_token", "expires_at")
    )


def test_the_granted_scopes_win_over_the_wanted_ones():
    assert "a" == read({"access_token": "t", "scope": "a"}, scopes="a b")["scope"]
    assert "a b" == read({"access_token": "t"}, scopes="a b")["scope"]
    assert "scope" not in read({"access_token": "t"})


def test_a_refresh_token_is_named_only_where_one_came():
    assert "refresh_token" not in read({"access_token": "t"}, old={"refresh_token": "old"})


def test_raw_grows_and_holds_no_token():
    old = {"raw": {"instance_url": "https://i.example.com", "id": 1}}

    assert {"instance_url": "https://i.example.com", "id": 2} == read(
        {"access_token": "a", "refresh_token": "r", "id": 2}, old=old
    )["raw"]


# --- expiry ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "settings", "expected"),
    [
        ({}, {}, None),
        ({"expires_in": 3600}, {}, NOW + 3600),
        ({"expires_in": "3600"}, {}, NOW + 3600),
        ({"expires_in": 0}, {}, NOW),
        ({"expires_in": 3_600_000}, {"unit": "milliseconds"}, NOW + 3600),
        ({"expires_at": NOW + 60, "expires_in": 3600}, {}, NOW + 60),
        ({"expires_at": "soon", "expires_in": 3600}, {}, NOW + 3600),
        ({"expires_in": "x"}, {}, None),
        ({"expires_in": "x"}, {"default_lifetime": 60}, NOW + 60),
        ({}, {"default_lifetime": 60}, NOW + 60),
        ({}, {"default_lifetime": 0}, None),
        ({"expires_in": 5}, {"default_lifetime": 60}, NOW + 5),
        ({"e": NOW + 60}, {"paths": {"token_expiration": "e"}}, NOW + 60),
        ({"e": str(NOW + 60)}, {"paths": {"token_expiration": "e"}}, NOW + 60),
        ({"e": 60}, {"paths": {"token_expiration": "e", "token_expiration_strategy": "expireIn"}}, NOW + 60),
        ({"e": "1.5h"}, {"paths": {"token_expiration": "e", "token_expiration_strategy": "expireIn"}}, NOW + 5400),
        ({"e": None, "expires_in": 60}, {"paths": {"token_expiration": "e"}}, None),
    ],
)
def test_an_expiry_is_read_where_it_is_declared(data, settings, expected):
    assert expected == expiry(data, **settings)


def test_a_token_says_itself_when_it_ends_where_nothing_else_does():
    assert NOW + 900 == expiry({"access_token": jwt(exp=NOW + 900)}, reads_jwt=True)
    assert NOW + 60 == expiry({"access_token": jwt(exp=NOW + 900), "expires_in": 60}, reads_jwt=True)
    assert expiry({"access_token": jwt(exp=NOW + 900)}) is None


def test_a_refresh_token_that_dies_first_ends_the_access_token_too():
    data = {"expires_in": 3600, "refresh_token": jwt(exp=NOW + 600)}

    assert NOW + 600 == expiry(data, reads_jwt=True)


@pytest.mark.parametrize(
    "refresh",
    [
        jwt(exp=NOW + 86_400),
        "opaque",
        "a.b.c",
        "a.e30.c",
        jwt(sub="no exp"),
        jwt(exp="soon"),
        jwt(exp=float("nan")),
        jwt(exp=10**400),
        "a." + urlsafe_b64encode(b"[" * 99_999).decode() + ".c",
    ],
    ids=lambda token: token[:20],
)
def test_a_refresh_token_that_says_nothing_sooner_changes_nothing(refresh):
    assert NOW + 600 == expiry({"expires_in": 600, "refresh_token": refresh}, reads_jwt=True)


# --- metadata --------------------------------------------------------------------------------------------------------


def test_single_values_become_connection_config_of_the_same_name():
    data = {
        "url": "https://i.example.com",
        "n": 42,
        "yes": True,
        "none": None,
        "empty": "",
        "list": [1],
        "a": {"b": "x"},
    }

    assert {"url": "https://i.example.com", "n": "42", "yes": "true", "a.b": "x"} == pick(
        ("url", "n", "yes", "none", "empty", "list", "a", "a.b", "absent"), data
    )


def test_a_flat_key_comes_before_a_nested_one():
    assert {"a.b": "flat"} == pick(("a.b",), {"a.b": "flat", "a": {"b": "nested"}})


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code", "is_final"),
    [
        ({"error": "invalid_grant"}, 400, "invalid_grant", True),
        ({"error": "invalid_grant"}, 200, "invalid_grant", True),
        ({"error": "invalid_client", "error_description": "no"}, 401, "invalid_client", False),
        ({"error": "temporarily_unavailable"}, 400, "temporarily_unavailable", False),
        ({"ok": False, "error": "token_revoked"}, 200, "token_revoked", False),
        ({"error": {"code": "x1", "message": "no"}}, 400, "x1", False),
        ({"errcode": "M_UNKNOWN_TOKEN"}, 401, "M_UNKNOWN_TOKEN", False),
        ("error=bad_verification_code&error_description=no", 200, "bad_verification_code", False),
        ("", 400, "", False),
        ("<html>no</html>", 403, "", False),
    ],
)
def test_a_refusal_is_seen(body, status, code, is_final):
    with pytest.raises(Refused) as caught:
        read_answer(answer(body, status))

    assert (code, is_final, status) == (caught.value.code, caught.value.is_final, caught.value.status)


@pytest.mark.parametrize(
    ("body", "status"),
    [("<html></html>", 200), ("", 200), ("[]", 200), ('"x"', 200), ({"error": "invalid_grant"}, 503), ("", 429)],
)
def test_an_answer_that_says_nothing_may_be_over_soon(body, status):
    with pytest.raises(BadAnswer):
        read_answer(answer(body, status))


def test_form_fields_are_read_whatever_they_call_themselves():
    assert {"access_token": "a", "scope": "x,y"} == read_answer(
        answer("access_token=a&scope=x%2Cy", kind="text/plain")
    )


def test_a_dead_token_is_known_by_its_sign():
    sign = DeadToken(path="error.type", values=("auth", "expired"))

    assert sign.matches({"error": {"type": "expired"}})
    assert not sign.matches({"error": {"type": "other"}})
    assert not sign.matches("text")
