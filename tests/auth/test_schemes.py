"""Each auth mode: what it accepts, what placeholders see of it and what it puts on a request."""

from __future__ import annotations

from base64 import b64decode

import pytest

from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.auth.api_key import ApiKey
from nango_py.auth.basic import Basic
from nango_py.auth.none import NoAuth
from nango_py.auth.oauth2 import OAuth2
from nango_py.http import Request
from nango_py.secret import Secret

NOW = 1_700_000_000.0


def accepted(scheme, given, fields=None):
    refused = []
    kept = scheme.accept(given, scheme.fields if fields is None else fields, refused.append, now=NOW)
    return kept, refused


def signed(scheme, credentials, url="https://api.example.com/x?a=1"):
    request = Request("GET", url)
    return scheme.sign(request, scheme.values(credentials), now=NOW, nonce="n", body=None)


def test_modes_are_found_by_their_word():
    assert {"NONE", "BASIC", "API_KEY", "OAUTH2", "OAUTH2_CC", "OAUTH1"} <= set(SCHEMES)
    assert all(word == scheme.mode for word, scheme in SCHEMES.items())
    assert {"USERNAME_PASSWORD": "BASIC"} == dict(SPELLINGS)


@pytest.mark.parametrize(
    "scheme", [NoAuth(), Basic(placement="none"), ApiKey(placement="none"), OAuth2(placement="none")]
)
def test_a_scheme_that_places_nothing_leaves_the_request(scheme):
    credentials = {"username": "u", "api_key": Secret("k"), "access_token": Secret("t")}
    request = signed(scheme, credentials)

    assert "https://api.example.com/x?a=1" == str(request.url)
    assert "authorization" not in request.headers
    assert not scheme.uses_header("Authorization")


@pytest.mark.parametrize("scheme", [Basic(), ApiKey(), OAuth2()])
def test_a_scheme_knows_its_header_in_any_case(scheme):
    assert scheme.uses_header("AUTHORIZATION")
    assert not scheme.uses_header("Accept")


def test_no_auth_accepts_nothing():
    assert ({}, []) == accepted(NoAuth(), {})
    assert ({}, ["'api_key' is not declared."]) == accepted(NoAuth(), {"api_key": "k"})


def test_basic_sends_user_name_and_password():  # the example of RFC 7617, section 2
    request = signed(Basic(), {"username": "Aladdin", "password": Secret("open sesame")})

    assert "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" == request.headers["Authorization"]


def test_basic_sends_utf_8():  # the example of RFC 7617, section 2.1
    request = signed(Basic(), {"username": "test", "password": Secret("123£")})

    assert "Basic dGVzdDoxMjPCow==" == request.headers["Authorization"]


def test_basic_needs_no_password():
    kept, refused = accepted(Basic(), {"username": "key"})
    request = signed(Basic(), kept)

    assert [] == refused
    assert b"key:" == b64decode(request.headers["Authorization"].removeprefix("Basic "))


def test_basic_needs_a_user_name():
    assert ["'username' is missing (User name)."] == accepted(Basic(), {"password": "p"})[1]


