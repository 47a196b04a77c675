from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.policy.rate_limit import SLICES, Bucket, State, decide, left, settle, undo, whole_in


def times(bucket, count, *, start=1000.0, pauses=()):
    """Return when each of ``count`` requests is sent by a caller that asks again as told and is answered at once."""
    state, now, sent = State(), start, []
    for number in range(count):
        now += pauses[number] if number < len(pauses) else 0.0
        state, wait = decide(bucket, state, now)
        while wait:
            now += wait
            state, wait = decide(bucket, state, now)
        sent.append(now)
        if state.in_flight:
            state = settle(bucket, state, now)
    return sent


def busiest(arrived, per):
    return max(sum(1 for other in arrived if 0 <= other - one < per - 1e-4) for one in arrived)


def arrivals(bucket, delays, *, start=1000.0):
    """Return when requests arrive that a hurried caller sends; each takes its *delay* there and the same back."""
    state, now, arrived, answers = State(), start, [], []
    for delay in delays:
        while True:
            before, (state, wait) = state, decide(bucket, state, now)
            if not wait:
                break
            answer = min(answers, default=(math.inf, False))
            if answer[0] <= now + wait:
                answers.remove(answer)
                now = max(now, answer[0])
                state = settle(bucket, state, now) if answer[1] else state
            else:
                now += wait
        arrived.append(now + delay)
        answers.append((now + 2 * delay, state.in_flight > before.in_flight))
    return sorted(arrived)


def refusals(bucket, arrived):
    """Return how many of the requests a provider with a true token bucket refuses."""
    level, at, refused = float(bucket.burst), arrived[0], 0
    for moment in arrived:
        level, at = min(bucket.burst, level + (moment - at) / bucket.interval), moment
        if level < 1 - 1e-4:
            refused += 1
        else:
            level -= 1
    return refused


def test_one_request_a_second_is_spread_evenly():
    assert pytest.approx([1000.0, 1001.0, 1002.0]) == times(Bucket(limit=1, per=1.0), 3)


def test_a_window_may_be_used_up_at_once_and_opens_again_as_a_whole():
    assert pytest.approx([1000.0] * 3 + [1010.0] * 3 + [1020.0]) == times(Bucket(limit=3, per=10.0), 7)


def test_a_declared_burst_comes_at_once_and_flows_back():
    sent = times(Bucket(limit=2, per=1.0, burst=4), 7)

    assert pytest.approx([1000.0] * 4 + [1000.5, 1001.0, 1001.5]) == sent


def test_a_pause_makes_the_bucket_whole_again_but_not_more():
    sent = times(Bucket(limit=2, per=1.0, burst=2), 6, pauses=[0, 0, 3600])

    assert pytest.approx([1000.0, 1000.0, 4600.0, 4600.0, 4600.5, 4601.0]) == sent


def test_nothing_is_taken_while_one_has_to_wait():
    bucket = Bucket(limit=1, per=10.0)
    state = settle(bucket, decide(bucket, State(), 0.0)[0], 0.0)

    assert (state, 10.0) == decide(bucket, state, 0.0)
    assert (state, 4.0) == decide(bucket, state, 6.0)


@pytest.mark.parametrize("burst", [None, 1])
def test_what_is_on_its_way_is_waited_for(burst):
    bucket = Bucket(limit=1, per=10.0, burst=burst)
    state, _ = decide(bucket, State(), 0.0)

    assert math.inf == decide(bucket, state, 5.0)[1]
    assert 10.0 == decide(bucket, settle(bucket, state, 7.0), 7.0)[1]


@pytest.mark.parametrize("burst", [None, 3])
def test_what_was_never_sent_is_given_back(burst):
    bucket = Bucket(limit=3, per=10.0, burst=burst)
    state, _ = decide(bucket, State(), 0.0, cost=2)

    assert 3 == left(bucket, undo(bucket, state, cost=2), 0.0)


def test_a_bucket_that_was_settled_takes_back_what_was_never_sent():
    bucket = Bucket(limit=2, per=2.0, burst=2)
    state = settle(bucket, decide(bucket, State(), 0.0)[0], 0.0)
    state = undo(bucket, decide(bucket, state, 0.0)[0], in_flight=False)

    assert 1 == left(bucket, state, 0.0)


def test_a_dear_request_waits_for_as_much_as_it_costs():
    bucket = Bucket(limit=4, per=10.0)
    state = State()
    for moment in (0.0, 1.0, 2.0):
        state = settle(bucket, decide(bucket, state, moment)[0], moment)

    assert 7.0 == decide(bucket, state, 3.0, cost=2)[1]
    assert 0.0 == decide(bucket, state, 3.0, cost=0)[1]


def test_what_is_left_and_when_it_is_whole_can_be_told():
    bucket = Bucket(limit=4, per=10.0)
    state = settle(bucket, decide(bucket, State(), 0.0)[0], 2.0)

    assert (3, 9.0) == (left(bucket, state, 3.0), whole_in(bucket, state, 3.0))
    assert (4, 0.0) == (left(bucket, state, 12.0), whole_in(bucket, state, 12.0))


def test_answers_of_a_large_limit_are_counted_in_few_slices():
    bucket = Bucket(limit=100_000, per=3600.0)
    state = State()
    for second in range(3000):
        state = settle(bucket, decide(bucket, state, float(second))[0], float(second))

    assert 97_000 == left(bucket, state, 3000.0)
    assert len(state.answered) <= SLICES + 2


@pytest.mark.parametrize("burst", [None, 1])
def test_a_clock_that_is_set_back_holds_nobody_up(burst):
    bucket = Bucket(limit=1, per=10.0, burst=burst)
    state = settle(bucket, decide(bucket, State(), 1e9)[0], 1e9)

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


DELAYS = st.lists(st.floats(min_value=0, max_value=3), min_size=2, max_size=60)


@given(limit=st.integers(min_value=1, max_value=20), per=st.floats(min_value=0.5, max_value=5), delays=DELAYS)
def test_no_window_of_the_provider_sees_more_however_long_requests_are_on_their_way(limit, per, delays):
    assert busiest(arrivals(Bucket(limit=limit, per=per), delays), per) <= limit


@given(limit=st.integers(min_value=1, max_value=50), burst=st.integers(min_value=1, max_value=20), delays=DELAYS)
def test_a_provider_with_a_token_bucket_refuses_nothing(limit, burst, delays):
    bucket = Bucket(limit=limit, per=1.0, burst=burst)
    # What is on its way for as long as the bucket needs to refill can meet a burst that was sent after it.
    short = [min(delay, (burst - 1) * bucket.interval / 10) for delay in delays]

    assert 0 == refusals(bucket, arrivals(bucket, short))


@given(
    limit=st.integers(min_value=1, max_value=10**9),
    per=st.floats(min_value=1e-3, max_value=1e9),
    burst=st.integers(min_value=1, max_value=10**6),
    whole_at=st.floats(allow_nan=False),
    now=st.floats(min_value=-1e12, max_value=1e12),
)
def test_a_wait_is_bounded_by_one_interval(limit, per, burst, whole_at, now):
    bucket = Bucket(limit=limit, per=per, burst=burst)
    wait = decide(bucket, State(whole_at=whole_at), now)[1]

    assert 0 <= wait <= bucket.interval * 1.001 + 1e-3
