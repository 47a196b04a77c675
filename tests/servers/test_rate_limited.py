"""Limiters of real servers, each with a way of its own to say for how long: now, nothing, milliseconds, a moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import RateLimitedError
from nango_py.exchange.attempts import attempts_of
from nango_py.testing import ManualClock
from tests.servers import synapse as synapse_server
from tests.servers import verdaccio as verdaccio_server
from tests.servers.accounts import USER, declared
from tests.servers.faces import BACKENDS, face
from tests.servers.launch import browse

if TYPE_CHECKING:
    import httpx

    from nango_py.exchange.attempts import Attempt
    from tests.servers.conftest import Start
    from tests.servers.nginx import Nginx
    from tests.servers.roundup import Roundup
    from tests.servers.verdaccio import Verdaccio

pytestmark = pytest.mark.server

REFUSED = 429


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def waits(attempts: tuple[Attempt, ...]) -> list[tuple[int | None, str]]:
    return [(attempt.status, attempt.decision) for attempt in attempts]


def use_up(url: str, *, times: int = 50, **login: Any) -> httpx.Response:
    """Call behind the engine's back until the server refuses; return the refusal."""
    with browse(**login) as client:
        for _ in range(times):
            answer = client.get(url)
            if answer.status_code == REFUSED:
                return answer
    raise AssertionError(f"never refused: {url}")


# Roundup: Retry-After: 0


def test_now_is_believed_once_and_then_backed_off_from(backend: str, roundup: Roundup) -> None:
    login = (roundup.logins[6 + BACKENDS.index(backend)], roundup.password)
    clock = ManualClock()
    document = declared({"auth_mode": "BASIC"}, f"{roundup.url}/t/rest/data/")
    with face(backend, document, {"clock": clock}) as nango:
        nango.call("register_connection", "it", USER, dict(zip(("username", "password"), login, strict=True)))
        for _ in range(20):  # Roundup's clock goes on: on a slow machine the limit is free again in the middle
            refusal = use_up(f"{roundup.url}/t/rest/data/status/1", auth=login)
            answer = nango.send("it", USER, "GET", "status/1")
            if answer.status_code == REFUSED:
                break

    assert "0" == refusal.headers["Retry-After"]
    assert [
        (429, "retry_after"),
        (429, "status_code_429"),
        (429, "status_code_429"),
        (429, "max_attempts"),
    ] == waits(attempts_of(answer))
    first, *others, last = [attempt.waited for attempt in attempts_of(answer)]
    assert (0, None) == (first, last)
    assert all(0 <= waited <= most for waited, most in zip(others, (1.0, 2.0), strict=True))


# nginx: no header at all


def limited(nginx: Nginx, place: str, **retry: Any) -> dict[str, Any]:
    actions = {"get": {"request": {"path": "x"}}}
    return declared({"auth_mode": "API_KEY"}, f"{nginx.plain_url}/{place}/", actions=actions, retry=retry)


def use_up_nginx(nginx: Nginx, place: str, key: str) -> None:
    use_up(f"{nginx.plain_url}/{place}/", headers={"Authorization": f"Bearer {key}"})


def test_a_refusal_without_a_header_is_backed_off_from(backend: str, nginx: Nginx) -> None:
    clock, key = ManualClock(), f"slow-{backend}"
    with face(backend, limited(nginx, "slow"), {"clock": clock}) as nango:
        nango.call("register_connection", "it", USER, {"api_key": key})
        use_up_nginx(nginx, "slow", key)
        with pytest.raises(RateLimitedError) as caught:
            nango.call("trigger_action", "it", "get", USER)

    assert [(429, "status_code_429")] * 3 + [(429, "max_attempts")] == waits(caught.value.attempts)
    assert None is caught.value.retry_after
    assert all(0 <= slept <= most for slept, most in zip(clock.slept, (0.5, 1.0, 2.0), strict=True))


def test_backoff_outlasts_a_limiter_that_says_nothing(backend: str, nginx: Nginx) -> None:
    key = f"fast-{backend}"
    with face(backend, limited(nginx, "fast", base=0.2, max_attempts=8)) as nango:
        nango.call("register_connection", "it", USER, {"api_key": key})
        for _ in range(20):  # a tenth of a second may pass between the refusal and the request
            use_up_nginx(nginx, "fast", key)
            answer = nango.send("it", USER, "POST", "x")  # the limiter comes before the work
            if len(attempts_of(answer)) > 1:
                break

    assert 204 == answer.status_code
    assert [(429, "status_code_429")] == waits(attempts_of(answer))[:1]


