"""Named reactions, through the whole engine."""

from __future__ import annotations

import re

import httpx
import pytest

from nango_py import AuthenticationError, Nango, RateLimitedError, ResponseError, UsageError
from nango_py.declare import load
from nango_py.policy.outcome import Outcome
from nango_py.policy.retry import Stop, Wait, decide
from nango_py.testing import ManualClock
from tests.exchange.scripted import KEY, Script, engine, keys_of

BUSY = (200, {}, {"ok": False, "error": {"code": "busy", "message": f"wait a bit, {KEY}"}})
FINE = (200, {}, {"ok": True, "id": 7})
MESSAGE = "Acme says ${body.error.code | upper}: ${body.error.message}"


def reacting(script, *reactions, clock=None, **retry):
    return engine(script, clock=clock, retry={"reactions": list(reactions), **retry})


def is_busy(reaction, **more):
    return {"path": "error.code", "value": "busy", "reaction": reaction, **more}


def history(error):
    return [(attempt.status, attempt.decision) for attempt in error.attempts]


def test_an_error_behind_a_good_status_is_waited_out():
    script, clock = Script(BUSY, BUSY, FINE), ManualClock()
    with reacting(script, is_busy("retry"), clock=clock) as nango:
        assert 7 == nango.trigger_action("acme", "get", "u")["id"]
    assert 3 == len(script.requests)
    assert 2 == len(clock.slept)


def test_a_client_gets_the_last_answer_of_such_an_error_with_its_history():
    script = Script(BUSY)
    with reacting(script, is_busy("retry"), max_attempts=2) as nango, nango.client("acme", "u") as client:
        answer = client.get("thing")
    assert 200 == answer.status_code
    assert "busy" == answer.json()["error"]["code"]
    assert ["declared_retry", "max_attempts"] == [a.decision for a in answer.extensions["nango_attempts"]]


def test_a_failure_is_not_repeated_and_its_message_is_the_authors_without_secrets():
    script = Script((503, {}, BUSY[2]))
    with reacting(script, is_busy("fail", message=MESSAGE)) as nango:
        with pytest.raises(ResponseError, match="Acme says BUSY: wait a bit") as caught:
            nango.trigger_action("acme", "get", "u")
    assert KEY not in str(caught.value)
    assert [(503, "declared_fail")] == history(caught.value)
    assert 503 == caught.value.response.status_code


def test_a_message_that_quotes_what_is_missing_gives_way_to_the_body():
    script = Script((400, {}, {"title": "no such thing"}))
    with reacting(script, {"status": ["400"], "reaction": "fail", "message": MESSAGE}) as nango:
        with pytest.raises(ResponseError, match="no such thing"):
            nango.trigger_action("acme", "get", "u")


def test_an_ignored_refusal_is_a_success():
    script = Script((404, {}, {"error": "gone"}))
    with reacting(script, {"status": ["404"], "reaction": "ignore"}) as nango:
        assert {"error": "gone"} == nango.trigger_action("acme", "get", "u")
        with nango.client("acme", "u") as client:
            answer = client.get("thing")
    assert 404 == answer.status_code
    assert ["declared_ignore"] == [a.decision for a in answer.extensions["nango_attempts"]]


def test_an_ignored_answer_that_is_no_json_has_no_output():
    script = Script((404, {"Content-Type": "text/html"}, "gone"))
    with reacting(script, {"status": ["404"], "reaction": "ignore"}) as nango:
        assert nango.trigger_action("acme", "get", "u") in {None, "gone"}


def test_an_ignored_error_needs_no_sign_of_success():
    script = Script((200, {}, {"ok": False, "error": "already_there"}))
    already = {"path": "error", "values": ["already_there", "no_change"], "reaction": "ignore"}
    with reacting(script, already) as nango:
        assert "already_there" == nango.trigger_action("acme", "flagged", "u")["error"]


@pytest.mark.parametrize("action", ["get", "make"])
def test_a_declared_limit_is_waited_for_as_stated_whatever_the_method(action):
    script, clock = Script((403, {"Retry-After": "7"}, BUSY[2]), FINE), ManualClock()
    with reacting(script, {"status": ["403"], **is_busy("rate_limited")}, clock=clock) as nango:
        nango.trigger_action("acme", action, "u")
    assert [7.0] == clock.slept


def test_a_declared_limit_that_stays_is_a_rate_limited_error():
    script = Script((403, {"Retry-After": "700"}, BUSY[2]))
    with reacting(script, is_busy("rate_limited", message=MESSAGE)) as nango:
        with pytest.raises(RateLimitedError, match="Acme says BUSY") as caught:
            nango.trigger_action("acme", "get", "u")
    assert 700 == caught.value.retry_after
    assert 1 == len(script.requests)


