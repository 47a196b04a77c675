"""Which sessions are kept, and for whom their limits leave room."""

from __future__ import annotations

import threading

import httpx
import pytest

from nango_py import Nango, RateLimitedError
from nango_py.testing import ManualClock

ACME = {
    "auth": {"auth_mode": "API_KEY"},
    "requests": {"base_url": "https://api.acme.test/"},
    "rate_limit": [{"limit": 1, "per": 60, "scope": "connection"}],
    "retry": {"max_wait": 1},
}


def ask(nango, user):
    with nango.client("acme", user) as client:
        return client.get("thing")


@pytest.fixture
def nango(monkeypatch):
    monkeypatch.setattr("nango_py.sessions.MOST", 3)
    fine = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    source = {"integrations": {"acme": ACME}}
    with Nango.load(source, store="memory://", transport=fine, clock=ManualClock(), environ={}) as nango:
        for user in "abcdefgh":
            nango.register_connection("acme", user, {"api_key": "k_topsecret_1"})
        yield nango


def test_a_connection_in_use_keeps_its_limit_while_others_come_and_go(nango):
    ask(nango, "a")
    for user in "bcdefgh":
        ask(nango, user)
        with pytest.raises(RateLimitedError):
            ask(nango, "a")


def test_no_more_sessions_are_kept_than_there_is_room_for(nango):
    for user in "abcdefgh":
        ask(nango, user)

    assert ["f", "g", "h"] == [user for _, user in nango._core._sessions._known]


def test_a_renewal_takes_up_no_room_that_others_need():
    asked, go_on = threading.Event(), threading.Event()

    def answer(request):
        if request.url.path == "/token":
            asked.set()
            assert go_on.wait(60)
            return httpx.Response(200, json={"access_token": "access-2", "refresh_token": "r", "expires_in": 3600})
        return httpx.Response(200, json={})

    source = {
        "integrations": {
            "acme": {
                "oauth_client_id": "id",
                "oauth_client_secret": "s_topsecret_2",
                "auth": {
                    "auth_mode": "OAUTH2",
                    "authorization_url": "https://acme.test/authorize",
                    "token_url": "https://acme.test/token",
                },
                "requests": {"base_url": "https://api.acme.test/"},
                "rate_limit": [{"concurrency": 1, "scope": "integration"}],
            }
        }
    }
    tokens = {"access_token": "access-1", "refresh_token": "r", "expires_in": 3600}
    clock = ManualClock()
    with Nango.load(
        source, store="memory://", transport=httpx.MockTransport(answer), clock=clock, environ={}
    ) as nango:
        nango.register_connection("acme", "stale", tokens)
        with nango.client("acme", "stale") as client:
            clock.advance(3600)
            nango.register_connection("acme", "fresh", tokens)
            renewing = threading.Thread(target=client.get, args=("thing",))
            renewing.start()
            try:
                assert asked.wait(60)
                assert 200 == ask(nango, "fresh").status_code
            finally:
                go_on.set()
                renewing.join()
