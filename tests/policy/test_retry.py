from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py import http
from nango_py.policy.outcome import Outcome, kind_of
from nango_py.policy.retry import InBody, RetryPolicy, Stop, Wait, decide, is_rate_limited

NOW = 1_790_000_000.0
ISO_IN_2_SECONDS = "2026-09-21T14:13:22.000Z"
QUOTA = InBody(path="error.message", value=r"Quota of the user exceeded\. +Come back at (.+)", strategy="at")
PAUSE = InBody(path="error.message", value=r"Come back in (\d+) seconds", strategy="after")


def tell(message):
    return {"error": {"message": message}}


def after(policy=None, *, attempt=1, elapsed=0.0, random=0.5, **outcome):
    outcome = {"method": "GET", **outcome, "headers": http.Headers(outcome.get("headers", {}))}
    return decide(
        policy or RetryPolicy(),
        attempt=attempt,
        elapsed=elapsed,
        outcome=Outcome(**outcome),
        now=NOW,
        random=lambda: random,
    )


BACKOFF = 0.25  # half of the base


@pytest.mark.parametrize(
    ("case", "policy", "outcome", "expected"),
    [
        ("R1", {}, {"error": "unknown"}, Stop(reason="unknown_error")),
        ("R2", {}, {"error": "connect"}, Wait(seconds=BACKOFF, reason="network_error")),
        ("R2", {}, {"error": "pool"}, Wait(seconds=BACKOFF, reason="network_error")),
        ("R2", {}, {"error": "timeout"}, Wait(seconds=BACKOFF, reason="network_error")),
        ("R2", {}, {"error": "network"}, Wait(seconds=BACKOFF, reason="network_error")),
        ("R2", {}, {"error": "protocol"}, Wait(seconds=BACKOFF, reason="network_error")),
        ("R3", {}, {"status": 200}, Stop(reason="not_retryable")),
        ("R3", {}, {"status": 300}, Stop(reason="not_retryable")),
        ("R3", {}, {"status": 400}, Stop(reason="not_retryable")),
        ("R4", {}, {"status": 500}, Wait(seconds=BACKOFF, reason="status_code_500")),
        ("R4", {}, {"status": 501}, Wait(seconds=BACKOFF, reason="status_code_501")),
        ("R4", {}, {"status": 429}, Wait(seconds=BACKOFF, reason="status_code_429")),
        ("R5", {}, {"status": 401}, Stop(reason="not_retryable")),
        ("R5", {"error_code": ("401",)}, {"status": 401}, Stop(reason="not_retryable")),
        (
            "R7",
            {"error_code": ("200", "429")},
            {"status": 200},
            Wait(seconds=BACKOFF, reason="provider_error_code_200"),
        ),
        ("R8", {"error_code": ("500", "400")}, {"status": 429}, Stop(reason="not_retryable")),
        ("R8", {"error_code": ()}, {"status": 500}, Stop(reason="not_retryable")),
        ("R10", {"error_code": ("5xx",)}, {"status": 500}, Wait(seconds=BACKOFF, reason="provider_error_code_5xx")),
        (
            "R10",
            {"error_code": ("5xx", "429")},
            {"status": 502},
            Wait(seconds=BACKOFF, reason="provider_error_code_5xx"),
        ),
        (
            "R11",
            {"error_code": ("500-502",)},
            {"status": 502},
            Wait(seconds=BACKOFF, reason="provider_error_code_500-502"),
        ),
        ("R11", {"error_code": ("500-502",)}, {"status": 503}, Stop(reason="not_retryable")),
        (
            "R12",
            {"remaining": "x-left"},
            {"status": 200, "headers": {"x-left": "0"}},
            Wait(seconds=BACKOFF, reason="provider_remaining"),
        ),
        ("R13", {"remaining": "x-left"}, {"status": 200, "headers": {"x-left": "1"}}, Stop(reason="not_retryable")),
        ("R13", {"remaining": "x-left"}, {"status": 400, "headers": {"x-left": "00"}}, Stop(reason="not_retryable")),
        (
            "R14",
            {"at": ("x-reset",)},
            {"status": 429, "headers": {"x-reset": f"{NOW + 1}"}},
            Wait(seconds=1.0, reason="preconfigured_at"),
        ),
        (
            "R15",
            {"at": ("x-reset",)},
            {"status": 429, "headers": {"x-reset": "24"}},
            Wait(seconds=BACKOFF, reason="status_code_429", note="at:header_invalid_wait"),
        ),
        (
            "R16",
            {"at": ("x-reset",)},
            {"status": 429, "headers": {"x-reset": f"{NOW * 1000 + 1000:.0f}"}},
            Wait(seconds=1.0, reason="preconfigured_at"),
        ),
        (
            "R17",
            {"after": ("x-pause",)},
            {"status": 429, "headers": {"x-pause": "1"}},
            Wait(seconds=1.0, reason="preconfigured_after"),
        ),
        (
            "R18",
            {"at": ("x-reset",)},
            {"status": 429},
            Wait(seconds=BACKOFF, reason="status_code_429", note="at:no_header"),
        ),
        (
            "R18",
            {"after": ("x-pause",)},
            {"status": 429},
            Wait(seconds=BACKOFF, reason="status_code_429", note="after:no_header"),
        ),
        (
            "R19",
            {"after": ("X-Rate-Limit-Pause",)},
            {"status": 429, "headers": {"x-rate-limit-PAUSE": "1"}},
            Wait(seconds=1.0, reason="preconfigured_after"),
        ),
        (
            "R20",
            {"at": ("x-first", "x-second")},
            {"status": 429, "headers": {"x-second": f"{NOW + 1}"}},
            Wait(seconds=1.0, reason="preconfigured_at"),
        ),
        (
            "R21",
            {"at": ("x-first", "x-second")},
            {"status": 429, "headers": {"x-first": f"{NOW + 3}", "x-second": f"{NOW + 1}"}},
            Wait(seconds=3.0, reason="preconfigured_at"),
        ),
        (
            "R23",
            {"in_body": QUOTA},
            {"status": 429, "body": tell(f"Quota of the user exceeded.  Come back at {ISO_IN_2_SECONDS}")},
            Wait(seconds=2.0, reason="preconfigured_in_body:at"),
        ),
        (
            "R24",
            {"in_body": QUOTA},
            {"status": 429, "body": tell(f"Quota of the user exceeded. Come back at {NOW + 2:.0f}")},
            Wait(seconds=2.0, reason="preconfigured_in_body:at"),
        ),
        (
            "R25",
            {"in_body": PAUSE},
            {"status": 429, "body": tell("Come back in 3 seconds")},
            Wait(seconds=3.0, reason="preconfigured_in_body:after"),
        ),
        (
            "R26",
            {"in_body": PAUSE},
            {"status": 429, "body": tell("No.")},
            Wait(seconds=BACKOFF, reason="status_code_429", note="in_body:no_match"),
        ),
        (
            "R27",
            {"in_body": PAUSE},
            {"status": 429, "body": {}},
            Wait(seconds=BACKOFF, reason="status_code_429", note="in_body:path_missing"),
        ),
        (
            "R27",
            {"in_body": PAUSE},
            {"status": 429, "body": tell(5)},
            Wait(seconds=BACKOFF, reason="status_code_429", note="in_body:path_not_string"),
        ),
        (
            "R27",
            {"in_body": PAUSE},
            {"status": 429},
            Wait(seconds=BACKOFF, reason="status_code_429", note="in_body:no_response"),
        ),
        (
            "R28",
            {"after": ("retry-after",)},
            {"status": 429, "headers": {"Retry-After": "Mon, 21 Sep 2026 14:13:50 GMT"}},
            Wait(seconds=30.0, reason="preconfigured_after"),
        ),
        (
            "R28",
            {"after": ("x-reset",), "max_wait": 400.0, "deadline": 900.0},
            {"status": 429, "headers": {"x-reset": "6m0s"}},
            Wait(seconds=360.0, reason="preconfigured_after"),
        ),
        (
            "R28",
            {"after": ("retry-after",)},
            {"status": 429, "headers": {"Retry-After": "2592000"}},
            Stop(reason="stated_wait_beyond_max_wait", seconds=2592000.0),
        ),
        (
            "R28",
            {"after": ("retry-after",)},
            {"status": 429, "headers": {"Retry-After": "-3"}},
            Wait(seconds=BACKOFF, reason="status_code_429", note="after:header_invalid_wait"),
        ),
        (
            "R30",
            {"error_code": ("403", "5xx", "429"), "at": ("x-ratelimit-reset",), "remaining": "x-ratelimit-remaining"},
            {
                "status": 502,
                "headers": {"x-ratelimit-reset": f"{NOW + 3600:.0f}", "x-ratelimit-remaining": "4999"},
            },
            Wait(seconds=BACKOFF, reason="provider_error_code_5xx"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_attempt_is_judged_as_the_case_table_says(case, policy, outcome, expected):
    assert expected == after(RetryPolicy(**policy), **outcome)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, Wait(seconds=7.0, reason="retry_after")),
        ({"RateLimit-Reset": "8"}, Wait(seconds=8.0, reason="ratelimit_reset")),
        ({"ratelimit": "limit=100, remaining=50, reset=5"}, Wait(seconds=5.0, reason="ratelimit")),
        ({"RateLimit": '"default";r=0;t=9'}, Wait(seconds=9.0, reason="ratelimit")),
        ({"Retry-After": "7", "RateLimit-Reset": "30"}, Wait(seconds=7.0, reason="retry_after")),
        ({"Retry-After": "never", "RateLimit-Reset": "8"}, Wait(seconds=8.0, reason="ratelimit_reset")),
    ],
)
def test_standard_headers_are_read_without_being_declared(headers, expected):
    assert expected == after(status=429, headers=headers)


def test_standard_headers_stand_in_where_declared_ones_are_missing():
    expected = Wait(seconds=7.0, reason="retry_after")

    assert expected == after(RetryPolicy(at=("x-reset",)), status=429, headers={"Retry-After": "7"})


@pytest.mark.parametrize("status", [500, 502, 504, 408])
def test_a_reset_is_not_read_on_an_answer_that_is_no_rate_limit_answer(status):
    headers = {"x-reset": f"{NOW + 30}", "RateLimit-Reset": "30", "Retry-After": "30"}

    assert Wait(seconds=BACKOFF, reason=f"status_code_{status}") == after(
        RetryPolicy(at=("x-reset",)), status=status, headers=headers
    )


def test_retry_after_counts_on_503_and_resets_do_not():
    headers = {"Retry-After": "4", "x-reset": f"{NOW + 30}"}

    assert Wait(seconds=4.0, reason="retry_after") == after(RetryPolicy(at=("x-reset",)), status=503, headers=headers)


def test_retry_after_wins_over_the_reset_of_a_limit_that_is_not_used_up():
    policy = RetryPolicy(error_code=("403", "429"), at=("x-reset",), remaining="x-left")
    headers = {"Retry-After": "6", "x-reset": f"{NOW + 3000}", "x-left": "4000"}

    assert Wait(seconds=6.0, reason="retry_after") == after(policy, status=403, headers=headers)


def test_a_number_in_the_body_is_a_wait_where_no_expression_is_declared():
    policy = RetryPolicy(in_body=InBody(path="retry_after"))

    assert Wait(seconds=1.5, reason="preconfigured_in_body:after") == after(
        policy, status=429, body={"retry_after": 1.5}
    )


@pytest.mark.parametrize(
    ("declared", "said", "seconds"),
    [
        ({}, 1500, 1.5),
        ({}, 1500.5, 1.5005),
        ({}, "1500", 1.5),
        ({}, "2s", 2.0),
        ({"value": "in ([0-9]+) ms"}, "in 250 ms", 0.25),
        ({"strategy": "at"}, NOW * 1000 + 3000, 3.0),
    ],
)
def test_a_number_in_the_body_may_count_milliseconds(declared, said, seconds):
    policy = RetryPolicy(in_body=InBody(path="ms", unit="milliseconds", **declared))

    waited = after(policy, status=429, body={"ms": said})

    assert seconds == pytest.approx(waited.seconds, abs=1e-3)


@pytest.mark.parametrize(
    ("declared", "headers", "expected"),
    [
        ({"after": ("Retry-After-Ms",)}, {"retry-after-ms": "1500"}, 1.5),
        ({"auto": ("X-Rate-Limit-Reset-Ms",)}, {"X-Rate-Limit-Reset-Ms": "2500"}, 2.5),
        ({"auto": ("X-Rate-Limit-Reset-Ms",)}, {"X-Rate-Limit-Reset-Ms": f"{(NOW + 3) * 1000:.0f}"}, 3.0),
        # Seconds by the standard, whatever the other headers count.
        ({"after": ("Retry-After-Ms", "Retry-After")}, {"Retry-After-Ms": "500", "Retry-After": "1"}, 1.0),
        ({"after": ("Retry-After-Ms",)}, {"Retry-After": "2"}, 2.0),
    ],
)
def test_a_header_may_count_milliseconds(declared, headers, expected):
    waited = after(RetryPolicy(unit="milliseconds", **declared), status=429, headers=headers)

    assert expected == pytest.approx(waited.seconds)


@pytest.mark.parametrize("make", [RetryPolicy, lambda **keys: InBody(path="ms", **keys)])
def test_an_unknown_unit_is_refused(make):
    with pytest.raises(ValueError, match="unit is 'hours'"):
        make(unit="hours")


def test_an_expression_between_slashes_is_read_without_them():
    policy = RetryPolicy(in_body=InBody(path="m", value=r"/in (\d+) s/"))

    assert Wait(seconds=3.0, reason="preconfigured_in_body:after") == after(policy, status=429, body={"m": "in 3 s"})


def test_a_declared_sign_in_the_body_makes_any_status_a_rate_limit_answer():
    policy = RetryPolicy(in_body=PAUSE)

    assert Wait(seconds=3.0, reason="preconfigured_in_body:after") == after(
        policy, status=403, body=tell("Come back in 3 seconds")
    )


def test_now_is_believed_once():
    policy = RetryPolicy()
    headers = {"Retry-After": "0"}

    assert Wait(seconds=0.0, reason="retry_after") == after(policy, status=429, headers=headers)
    assert Wait(seconds=0.5, reason="status_code_429") == after(policy, attempt=2, status=429, headers=headers)


def test_a_stated_wait_beyond_the_deadline_stops_and_says_how_long_it_was():
    expected = Stop(reason="stated_wait_beyond_deadline", seconds=50.0)

    assert expected == after(elapsed=100.0, status=429, headers={"Retry-After": "50"})


def test_a_backoff_beyond_the_deadline_stops():
    assert Stop(reason="deadline") == after(elapsed=119.9, status=500)


def test_the_last_attempt_stops_and_keeps_the_stated_wait():
    expected = Stop(reason="max_attempts", seconds=9.0)

    assert expected == after(attempt=4, status=429, headers={"Retry-After": "9"})


def test_a_body_that_cannot_be_sent_again_gets_one_attempt():
    assert Stop(reason="body_not_replayable") == after(status=500, replayable=False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "get"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504])