def test_a_post_is_not_repeated_by_a_reaction_that_only_says_retry():
    script = Script(BUSY, FINE)
    with reacting(script, is_busy("retry")) as nango, pytest.raises(ResponseError) as caught:
        nango.trigger_action("acme", "make", "u")
    assert [(200, "not_idempotent")] == history(caught.value)


def test_a_wait_in_the_words_of_a_good_answer_is_a_limit():
    said = (200, {}, {"error": {"message": "slow down, come back in 4 s"}})
    script, clock = Script(said, FINE), ManualClock()
    in_body = {"path": "error.message", "value": r"in (\d+) s"}
    with engine(script, clock=clock, retry={"in_body": in_body}) as nango:
        assert 7 == nango.trigger_action("acme", "get", "u")["id"]
    assert [4.0] == clock.slept


def test_a_sign_of_a_dead_token_that_nothing_can_renew_is_an_authentication_error():
    script = Script(BUSY)
    with reacting(script, is_busy("renew_then_retry")) as nango, pytest.raises(AuthenticationError) as caught:
        nango.trigger_action("acme", "get", "u")
    assert [(200, "declared_renew_then_retry")] == history(caught.value)


TOKEN = {
    "auth": {
        "auth_mode": "OAUTH2_CC",
        "token_url": "https://api.acme.test/token",
    },
    "oauth_client_id": "id",
    "oauth_client_secret": "s3cr3t-s3cr3t",
    "retry": {"reactions": [{"header": "X-Error", "value": "TokenExpired", "reaction": "renew_then_retry"}]},
}


class Renewing:
    """Hand out tokens; refuse the first by a header, with a status that says nothing of it."""

    def __init__(self):
        self.tokens = 0
        self.seen = []

    def __call__(self, request):
        if request.url.path == "/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t0k3n-{self.tokens}", "expires_in": 3600})
        self.seen.append(request.headers["Authorization"])
        if request.headers["Authorization"] == "Bearer t0k3n-1":
            return httpx.Response(400, headers={"X-Error": "TokenExpired"}, json={})
        return httpx.Response(200, json={"id": 7})


def test_a_declared_sign_of_a_dead_token_renews_it_once():
    provider, clock = Renewing(), ManualClock()
    with engine(provider, clock=clock, credentials={}, **TOKEN) as nango:
        with nango.client("acme", "u"):
            clock.advance(60)
        assert {"id": 7} == nango.trigger_action("acme", "make", "u")
    assert ["Bearer t0k3n-1", "Bearer t0k3n-2"] == provider.seen


@pytest.mark.parametrize(
    "quoted",
    [
        r'{"error": "no such key: ab\/cd+\"ef"}',
        "no such key: ab%2fcd%2b%22ef",
        "no such key: ab%252Fcd%252B%2522ef",
        "no such key: ab/cd+&quot;ef",
        "no such key: " + b'ab/cd+"ef'.hex(),
    ],
)
def test_a_secret_that_an_answer_quotes_encoded_is_masked(quoted):
    provider = httpx.MockTransport(lambda _: httpx.Response(403, text=quoted))
    with engine(provider, credentials={"api_key": 'ab/cd+"ef'}) as nango:
        with pytest.raises(ResponseError) as caught:
            nango.trigger_action("acme", "get", "u")
    assert re.search(r'403: (\{"error": ")?no such key: \*\*\*("\})?$', str(caught.value))


def test_a_secret_of_several_lines_that_an_answer_quotes_is_masked():
    text = "-----BEGIN KEY-----\nMIIB\n-----END KEY-----"
    declared = keys_of(requests={"base_url": "https://api.acme.test/", "params": {"key": "${PEM}"}})
    provider = httpx.MockTransport(lambda _: httpx.Response(403, text=f"no such\n  key: {text}"))
    document = {"integrations": {"acme": declared}}
    with Nango.load(document, store="memory://", transport=provider, environ={"PEM": text}) as nango:
        nango.register_connection("acme", "u", {"api_key": KEY})
        with pytest.raises(ResponseError) as caught:
            nango.trigger_action("acme", "get", "u")
    assert str(caught.value).endswith("403: no such key: ***")


class Quoting:
    """Renew tokens; refuse the first for its age, and every other with words about the first."""

    def __init__(self):
        self.tokens = 0

    def __call__(self, request):
        if request.url.path == "/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t0k3n-{self.tokens}", "expires_in": 3600})
        is_first = request.headers["Authorization"] == "Bearer t0k3n-1"
        return httpx.Response(401 if is_first else 403, text="first there was t0k3n-1, then t0k3n-2")


