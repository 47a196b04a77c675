"""What went wrong with tokens in the engine of 2022 does not go wrong here; 6 and 17 are tested with the renewals."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from nango_py import CallbackError, Nango
from nango_py.testing import ManualClock

KEYS = base64.b64encode(bytes(range(32))).decode()
AUTH = {
    "auth_mode": "OAUTH2",
    "authorization_url": "https://login.example.com/authorize?tenant=acme",
    "authorization_params": {"access_type": "offline"},
    "token_url": "https://login.example.com/token?subscription-key=k1",
    "token_params": {"grant_type": "authorization_code", "resource": "crm"},
}


class Provider:
    def __init__(self, **answer):
        self.asked = []
        self.answer = {"access_token": "new", "refresh_token": "r2", "expires_in": 3600, **answer}
        self.fails = 0

    def __call__(self, request):
        if request.url.host == "api.example.com":
            return httpx.Response(200, json={"token": request.headers["Authorization"]})
        self.asked.append(request)
        if self.fails:
            self.fails -= 1
            return httpx.Response(400, json={"error": "temporarily_unavailable"})
        return httpx.Response(200, json={name: value for name, value in self.answer.items() if value is not None})


def engine(provider, clock, **auth):
    declared = {
        "integrations": {
            "crm": {
                "auth": {**AUTH, **auth},
                "oauth_client_id": "app",
                "oauth_client_secret": "app-secret",
                "requests": {"base_url": "https://api.example.com/"},
            }
        }
    }
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    return Nango.load(
        declared, transport=httpx.MockTransport(provider), clock=clock, store="memory://", environ=environ
    )


def token_of(nango):
    with nango.client("crm", "ann") as client:
        return client.get("me").json()["token"]


def form(request):
    return dict(parse_qsl(request.content.decode()))


OLD = {"access_token": "old", "refresh_token": "r1", "expires_in": 60}


def test_3_a_refresh_url_is_used():
    provider, clock = Provider(), ManualClock()
    with engine(provider, clock, refresh_url="https://login.example.com/refresh") as nango:
        nango.register_connection("crm", "ann", OLD)
        clock.advance(60)

        assert "Bearer new" == token_of(nango)
    assert ["/refresh"] == [request.url.path for request in provider.asked]


def test_4_parameters_of_the_code_exchange_are_not_sent_on_refresh():
    provider, clock = Provider(), ManualClock()
    with engine(provider, clock, refresh_params={"audience": "api"}) as nango:
        nango.register_connection("crm", "ann", OLD)
        clock.advance(60)
        token_of(nango)

    assert {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "audience": "api",
        "client_id": "app",
        "client_secret": "app-secret",
    } == form(provider.asked[0])


def test_5_a_refresh_that_failed_once_does_not_fail_for_ever():
    provider, clock = Provider(), ManualClock()
    provider.fails = 1
    with engine(provider, clock) as nango:
        nango.register_connection("crm", "ann", OLD)
        clock.advance(60)
        with pytest.raises(Exception, match="temporarily_unavailable"):
            token_of(nango)
        clock.advance(30)

        assert "Bearer new" == token_of(nango)


def test_7_a_refresh_token_needs_no_expiry():
    with engine(Provider(), ManualClock()) as nango:
        nango.register_connection("crm", "ann", {"access_token": "old", "refresh_token": "r1"})

        assert "Bearer old" == token_of(nango)


def test_9_nothing_of_one_attempt_sticks_to_the_next():
    with engine(Provider(), ManualClock()) as nango:
        one, two = (
            dict(
                parse_qsl(
                    urlsplit(nango.oauth.begin("crm", user, redirect_uri="https://app.example.com/cb").url).query
                )
            )
            for user in ("ann", "bob")
        )

    different = {"state", "code_challenge"}
    assert {name for name in one if one[name] != two[name]} == different
    assert set(one) == set(two)


def test_12_the_query_of_the_endpoints_is_kept():
    provider = Provider()
    with engine(provider, ManualClock()) as nango:
        request = nango.oauth.begin("crm", "ann", redirect_uri="https://app.example.com/cb")
        query = dict(parse_qsl(urlsplit(request.url).query))
        nango.oauth.finish(f"https://app.example.com/cb?code=c&state={query['state']}", binding=request.binding)

    assert {"tenant": "acme", "access_type": "offline"}.items() <= query.items()
    assert b"subscription-key=k1" == provider.asked[0].url.query


@pytest.mark.parametrize(
    "callback",
    [
        "https://app.example.com/cb?code=c&state=unknown",
        "https://app.example.com/cb?code=c",
        "https://app.example.com/cb",
        "https://app.example.com/cb?code=c&state=",
        "nonsense",
        "",
    ],
)
def test_15_a_bad_state_is_a_clear_error(callback):
    with engine(Provider(), ManualClock()) as nango:
        nango.oauth.begin("crm", "ann", redirect_uri="https://app.example.com/cb")
        with pytest.raises(CallbackError, match="Begin again"):
            nango.oauth.finish(callback, binding="b")


def test_18_an_attempt_ends():
    clock = ManualClock()
    with engine(Provider(), clock) as nango:
        request = nango.oauth.begin("crm", "ann", redirect_uri="https://app.example.com/cb")
        clock.advance(601)
        with pytest.raises(CallbackError, match="older than 10 minutes"):
            nango.oauth.finish(f"https://app.example.com/cb?code=c&state={request.state}", binding=request.binding)