def test_a_passing_failure_of_an_idempotent_method_is_tried_again(method, status):
    assert Wait(seconds=BACKOFF, reason=f"status_code_{status}") == after(method=method, status=status)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PROPFIND"])
@pytest.mark.parametrize(
    ("policy", "outcome", "repeated"),
    [
        ({}, {"error": "connect"}, True),
        ({}, {"error": "pool"}, True),
        ({}, {"error": "timeout"}, False),
        ({}, {"error": "network"}, False),
        ({}, {"error": "protocol"}, False),
        ({}, {"status": 429}, True),
        ({}, {"status": 503}, False),
        ({}, {"status": 500}, False),
        ({}, {"status": 503, "headers": {"Retry-After": "1"}}, False),
        ({"not_processed": ("503",)}, {"status": 503}, True),
        ({"error_code": ("403",)}, {"status": 403}, False),
        ({"error_code": ("403",)}, {"status": 403, "headers": {"Retry-After": "1"}}, True),
        ({"remaining": "x-left"}, {"status": 400, "headers": {"x-left": "0"}}, True),
        ({"remaining": "x-left"}, {"status": 500, "headers": {"x-left": "0"}}, False),
        ({"remaining": "x-left"}, {"status": 200, "headers": {"x-left": "0"}}, False),
        ({"in_body": PAUSE}, {"status": 200, "body": tell("Come back in 3 seconds")}, True),
        ({}, {"error": "timeout", "idempotent_key_sent": True}, True),
        ({}, {"status": 500, "idempotent_key_sent": True}, True),
    ],
)
def test_other_methods_are_repeated_only_where_nothing_was_done(method, policy, outcome, repeated):
    decision = after(RetryPolicy(**policy), method=method, **outcome)

    assert repeated == isinstance(decision, Wait)
    assert repeated or decision.reason == "not_idempotent"


