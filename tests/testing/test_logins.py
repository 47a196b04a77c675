"""A simulated provider lets in who logs in by the declared requests, and nobody else."""

from __future__ import annotations

import anyio
import httpx
import pytest

from nango_py import AsyncNango, AuthenticationError, Nango, UsageError
from nango_py.testing import ManualClock, conformance, simulate
from nango_py.testing.suite import conformance_cases

LOGIN = {
    "auth_mode": "TWO_STEP",
    "token_url": "https://id.example.com/login",
    "token_params": {"user": "${credentials.username}", "password": "${credentials.password}"},
}
FIELDS = {"username": {"title": "User", "format": "email"}, "password": {"title": "Password", "secret": True}}
SESSION = {
    "token_url": "${step1.links.session}",
    "token_params": {"ticket": "${step1.ticket}", "device": {"id": 7}},
    "token_headers": {"X-Ticket": "Ticket ${step1.ticket}"},
}
LOGINS = {
    "json": {},
    "form": {"body_format": "form"},
    "query": {"body_format": "query"},
    "GET": {"token_request_method": "GET", "token_url": "https://id.example.com/login?v=2"},
    "a list and a number": {"token_params": {**LOGIN["token_params"], "scope": ["a", "b"], "device": {"id": 7}}},
    "a list in a form": {"body_format": "form", "token_params": {**LOGIN["token_params"], "scope": ["a", "b"]}},
    "headers": {
        "token_params": {},
        "token_headers": {"Authorization": "Basic ${(credentials.username ~ ':' ~ credentials.password) | base64}"},
    },
    "what nobody foresees": {"token_params": {**LOGIN["token_params"], "nonce": "${uuid()}"}},
    "the whole answer": {"token_response": {"token": ""}, "default_token_lifetime": 3600},
    "a moment": {"token_response": {"token": "session.id", "token_expiration": "session.until"}},
    "a lifetime": {
        "token_response": {"token_expiration": "ttl", "token_expiration_strategy": "expireIn"},
        "expires_in_unit": "milliseconds",
    },
    "steps": {"additional_steps": [SESSION]},
    "steps at one address": {
        "additional_steps": [
            {"token_url": "https://id.example.com/login", "token_params": {"ticket": "${step1.ticket}"}},
            {"token_url": "https://id.example.com/login", "token_params": {"code": "${step2.code}"}},
        ],
    },
    "a refresh token": {"refresh_token_params": {"refresh": "${refresh_token}"}},
    "a refresh elsewhere": {"refresh_url": "https://id.example.com/refresh", "token_headers": {"X-App": "a"}},
    "the client's proof": {"token_request_auth_method": "basic"},
}


def keys(**auth):
    requests = {"base_url": "https://api.example.com/v1/"}
    return {"auth": {**LOGIN, **auth}, "credentials": FIELDS, "requests": requests}


def failures(tested, truth=None):
    cases = conformance_cases(tested, against=truth)
    found = [case.run() for case in cases if case.id.startswith(("auth.", "renewal.", "redaction."))]
    return [f"{check.id}: {check.message}" for check in found if check.ok is False]


@pytest.mark.parametrize("name", LOGINS)
def test_logins_of_every_form_pass_the_suite(name):
    assert [] == failures(keys(**LOGINS[name]))


@pytest.mark.parametrize(
    ("tested", "truth"),
    [
        ({"token_params": {"name": "${credentials.username}", "password": "${credentials.password}"}}, {}),
        ({"token_params": {**LOGIN["token_params"], "more": "x"}}, {}),
        ({"token_params": {"user": "${credentials.username}"}}, {}),
        ({"body_format": "form"}, {}),
        ({"token_request_method": "GET"}, {}),
        ({"token_url": "https://id.example.com/signin"}, {}),
        ({}, {"token_headers": {"X-App": "a"}}),
        ({}, {"token_response": {"token": "session.id"}}),
        ({}, {"additional_steps": [SESSION]}),
        ({"additional_steps": [{**SESSION, "token_headers": {}}]}, {"additional_steps": [SESSION]}),
    ],
)
def test_a_login_that_says_otherwise_fails_the_suite(tested, truth):
    assert [] != failures(keys(**tested), keys(**truth))


