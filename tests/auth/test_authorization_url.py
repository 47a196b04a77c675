"""The URL where people grant access, with the deviations that providers want."""

from __future__ import annotations

import pytest

from nango_py.auth.authorization_url import authorization_url

BASE = "https://a.test/authorize"
PARAMS = {"response_type": "code", "client_id": "c", "scope": "a b+c", "state": "s&x=1"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, f"{BASE}?response_type=code&client_id=c&scope=a%20b%2Bc&state=s%26x%3D1"),
        ({"skip_encode": ("scope",)}, f"{BASE}?response_type=code&client_id=c&scope=a%20b+c&state=s%26x%3D1"),
        ({"skip_encode": ("state",)}, f"{BASE}?response_type=code&client_id=c&scope=a%20b%2Bc&state=s%26x=1"),
        (
            {"replacements": {"client_id=": "appKey=", "scope": "scopes"}},
            f"{BASE}?response_type=code&appKey=c&scopes=a%20b%2Bc&state=s%26x%3D1",
        ),
        ({"replacements": {"response_type": ""}}, f"{BASE}?client_id=c&scope=a%20b%2Bc&state=s%26x%3D1"),
        ({"fragment": "/go"}, f"{BASE}#/go?response_type=code&client_id=c&scope=a%20b%2Bc&state=s%26x%3D1"),
        ({"fragment": "#/go"}, f"{BASE}#/go?response_type=code&client_id=c&scope=a%20b%2Bc&state=s%26x%3D1"),
    ],
)
def test_a_provider_may_want_it_otherwise(settings, expected):
    assert expected == authorization_url(BASE, PARAMS, **settings)


def test_null_is_left_out_and_what_is_empty_where_that_is_declared():
    params = {"a": None, "b": "", "c": True, "d": 5}

    assert f"{BASE}?b=&c=true&d=5" == authorization_url(BASE, params)
    assert f"{BASE}?c=true&d=5" == authorization_url(BASE, params, skip_empty=True)


def test_what_stands_in_the_url_already_stays():
    assert f"{BASE}?tenant=1&a=b" == authorization_url(f"{BASE}?tenant=1", {"a": "b"})
    assert BASE == authorization_url(BASE, {"a": None})