# Synapse: milliseconds in the body, beside a Retry-After that is rounded up to seconds


def test_milliseconds_of_the_body_are_waited_for(backend: str, start: Start) -> None:
    synapse = start(synapse_server.serve, messages={"per_second": 2, "burst_count": 2})
    with browse(f"{synapse.url}/_matrix/client/v3") as client:
        client.headers["Authorization"] = (
            f"Bearer {client.post('login', json=synapse.login_form).json()['access_token']}"
        )
        room = client.post("createRoom", json={}).raise_for_status().json()["room_id"]
        token = client.headers["Authorization"].removeprefix("Bearer ")
    in_body = {"path": "retry_after_ms", "unit": "milliseconds"}
    document = declared({"auth_mode": "API_KEY"}, f"{synapse.url}/_matrix/client/v3/", retry={"in_body": in_body})
    with face(backend, document) as nango:
        nango.call("register_connection", "it", USER, {"api_key": token})
        answers = [
            nango.send("it", USER, "PUT", f"rooms/{room}/send/m.room.message/{number}", json=message(number))
            for number in range(5)
        ]

    assert {200} == {answer.status_code for answer in answers}
    assert 5 == len({answer.json()["event_id"] for answer in answers})
    refused = [attempt for answer in answers for attempt in attempts_of(answer) if attempt.status == REFUSED]
    assert {"preconfigured_in_body:after"} == {attempt.decision for attempt in refused}
    assert all(attempt.waited is not None and 0 < attempt.waited <= 0.5 for attempt in refused)


def message(number: int) -> dict[str, str]:
    return {"msgtype": "m.text", "body": f"Message {number}"}


# Verdaccio: a moment in epoch seconds, beside a Retry-After that names the whole window


def registry(verdaccio: Verdaccio, **retry: Any) -> dict[str, Any]:
    actions = {"me": {"request": {"path": "user/org.couchdb.user:ann"}}}
    keys = {"at": "X-RateLimit-Reset", **retry}
    return declared({"auth_mode": "API_KEY"}, f"{verdaccio.url}/-/", actions=actions, retry=keys)


def test_the_moment_of_the_reset_is_waited_for(backend: str, start: Start) -> None:
    verdaccio = start(verdaccio_server.serve, calls=2, window=40)
    refusal = use_up(verdaccio.limited_url, headers={"Authorization": f"Bearer {verdaccio.token}"})
    reset, clock = int(refusal.headers["X-RateLimit-Reset"]), ManualClock(time.time() + 10)
    left = reset - clock.now()
    with face(backend, registry(verdaccio, max_attempts=2), {"clock": clock}) as nango:
        nango.call("register_connection", "it", USER, {"api_key": verdaccio.token})
        with pytest.raises(RateLimitedError) as caught:
            nango.call("trigger_action", "it", "me", USER)

    assert "40" == refusal.headers["Retry-After"]
    assert [(429, "preconfigured_at"), (429, "max_attempts")] == waits(caught.value.attempts)
    assert left == pytest.approx(clock.slept[0], abs=0.5)
    assert 20 < left < 31


def test_a_reset_in_an_hour_ends_the_exchange_at_once(backend: str, verdaccio: Verdaccio) -> None:
    use_up(verdaccio.limited_url, headers={"Authorization": f"Bearer {verdaccio.token}"})
    clock = ManualClock(time.time())
    with face(backend, registry(verdaccio), {"clock": clock}) as nango:
        nango.call("register_connection", "it", USER, {"api_key": verdaccio.token})
        with pytest.raises(RateLimitedError) as caught:
            nango.call("trigger_action", "it", "me", USER)

    assert [(429, "stated_wait_beyond_max_wait")] == waits(caught.value.attempts)
    assert [] == clock.slept
    assert verdaccio.window - 1000 < (caught.value.retry_after or 0) <= verdaccio.window + 1


def test_the_first_request_after_the_reset_passes(backend: str, start: Start) -> None:
    verdaccio = start(verdaccio_server.serve, calls=2, window=2)
    with face(backend, registry(verdaccio)) as nango:
        nango.call("register_connection", "it", USER, {"api_key": verdaccio.token})
        for _ in range(10):  # the window may end between the refusal and the request
            use_up(verdaccio.limited_url, headers={"Authorization": f"Bearer {verdaccio.token}"})
            answer = nango.send("it", USER, "GET", "user/org.couchdb.user:ann")
            if (429, "preconfigured_at") in waits(attempts_of(answer)):
                break

    assert 200 == answer.status_code
    assert (429, "preconfigured_at") in waits(attempts_of(answer))
