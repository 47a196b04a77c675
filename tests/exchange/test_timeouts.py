from __future__ import annotations

import threading

import httpx
import pytest

from nango_py import DeadlineError, http
from nango_py.exchange.timeouts import hurried, phases_of, timeout_of
from nango_py.testing import ManualClock
from tests.exchange.scripted import Script, engine
from tests.patience import patiently

FINE = (200, {}, {"id": 7})
DECLARED = {"connect": 3, "read": 50, "write": 0, "total": 20}


def asked(script):
    return script.requests[-1].extensions["timeout"]


def test_a_phase_without_a_word_about_it_has_the_usual_timeout():
    script = Script(FINE)
    with engine(script, http_request_timeout_seconds=12) as nango:
        nango.trigger_action("acme", "get", "u")
    assert {"connect": 12, "read": 12, "write": 12, "pool": 12} == asked(script)


def test_each_phase_can_be_declared_and_none_is_longer_than_the_total():
    script = Script(FINE)
    with engine(script, timeouts=DECLARED) as nango:
        nango.trigger_action("acme", "get", "u")
        assert {"connect": 3, "read": 20, "write": 20, "pool": 20, "total": 20} == asked(script)
        with nango.client("acme", "u") as client:
            client.get("thing")
            assert httpx.Timeout(connect=3, read=20, write=20, pool=20) == client.timeout
    assert {"connect": 3, "read": 20, "write": 20, "pool": 20, "total": 20} == asked(script)


def test_zero_is_no_limit():
    script = Script(FINE)
    with engine(script, http_request_timeout_seconds=12, timeouts={"read": 0, "total": 0}) as nango:
        nango.trigger_action("acme", "get", "u")
    assert {"connect": 12, "read": None, "write": 12, "pool": 12} == asked(script)


def test_a_callers_timeout_takes_the_place_of_all_of_them():
    script, seven = Script(FINE), dict.fromkeys(("connect", "read", "write", "pool"), 7)
    with engine(script, timeouts=DECLARED) as nango:
        with nango.client("acme", "u", timeout=7) as client:
            client.get("thing")
            assert seven == asked(script)
        with nango.client("acme", "u") as client:
            client.get("thing", timeout=7)
            assert seven == asked(script)
            client.get("thing", timeout=None)
            assert dict.fromkeys(seven) == asked(script)


def test_a_caller_can_say_a_total():
    script = Script(FINE)
    with engine(script) as nango, nango.client("acme", "u") as client:
        client.get("thing", extensions={"timeout": {"read": 5, "total": 9}})
    assert {"read": 5, "total": 9} == asked(script)


def test_every_attempt_has_the_whole_time():
    script = Script((503, {}, {}), (503, {}, {}), FINE)
    with engine(script, timeouts=DECLARED) as nango:
        nango.trigger_action("acme", "get", "u")
    assert [20, 20, 20] == [request.extensions["timeout"]["total"] for request in script.requests]


def test_a_deadline_shortens_each_attempt_to_what_is_left():
    script, clock = Script((429, {"Retry-After": "7"}, {}), FINE), ManualClock()
    with engine(script, clock=clock, timeouts={"connect": 2}) as nango:
        nango.trigger_action("acme", "get", "u", deadline=10)
    first, second = (request.extensions["timeout"] for request in script.requests)
    assert {"connect": 2, "read": 10, "write": 10, "pool": 10, "total": 10} == first
    assert {"connect": 2, "read": 3, "write": 3, "pool": 3, "total": 3} == pytest.approx(second)


def test_what_is_left_is_never_no_time_at_all():
    assert {"read": 0.001, "total": 0.001} == hurried({"read": None}, -1.0)


def test_what_httpx_is_told_has_no_total():
    with engine(Script(FINE), timeouts=DECLARED) as nango:
        integration = nango._core.integration("acme")
    assert set(timeout_of(integration).as_dict()) == set(phases_of(integration)) - {"total"}


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_attempt_that_drips_ends_with_its_total(run, server, part):
    def check(span):
        async def scenario(face):
            with pytest.raises(http.ReadTimeout):
                await face.get(f"{server.origin}/drip/{part}", timeout={"read": 100, "total": span})
            return face.lines()

        assert (0, 0) == run(scenario)

    patiently(check)


def test_the_total_of_one_request_is_not_that_of_the_next(run, server):
    def check(span):
        async def scenario(face):
            first = await face.get(f"{server.origin}/echo", timeout={"read": 100, "total": span})
            threading.Timer(span, server.gates[f"after-{span}"].set).start()
            second = await face.get(f"{server.origin}/slow/after-{span}", timeout={"read": 100})
            return first[2:], second[2:]

        assert ("GET /echo", f"GET /slow/after-{span}") == run(scenario)

    patiently(check)


def test_a_deadline_ends_an_action_whose_answer_drips(server):
    from nango_py import Nango

    document = {
        "auth": {"auth_mode": "NONE"},
        "requests": {"base_url": f"{server.origin}/"},
        "actions": {"drip": {"request": {"path": "drip/body"}}},
    }
    with Nango.load({"integrations": {"acme": document}}, store="memory://", environ={}) as nango:
        nango.register_connection("acme", "u", {})
        with pytest.raises(DeadlineError):
            nango.trigger_action("acme", "drip", "u", deadline=0.2)