@pytest.mark.parametrize(
    ("policy", "outcome", "expected"),
    [
        ({}, {"status": 429}, True),
        ({}, {"status": 503}, False),
        ({}, {"status": 503, "headers": {"Retry-After": "1"}}, True),
        ({}, {"status": 502, "headers": {"Retry-After": "1"}}, False),
        ({"remaining": "x-left"}, {"status": 403, "headers": {"X-Left": " 0 "}}, True),
        ({"remaining": "x-left"}, {"status": 403, "headers": {"X-Left": "1"}}, False),
        ({"in_body": PAUSE}, {"status": 400, "body": tell("Come back in 1 seconds")}, True),
        ({"in_body": PAUSE}, {"status": 400, "body": tell("No.")}, False),
        ({}, {"error": "timeout"}, False),
    ],
)
def test_a_rate_limit_answer_is_known_by_its_signs(policy, outcome, expected):
    headers = http.Headers(outcome.get("headers", {}))
    outcome = Outcome(**{"method": "GET", **outcome, "headers": headers})

    assert expected == is_rate_limited(RetryPolicy(**policy), outcome)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (http.ConnectError("x"), "connect"),
        (http.ConnectTimeout("x"), "connect"),
        (http.ProxyError("x"), "connect"),
        (http.PoolTimeout("x"), "pool"),
        (http.ReadTimeout("x"), "timeout"),
        (http.WriteTimeout("x"), "timeout"),
        (http.ReadError("x"), "network"),
        (http.WriteError("x"), "network"),
        (http.RemoteProtocolError("x"), "protocol"),
        (http.LocalProtocolError("x"), "unknown"),
        (http.UnsupportedProtocol("x"), "unknown"),
        (KeyError("x"), "unknown"),
    ],
)
def test_an_exception_has_a_kind(error, expected):
    assert expected == kind_of(error)