def test_a_token_that_was_renewed_meanwhile_stays_masked():
    clock = ManualClock()
    own = {**TOKEN, "retry": {}}
    with engine(Quoting(), clock=clock, credentials={}, **own) as nango, nango.client("acme", "u"):
        clock.advance(60)
        with pytest.raises(ResponseError) as caught:
            nango.trigger_action("acme", "get", "u")
    assert "was answered 403: first there was ***, then ***" in str(caught.value)


def test_a_token_that_another_thread_renews_meanwhile_stays_masked():
    clock = ManualClock()

    def provider(request):
        # Somebody else gives the connection another token while this request is on its way.
        nango.update_connection_credentials("acme", "u", {"api_key": "another_0123456789"})
        nango.client("acme", "u").close()
        return httpx.Response(403, text=f"you sent {KEY}, and not another_0123456789")

    with engine(provider, clock=clock) as nango, pytest.raises(ResponseError) as caught:
        nango.trigger_action("acme", "get", "u")
    assert "was answered 403: you sent ***, and not ***" in str(caught.value)


def test_a_401_that_is_declared_to_be_something_else_renews_nothing():
    script = Script((401, {}, {"error": {"code": "busy"}}), FINE)
    with reacting(script, {"status": ["401"], **is_busy("retry")}) as nango:
        assert 7 == nango.trigger_action("acme", "get", "u")["id"]


def test_now_is_believed_once_and_then_backed_off_from():
    script, clock = Script((429, {"Retry-After": "0"}, {})), ManualClock()
    with engine(script, clock=clock) as nango, pytest.raises(RateLimitedError) as caught:
        nango.trigger_action("acme", "get", "u")
    assert 0.0 == clock.slept[0]
    assert 4 == len(caught.value.attempts)
    assert all(0 <= seconds <= 2 for seconds in clock.slept[1:])


def test_transport_errors_bear_the_history_in_clients_and_actions():
    script = Script(httpx.ConnectError)
    with engine(script, retry={"max_attempts": 2}) as nango, nango.client("acme", "u") as client:
        with pytest.raises(httpx.ConnectError) as caught:
            client.get("thing")
    assert [(None, "network_error"), (None, "max_attempts")] == history(caught.value)


def test_one_request_can_have_a_policy_of_its_own():
    script, clock = Script((429, {"X-Again": "3", "Retry-After": "9"}, {}), FINE), ManualClock()
    with engine(script, clock=clock) as nango, nango.client("acme", "u") as client:
        answer = client.get("thing", extensions={"nango_retry": {"after": "X-Again", "max_attempts": 2}})
    assert [("preconfigured_after", 3.0), ("success", None)] == [
        (attempt.decision, attempt.waited) for attempt in answer.extensions["nango_attempts"]
    ]


def test_the_next_request_has_the_declared_policy_again():
    script = Script((500, {}, {}))
    with engine(script) as nango, nango.client("acme", "u") as client:
        client.get("thing", extensions={"nango_retry": {"max_attempts": 1}})
        assert 1 == len(script.requests)
        client.get("thing")
    assert 5 == len(script.requests)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"max_atempts": 1}, "Did you mean 'max_attempts'"),
        ({"max_attempts": 0}, "at least one attempt"),
        ({"max_attempts": "3"}, "not supported"),
        ({"in_body": {"paths": "x"}}, "paths"),
        ([1], "not list"),
    ],
)
def test_a_policy_that_cannot_work_is_the_callers_mistake(keys, words):
    with engine(Script(FINE)) as nango, nango.client("acme", "u") as client:
        with pytest.raises(UsageError, match=words):
            client.get("thing", extensions={"nango_retry": keys})


@pytest.mark.parametrize(
    ("answer", "ok"),
    [((404, {}, {}), True), ((200, {}, {"error": {"code": "busy"}}), False), ((200, {}, {}), True)],
)
def test_a_check_of_credentials_heeds_reactions(answer, ok):
    reactions = [{"status": ["404"], "reaction": "ignore"}, is_busy("fail")]
    with engine(Script(answer), retry={"reactions": reactions}, verification={"path": "me"}) as nango:
        assert ok == nango.check_connection("acme", "u").ok


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("userRateLimitExceeded", Wait(seconds=1.0, reason="declared_rate_limited")),
        ("insufficientPermissions", Stop(reason="not_retryable")),
    ],
)
def test_googles_exhausted_quota_is_waited_out_and_a_missing_permission_is_not(reason, expected):
    declared = load({"integrations": {"google": {"extends_blueprint": "google:v0"}}}, environ={})
    body = {"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": reason}]}}
    seen = Outcome(method="POST", status=403, body=body)
    policy = declared.integrations["google"].retry

    assert expected == decide(policy, attempt=1, elapsed=0.0, outcome=seen, now=0.0, random=lambda: 1.0)