def test_basic_lets_placeholders_see_the_encoded_pair():
    values = Basic().values({"username": "Aladdin", "password": Secret("open sesame")})

    assert Secret("QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == values["basic_auth_encoded"]
    assert {"basic_auth_encoded"} == Basic.supplies


def test_every_misfit_is_refused_at_once():
    assert ["'apikey' is not declared. Did you mean 'api_key'?", "'api_key' is missing (API key)."] == accepted(
        ApiKey(), {"apikey": "k"}
    )[1]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\0", "\x7f"])
def test_a_credential_never_holds_a_control_character(value):
    kept, refused = accepted(ApiKey(), {"api_key": value})

    assert ({}, ["'api_key' holds a control character, such as a line break."]) == (kept, refused)


@pytest.mark.parametrize(
    ("keys", "name", "expected"),
    [
        ({}, "Authorization", "Bearer k/1 +"),
        ({"placement": "header"}, "Authorization", "Bearer k/1 +"),
        ({"name": "X-Api-Key"}, "X-Api-Key", "k/1 +"),
        ({"value": "Token ${api_key}"}, "Authorization", "Token k/1 +"),
        ({"name": "X-Key", "value": "id=${api_key}"}, "X-Key", "id=k/1 +"),
    ],
)
def test_an_api_key_goes_into_the_declared_header(keys, name, expected):
    request = signed(ApiKey.declare({"auth_mode": "API_KEY", **keys}), {"api_key": Secret("k/1 +")})

    assert expected == request.headers[name]


def test_an_api_key_goes_into_the_query_encoded():
    scheme = ApiKey.declare({"auth_mode": "API_KEY", "placement": "query", "name": "key", "x-note": 1})
    request = signed(scheme, {"api_key": Secret("k/1 +&b=2")})

    assert {"a": "1", "key": "k/1 +&b=2"} == dict(request.url.params)
    assert "authorization" not in request.headers


def test_a_bearer_token_goes_into_the_authorization_header():
    assert "Bearer t" == signed(OAuth2(), {"access_token": Secret("t")}).headers["Authorization"]


def test_a_declared_value_replaces_bearer():
    scheme = OAuth2.declare({"auth_mode": "OAUTH2", "value": "Zoho-oauthtoken ${access_token}"})

    assert "Zoho-oauthtoken t" == signed(scheme, {"access_token": Secret("t")}).headers["Authorization"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"expires_in": 3600}, NOW + 3600),
        ({"expires_in": "3600"}, NOW + 3600),
        ({"expires_at": 1_800_000_000}, 1_800_000_000.0),
        ({"expires_at": "1800000000"}, 1_800_000_000.0),
        ({"expires_at": 1_800_000_000_000}, 1_800_000_000.0),
        ({"expires_at": "2027-01-15T08:00:00Z"}, 1_800_000_000.0),
        ({"expires_at": "2027-01-15T08:00:00"}, 1_800_000_000.0),
        ({"expires_at": "2027-01-15T09:00:00+01:00"}, 1_800_000_000.0),
        ({"expires_at": 1_800_000_000, "expires_in": 5}, 1_800_000_000.0),
        ({"expires_at": "", "expires_in": 5}, NOW + 5),
        ({"expires_in": Secret("5")}, NOW + 5),
    ],
)
def test_a_lifetime_becomes_a_moment(given, expected):
    kept, refused = accepted(OAuth2(), {"access_token": "t", **given})

    assert [] == refused
    assert expected == OAuth2().expires_at(kept)
    assert "expires_in" not in kept


@pytest.mark.parametrize(
    "given",
    [
        {"expires_at": "soon"},
        {"expires_at": True},
        {"expires_in": "nan"},
        {"expires_in": "inf"},
        {"expires_at": 10**400},
    ],
)
def test_what_is_no_time_is_refused(given):
    kept, refused = accepted(OAuth2(), {"access_token": "t", **given})

    assert ["'expires_at' must be a time (epoch seconds, milliseconds or ISO 8601), 'expires_in' seconds."] == refused
    assert "expires_at" not in kept


def test_a_default_lifetime_stands_in_for_an_unstated_one():
    scheme = OAuth2(default_token_lifetime=60)

    assert NOW + 60 == accepted(scheme, {"access_token": "t"})[0]["expires_at"]
    assert NOW + 5 == accepted(scheme, {"access_token": "t", "expires_in": 5})[0]["expires_at"]


def test_the_raw_answer_is_kept_as_it_came():
    raw = {"instance_url": "https://x.example.com", "id": 5}

    assert {"access_token": "t", "raw": raw} == accepted(OAuth2(), {"access_token": "t", "raw": raw})[0]
    assert ["'raw' must be a mapping, not str."] == accepted(OAuth2(), {"access_token": "t", "raw": "x"})[1]


def test_the_endpoints_that_are_declared_are_known():
    scheme = OAuth2.declare(
        {"auth_mode": "OAUTH2", "token_url": "https://a.example.com/t", "refresh_url": "https://b.example.com/r"}
    )

    assert {"https://a.example.com/t", "https://b.example.com/r"} == {url.text for url in scheme.urls()}