def test_backoff_doubles_up_to_its_cap():
    policy = RetryPolicy(max_attempts=10, deadline=1000.0)
    expected = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]

    assert expected == [after(policy, attempt=attempt, random=1.0, status=500).seconds for attempt in range(1, 9)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RetryPolicy(max_attempts=0), "at least one attempt"),
        (lambda: RetryPolicy(base=-1.0), "base is -1.0"),
        (lambda: RetryPolicy(deadline=math.nan), "deadline is nan"),
        (lambda: InBody(path="a.."), "neither a plain path"),
        (lambda: InBody(path="a", value="("), "no regular expression"),
        (lambda: InBody(path="a", value="no group"), "exactly one"),
        (lambda: InBody(path="a", strategy="when"), "strategy is 'when'"),
    ],
)
def test_a_policy_that_cannot_work_says_why(build, message):
    with pytest.raises(ValueError, match=message):
        build()


HEADER = st.text(alphabet="0123456789.-smhd :+TZ", max_size=20) | st.sampled_from(["NaN", "inf", "9" * 300, "1e9"])


@given(
    attempt=st.integers(min_value=1, max_value=10_000),
    elapsed=st.floats(min_value=0, max_value=1e9),
    base=st.floats(min_value=0, max_value=1e308),
    cap=st.floats(min_value=0, max_value=1e308),
    max_wait=st.floats(min_value=0, max_value=1e6),
    random=st.floats(min_value=0, max_value=1, exclude_max=True),
    status=st.sampled_from([429, 500, 503, 403]),
    wait=HEADER,
    reset=HEADER,
)
def test_a_wait_is_never_negative_nor_beyond_what_the_policy_allows(
    *, attempt, elapsed, base, cap, max_wait, random, status, wait, reset
):
    policy = RetryPolicy(
        max_attempts=20_000, base=base, cap=cap, max_wait=max_wait, at=("x-reset",), remaining="x-left"
    )
    headers = {"Retry-After": wait, "x-reset": reset, "x-left": "0", "RateLimit": reset}
    decision = after(policy, attempt=attempt, elapsed=elapsed, random=random, status=status, headers=headers)

    assert isinstance(decision, Stop) or 0 <= decision.seconds <= min(max_wait, policy.deadline - elapsed)
