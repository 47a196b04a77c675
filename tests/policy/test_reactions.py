from __future__ import annotations

import pytest

from nango_py import http
from nango_py.policy.outcome import Outcome
from nango_py.policy.reactions import Reaction, said
from nango_py.policy.retry import InBody, RetryPolicy, Stop, Wait, decide, is_failure, is_rate_limited
from nango_py.template import split

NOW = 1_790_000_000.0


def outcome(status=200, *, method="GET", headers=(), body=None, **more):
    return Outcome(method=method, status=status, headers=http.Headers(dict(headers)), body=body, **more)


def after(policy, seen, *, attempt=1):
    return decide(policy, attempt=attempt, elapsed=0.0, outcome=seen, now=NOW, random=lambda: 0.5)


def policy(*reactions, **more):
    return RetryPolicy(reactions=tuple(Reaction(**reaction) for reaction in reactions), **more)


@pytest.mark.parametrize(
    ("signs", "seen", "expected"),
    [
        ({"status": ("403",)}, {"status": 403}, True),
        ({"status": ("4xx",)}, {"status": 500}, False),
        ({"path": "error.code"}, {"body": {"error": {"code": "busy"}}}, True),
        ({"path": "error.code"}, {"body": {"error": {}}}, False),
        ({"path": "error.code"}, {"body": None}, False),
        ({"path": "ok", "value": False}, {"body": {"ok": False}}, True),
        ({"path": "ok", "value": False}, {"body": {"ok": 0}}, False),
        ({"path": "code", "value": 7}, {"body": {"code": 7.0}}, True),
        ({"path": "code", "value": 1}, {"body": {"code": True}}, False),
        ({"path": "code", "values": ("a", "b")}, {"body": {"code": "b"}}, True),
        ({"path": "code", "values": ("a", "b")}, {"body": {"code": "c"}}, False),
        ({"path": "code", "value": "7"}, {"body": {"code": 7}}, False),
        ({"path": "errors[?code=='x'] | [0]"}, {"body": {"errors": [{"code": "x"}]}}, True),
        ({"header": "X-Error"}, {"headers": {"x-error": "any"}}, True),
        ({"header": "X-Error"}, {}, False),
        ({"header": "X-Error", "value": 7}, {"headers": {"x-error": " 7 "}}, True),
        ({"header": "X-Error", "values": ("busy", True)}, {"headers": {"x-error": "true"}}, True),
        ({"status": ("200",), "path": "code", "value": "x"}, {"status": 400, "body": {"code": "x"}}, False),
        ({"status": ("400",), "path": "code", "value": "x"}, {"status": 400, "body": {"code": "x"}}, True),
    ],
)
def test_a_reaction_is_known_by_all_its_signs(signs, seen, expected):
    assert expected == Reaction(reaction="fail", **signs).matches(outcome(**seen))


def test_an_attempt_without_an_answer_bears_no_sign():
    assert not Reaction(reaction="ignore", status=("5xx",)).matches(Outcome(method="GET", error="timeout"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "status, a path or a header"),
        ({"path": "a", "header": "b"}, "not at both"),
        ({"path": "a", "value": 1, "values": (2,)}, "not both"),
        ({"status": ("403",), "value": 1}, "path or the header"),
        ({"path": "a["}, "plain path"),
    ],
)
def test_a_reaction_that_cannot_work_is_refused(keys, words):
    with pytest.raises(ValueError, match=words):
        Reaction(reaction="fail", **keys)


def test_the_first_reaction_that_fits_counts():
    seen = outcome(403, body={"code": "quota"})
    named = policy(
        {"status": ("403",), "path": "code", "value": "quota", "reaction": "rate_limited"},
        {"status": ("403",), "reaction": "fail"},
    )

    assert Wait(seconds=0.25, reason="declared_rate_limited") == after(named, seen)
    assert Stop(reason="declared_fail") == after(named, outcome(403, body={"code": "no"}))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("retry", Wait(seconds=0.25, reason="declared_retry")),
        ("rate_limited", Wait(seconds=0.25, reason="declared_rate_limited")),
        ("fail", Stop(reason="declared_fail")),
        ("ignore", Stop(reason="declared_ignore")),
        ("renew_then_retry", Stop(reason="declared_renew_then_retry")),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