def test_a_refresh_that_says_otherwise_is_refused():
    tested = keys(refresh_token_params={"token": "${refresh_token}"})
    provider = simulate(
        keys(refresh_token_params={"refresh": "${refresh_token}"}), clock=ManualClock(), objects={"me": {}}
    )
    with opened(Nango, tested, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        for _ in range(2):
            assert 200 == nango.client("it", "ann").get("me").status_code
            provider.clock.advance(3600)

    # It is followed by a login, so that the caller does not notice.
    assert (2, 1) == (provider.desk.granted, len(provider.desk.refused))


def opened(kind, declared, provider, **options):
    return kind.load(
        {"integrations": {"it": {**declared, **provider.keys}}},
        store="memory://",
        transport=options.pop("transport", provider.transport),
        clock=provider.clock,
        environ={},
        **options,
    )


def test_a_login_is_made_when_it_is_due():
    declared = keys(additional_steps=[SESSION])
    provider = simulate(declared, clock=ManualClock(), objects={"me": {"id": 1}})

    with opened(Nango, declared, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        for granted in (1, 1, 2):
            assert {"id": 1} == nango.client("it", "ann").get("me").json()
            assert granted == provider.desk.granted
            provider.clock.advance(1800)

    assert {"username", "password"} == provider.credentials.keys()
    assert [] == provider.desk.refused


def test_an_async_engine_logs_in_on_a_socket():
    declared = keys(additional_steps=[{**SESSION, "token_url": "https://id.example.com/session"}])
    provider = simulate(declared, clock=ManualClock(), objects={"me": {"id": 1}})

    async def ask(url):
        there = provider.keys_at(url)
        source = {"integrations": {"it": {**declared, **there, "auth": {**declared["auth"], **there["auth"]}}}}
        async with AsyncNango.load(source, store="memory://", environ={}) as nango:
            await nango.register_connection("it", "ann", provider.credentials)
            async with nango.client("it", "ann") as client:
                return (await client.get("me")).json()

    with provider.serve() as url:
        assert {"id": 1} == anyio.run(ask, url)

    assert (1, []) == (provider.desk.granted, provider.desk.refused)


def test_other_secrets_are_refused_for_good():
    declared = keys()
    provider = simulate(declared, clock=ManualClock(), objects={"me": {}})

    with opened(Nango, declared, provider) as nango:
        nango.register_connection("it", "ann", {**provider.credentials, "password": "another one"})
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                nango.client("it", "ann").get("me")

    assert ["invalid_login: password in request 1 of the login is wrong or missing"] == provider.desk.refused


def test_what_requests_say_of_the_last_answer_is_in_it():
    declared = keys(token_response_headers=["set-cookie"])
    headers = {"Cookie": "${raw._cookies}", "X-Tenant": "${raw.tenant.id}"}
    declared["requests"] = {**declared["requests"], "headers": headers}
    provider = simulate(declared, clock=ManualClock(), objects={"me": {}})

    with opened(Nango, declared, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        client = nango.client("it", "ann")
        assert 200 == client.get("me").status_code
        assert 401 == client.get("me", headers={"X-Tenant": "another"}).status_code

    assert provider.seen[0].headers["cookie"].startswith("raw-")


def test_steps_come_in_their_order():
    declared = keys(**LOGINS["steps at one address"])
    provider = simulate(declared, clock=ManualClock())

    with httpx.Client(transport=provider.transport) as client:
        answer = client.post("https://id.example.com/login", json={"code": None})

    assert (401, "invalid_login") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize("auth", [{"body_format": "xml"}, {"token": {"signing_key": "${credentials.password}"}}])
def test_a_login_that_cannot_be_checked_says_so(auth):
    with pytest.raises(UsageError, match="cannot check a login that is signed, or written in XML"):
        simulate(keys(**auth))


@pytest.mark.parametrize(
    "auth", [{"expires_in_unit": "milliseconds"}, {"token_response": {"token_expiration": "end"}}]
)
def test_lifetimes_are_told_as_they_are_declared(auth):
    oauth = {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://id.example.com/authorize",
        "token_url": "https://id.example.com/token",
        **auth,
    }
    found = conformance({"auth": oauth, "requests": {"base_url": "https://api.example.com/v1/"}})

    assert [] == [f"{check.id}: {check.message}" for check in found if check.ok is False]
