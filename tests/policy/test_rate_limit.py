from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.policy.rate_limit import Bucket, State, decide


def times(bucket, count, *, start=1000.0, pauses=()):
    """Return when each of ``count`` requests is sent by a caller that asks again as told."""
    state, now, sent = State(), start, []
    for number in range(count):
        now += pauses[number] if number < len(pauses) else 0.0
        state, wait = decide(bucket, state, now)
        while wait:
            now += wait
            state, wait = decide(bucket, state, now)
        sent.append(now)
    return sent


def busiest(sent, per):
    return max(sum(1 for other in sent if 0 <= other - one < per - 1e-4) for one in sent)


def test_one_request_a_second_is_spread_evenly():
    assert pytest.approx([1000.0, 1001.0, 1002.0]) == times(Bucket(limit=1, per=1.0), 3)


def test_a_declared_burst_comes_at_once_and_flows_back():
    sent = times(Bucket(limit=2, per=1.0, burst=4), 7)

    assert pytest.approx([1000.0] * 4 + [1000.5, 1001.0, 1001.5]) == sent


def test_a_pause_makes_the_bucket_whole_again_but_not_more():
    sent = times(Bucket(limit=2, per=1.0, burst=2), 6, pauses=[0, 0, 3600])

    assert pytest.approx([1000.0, 1000.0, 4600.0, 4600.0, 4600.5, 4601.0]) == sent


def test_nothing_is_taken_while_one_has_to_wait():
    bucket = Bucket(limit=1, per=10.0)
    state, _ = decide(bucket, State(), 0.0)

    assert (state, 10.0) == decide(bucket, state, 0.0)
    assert (state, 4.0) == decide(bucket, state, 6.0)


def test_a_clock_that_is_set_back_holds_nobody_up():
    bucket = Bucket(limit=1, per=10.0)
    state, _ = decide(bucket, State(), 1e9)

    assert 10.0 == decide(bucket, state, 0.0)[1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bucket(limit=0, per=1.0), "limit 0"),
        (lambda: Bucket(limit=1, per=0.0), "per is 0.0"),
        (lambda: Bucket(limit=1, per=math.inf), "per is inf"),
        (lambda: Bucket(limit=1, per=1.0, burst=0), "burst 0"),
    ],
)
def test_a_bucket_that_cannot_work_says_why(build, message):
    with pytest.raises(ValueError, match=message):
        build()


PAUSES = st.lists(st.floats(min_value=0, max_value=20), max_size=60)


@given(limit=st.integers(min_value=1, max_value=40), per=st.floats(min_value=0.5, max_value=600), pauses=PAUSES)
def test_no_window_sees_more_than_the_limit(limit, per, pauses):
    assert busiest(times(Bucket(limit=limit, per=per), 90, pauses=pauses), per) <= limit


@given(
    limit=st.integers(min_value=1, max_value=10**9),
    per=st.floats(min_value=1e-3, max_value=1e9),
    whole_at=st.floats(allow_nan=False),
    now=st.floats(min_value=-1e12, max_value=1e12),
)
def test_a_wait_is_bounded_by_one_interval(limit, per, whole_at, now):
    bucket = Bucket(limit=limit, per=per)
    wait = decide(bucket, State(whole_at=whole_at), now)[1]

    assert 0 <= wait <= bucket.interval * 1.001 + 1e-3