def test_a_reaction_comes_before_every_other_rule(word, expected, status):
    named = policy({"status": (str(status),), "reaction": word}, error_code=("418",))

    assert expected == after(named, outcome(status))


def test_a_rate_limited_answer_states_its_wait():
    named = policy({"status": ("403",), "reaction": "rate_limited"}, at=("x-reset",))

    assert Wait(seconds=9.0, reason="preconfigured_at") == after(
        named, outcome(403, headers={"x-reset": f"{NOW + 9:.0f}"})
    )
    assert Wait(seconds=7.0, reason="retry_after") == after(named, outcome(403, headers={"Retry-After": "7"}))
    assert is_rate_limited(named, outcome(403))


def test_a_repeated_answer_does_not_state_a_wait():
    named = policy({"status": ("409",), "reaction": "retry"})

    assert Wait(seconds=0.25, reason="declared_retry") == after(named, outcome(409, headers={"Retry-After": "7"}))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("retry", Stop(reason="not_idempotent")), ("rate_limited", Wait(seconds=0.25, reason="declared_rate_limited"))],
)
def test_only_a_refusal_makes_a_post_repeatable(word, expected):
    named = policy({"status": ("503",), "reaction": word})

    assert expected == after(named, outcome(503, method="POST"))


def test_reactions_are_bounded_like_every_retry():
    named = policy({"status": ("403",), "reaction": "retry"})

    assert Stop(reason="max_attempts") == after(named, outcome(403), attempt=4)


@pytest.mark.parametrize(
    ("declared", "seen", "expected"),
    [
        ({}, {"status": 200}, False),
        ({}, {"status": 304}, True),
        ({}, {"status": 404}, True),
        ({"word": "ignore"}, {"status": 404}, False),
        ({"word": "fail"}, {"status": 200}, True),
        ({"in_body": InBody(path="m", value=r"in (\d+) s")}, {"status": 200, "body": {"m": "in 3 s"}}, True),
        ({"in_body": InBody(path="m")}, {"status": 200, "body": {"m": 3}}, False),
    ],
)
def test_success_is_judged_by_reactions_and_by_waits_in_words(declared, seen, expected):
    declared = dict(declared)
    word = declared.pop("word", None)
    reactions = () if word is None else (Reaction(reaction=word, status=("2xx", "4xx")),)

    assert expected == is_failure(RetryPolicy(reactions=reactions, **declared), outcome(**seen))


def test_a_body_is_needed_only_where_a_reaction_looks_into_it():
    named = policy(
        {"status": ("4xx",), "path": "code", "reaction": "fail"}, {"header": "x-error", "reaction": "fail"}
    )

    assert named.needs_body(404)
    assert not named.needs_body(200)


def test_a_message_quotes_the_answer_and_gives_way_where_it_cannot():
    told = Reaction(reaction="fail", status=("400",), message=split("${status}: ${body.error.message}"))

    assert "400: no" == said(told.message, {"status": 400, "body": {"error": {"message": "no"}}})
    assert said(told.message, {"status": 400, "body": {"error": {}}}) is None
    assert said(told.message, {"status": 400, "body": ["no"]}) is None
    assert said(None, {"status": 400, "body": None}) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3.0), (f"{NOW + 3:.0f}", 3.0), (f"{NOW * 1000 + 3000:.0f}", 3.0), ("3s", 3.0)]
)
def test_auto_tells_the_form_of_a_wait_by_its_value(text, seconds):
    waits = RetryPolicy(auto=("x-wait",))

    assert Wait(seconds=seconds, reason="preconfigured_auto") == after(waits, outcome(429, headers={"x-wait": text}))
