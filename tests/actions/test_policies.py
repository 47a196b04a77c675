"""An action may change its integration's retry, timeouts and limits, and say its own idempotency key."""

from __future__ import annotations

import re

import httpx
import pytest

from nango_py import Nango, RateLimitedError, ResponseError
from nango_py.testing import ManualClock
from tests.actions.declared import API, Sent, load, run

POST = {"request": {"method": "POST", "path": "x", "json": {}}}
LINK = {"type": "link", "link_rel_in_response_header": "next"}
KEY = {"idempotency_key": "Idempotency-Key"}


def failing(status=503):
    return Sent(lambda _request: httpx.Response(status))


def attempts_of(action, sent, **integration):
    with load(action, sent, {"clock": ManualClock()}, **integration) as nango:
        with pytest.raises(ResponseError):
            nango.trigger_action("birds", "act", "u")
    return len(sent.requests)


def test_actions_retry_is_laid_over_the_integrations():
    retry = {"max_attempts": 2, "error_code": ["503"]}
    assert 2 == attempts_of({"request": {"path": "x"}}, failing(), retry=retry)
    assert 3 == attempts_of({"request": {"path": "x"}, "retry": {"max_attempts": 3}}, failing(), retry=retry)
    assert 1 == attempts_of({"request": {"path": "x"}, "retry": {"error_code": ["500"]}}, failing(), retry=retry)


def test_null_takes_a_key_of_the_integrations_retry_away():
    retry = {"max_attempts": 2, "error_code": ["500"]}
    action = {"request": {"path": "x"}, "retry": {"error_code": None}}
    assert 2 == attempts_of(action, failing(503), retry=retry)


def test_reaction_of_one_action_names_its_error():
    reaction = {"path": "ok", "value": False, "reaction": "fail", "message": "${body.why}"}
    sent = Sent(lambda _request: httpx.Response(200, json={"ok": False, "why": "no such bird"}))
    with pytest.raises(ResponseError, match="no such bird"):
        run({"request": {"path": "x"}, "retry": {"reactions": [reaction]}}, sent=sent)


def timeouts_of(action, **integration):
    sent = Sent()
    run(action, sent=sent, **integration)
    return sent.request.extensions["timeout"]


def test_actions_timeouts_are_laid_over_the_integrations():
    timeouts = {"connect": 1, "total": 60}
    action = {"request": {"path": "x"}, "timeouts": {"read": 300, "total": 400}}
    expected = {"connect": 1, "read": 300, "write": 100, "pool": 100, "total": 400}
    assert expected == timeouts_of(action, timeouts=timeouts)


def test_action_can_take_the_total_away():
    action = {"request": {"path": "x"}, "timeouts": {"total": 0}}
    assert timeouts_of(action, timeouts={"total": 5}).get("total") is None


def test_action_has_limits_of_its_own():
    clock, sent = ManualClock(), Sent()
    actions = {
        "slow": {"request": {"path": "slow"}, "rate_limit": [{"limit": 1, "per": 10, "name": "exports"}]},
        "act": {"request": {"path": "x"}},
    }
    source = {"integrations": {"birds": {**API, "actions": actions}}}
    with Nango.load(source, store="memory://", transport=httpx.MockTransport(sent), environ={}, clock=clock) as nango:
        nango.register_connection("birds", "u", {})
        for _ in range(3):
            nango.trigger_action("birds", "act", "u")
        assert [] == clock.slept
        nango.trigger_action("birds", "slow", "u")
        nango.trigger_action("birds", "slow", "u")
        assert 10 == pytest.approx(sum(clock.slept))
        assert ["exports"] == [limit.name for limit in nango.limits("birds", "u") if limit.name]


def test_actions_limit_of_the_integration_is_shared_by_its_connections():
    clock, sent = ManualClock(), Sent()
    limits = [{"limit": 1, "per": 10, "scope": "integration"}]
    with load({"request": {"path": "x"}, "rate_limit": limits}, sent, {"clock": clock}) as nango:
        nango.register_connection("birds", "v", {})
        nango.trigger_action("birds", "act", "u")
        nango.trigger_action("birds", "act", "v")
        assert 10 == pytest.approx(sum(clock.slept))


def test_limit_that_takes_too_long_to_wait_for_is_an_error_and_nothing_is_sent():
    sent = Sent()
    action = {"request": {"path": "x"}, "rate_limit": [{"limit": 1, "per": 3600}]}
    with load(action, sent, {"clock": ManualClock()}) as nango:
        nango.trigger_action("birds", "act", "u")
        with pytest.raises(RateLimitedError, match="nothing was sent"):
            nango.trigger_action("birds", "act", "u")
    assert 1 == len(sent.requests)


def keys_of(action, *keys, **integration):
    sent = Sent()
    with load(action, sent, **integration) as nango:
        for key in keys:
            nango.trigger_action("birds", "act", "u", idempotency_key=key)
    return [request.headers.get("Idempotency-Key") for request in sent.requests]


def test_idempotency_key_of_an_action_is_new_each_run_and_the_callers_own_wins():
    one, two, own = keys_of({**POST, "idempotency_key": "${uuid()}"}, None, None, "mine", retry=KEY)
    assert "mine" == own
    assert one != two
    assert all(re.fullmatch(r"[0-9a-f-]{36}", key) for key in (one, two))


def test_action_with_an_idempotency_key_is_tried_again_with_the_same():
    sent = failing()
    assert 4 == attempts_of({**POST, "idempotency_key": "${uuid()}"}, sent, retry=KEY)
    assert 1 == len({request.headers["Idempotency-Key"] for request in sent.requests})


def test_actions_own_retry_may_name_the_header():
    assert ["a"] == keys_of({**POST, "idempotency_key": "a", "retry": KEY}, None)
    assert ["mine"] == keys_of({**POST, "retry": KEY}, "mine")


@pytest.mark.parametrize(
    ("action", "pointer"),
    [
        ({**POST, "idempotency_key": "a"}, "/actions/act/idempotency_key"),
        ({**POST, "retry": {"error_code": ["teapot"]}}, "/actions/act/retry/error_code/0"),
        ({**POST, "rate_limit": [{"headers": {"remaining": "X-Left"}}]}, "/actions/act/rate_limit/0/headers"),
        ({**POST, "rate_limit": [{"limit": 1}]}, "/actions/act/rate_limit/0"),
        ({**POST, "timeouts": {"total": -1}}, "/actions/act/timeouts/total"),
        ({**POST, "output": {"download": True, "map": {"a": "${item.a}"}}}, "/actions/act/output/map"),
        ({**POST, "output": {"download": True}, "ok": {"path": "ok", "value": True}}, "/actions/act/ok"),
        ({**POST, "retry": KEY, "idempotency_key": "a", "paginate": LINK}, "/actions/act/idempotency_key"),
    ],
)
def test_what_cannot_work_is_a_problem_at_its_place(action, pointer):
    with Nango.load({"integrations": {"birds": {**API, "actions": {"act": action}}}}, store="memory://") as nango:
        assert [pointer] == [problem.pointer for problem in nango.problems]
