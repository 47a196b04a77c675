"""The queue before a limit: order, cancellation, deadlines. Time travels; threads meet at their own futures."""

from __future__ import annotations

import math
from concurrent.futures import Future

import pytest

from nango_py.effects import Join, Sleep
from nango_py.exchange.entry import Entry, TooLate
from nango_py.exchange.gate import Gate
from nango_py.policy.limit_headers import Report
from nango_py.policy.rate_limit_rule import RateLimit
from nango_py.testing import ManualClock


class Line:
    """Requests before one gate; each is stepped by hand, so that nothing depends on threads."""

    def __init__(self, *rules, learns=False):
        self.clock = ManualClock()
        self.gate = Gate(rules, self.clock, learns=learns)
        self.passed = []

    def come(self, name, *, longest=60.0, left=120.0, first=False):
        return Request(self, name, longest, left, first)


class Request:
    def __init__(self, line, name, longest, left, first):
        self.line, self.name, self.entry = line, name, Entry("GET", name)
        began = line.clock.monotonic()
        self.flow = line.gate.enter(
            self.entry, longest=longest, left=lambda: left + began - line.clock.monotonic(), first=first
        )
        self.effect = None
        self.step()

    def step(self):
        """Go on until the request passes or has to wait; a sleep is for the test to end."""
        try:
            self.effect = self.flow.send(None)
        except StopIteration:
            self.effect = None
            self.line.passed.append(self.name)

    @property
    def is_woken(self):
        return isinstance(self.effect, Join) and self.effect.start().done()

    def time_out(self):
        try:
            self.effect = self.flow.throw(TimeoutError())
        except StopIteration:
            self.effect = None
            self.line.passed.append(self.name)

    def answer(self, *reports, is_refused=False, has_answer=True):
        self.line.gate.answer(self.entry, reports, is_refused=is_refused, has_answer=has_answer)


def work_off(line, waiting):
    """Step whoever is woken, and let time pass for whoever sleeps, until all have passed."""
    waiting = list(waiting)
    while waiting:
        for request in list(waiting):
            if isinstance(request.effect, Sleep):
                line.clock.sleep(request.effect.seconds)
                request.step()
            elif request.is_woken:
                request.step()
            if request.effect is None:
                waiting.remove(request)
                request.answer()


def test_requests_pass_in_the_order_in_which_they_came():
    line = Line(RateLimit(limit=2, per=1))
    requests = [line.come(number) for number in range(100)]
    for request in requests[:2]:
        request.answer()
    work_off(line, requests[2:])

    assert list(range(100)) == line.passed
    assert pytest.approx([1.0] * 49) == line.clock.slept


def test_only_the_first_in_line_sleeps():
    line = Line(RateLimit(limit=1, per=10))
    line.come("a").answer()
    requests = [line.come(name) for name in "bcd"]

    assert [Sleep, Join, Join] == [type(request.effect) for request in requests]


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_a_cancelled_waiter_leaves_no_hole(gone):
    line = Line(RateLimit(limit=1, per=10))
    line.come("-").answer()
    requests = [line.come(number) for number in range(4)]
    requests.pop(gone).flow.close()
    work_off(line, requests)

    assert ["-", *(number for number in range(4) if number != gone)] == line.passed
    assert pytest.approx([10.0] * 3) == line.clock.slept


def test_all_waiters_may_go():
    line = Line(RateLimit(limit=1, per=10))
    line.come("-").answer()
    for request in [line.come(number) for number in range(10)]:
        request.flow.close()
    work_off(line, [line.come("last")])

    assert ["-", "last"] == line.passed


def test_a_failed_wait_leaves_the_line_too():
    line = Line(RateLimit(limit=1, per=10))
    line.come("-").answer()
    head, other = line.come("a"), line.come("b")
    with pytest.raises(KeyboardInterrupt):
        head.flow.throw(KeyboardInterrupt())
    work_off(line, [other])

    assert ["-", "b"] == line.passed


def test_what_is_on_its_way_is_waited_for_without_sleeping():
    line = Line(RateLimit(limit=1, per=10))
    first, second = line.come("a"), line.come("b")

    assert isinstance(second.effect, Join)
    first.answer()
    assert second.is_woken
    second.step()
    assert Sleep(10.0) == second.effect


def test_a_request_that_was_never_sent_gives_back_what_it_took():
    line = Line(RateLimit(limit=1, per=10))
    first, second = line.come("a"), line.come("b")
    line.gate.undo(first.entry)
    second.step()

    assert ["a", "b"] == line.passed
    assert [] == line.clock.slept


def test_a_repeated_request_passes_before_those_that_were_not_sent_yet():
    line = Line(RateLimit(limit=1, per=10))
    line.come("-").answer()
    waiting = [line.come("a"), line.come("b")]
    again = line.come("again", first=True)
    work_off(line, [again, *waiting])

    assert ["-", "again", "a", "b"] == line.passed


def test_a_turn_that_would_come_too_late_is_not_waited_for():
    line = Line(RateLimit(limit=1, per=3600))
    line.come("a").answer()

    with pytest.raises(TooLate) as caught:
        line.come("b")
    assert pytest.approx(3600) == caught.value.seconds
    assert not line.gate.queue


def test_a_turn_beyond_the_deadline_is_not_waited_for():
    line = Line(RateLimit(limit=1, per=30))
    line.come("a").answer()

    with pytest.raises(TooLate):
        line.come("b", left=20.0)


def test_whoever_waits_behind_others_gives_up_at_its_deadline():
    line = Line(RateLimit(limit=1, per=30))
    line.come("a").answer()
    second, third = line.come("b"), line.come("c", left=20.0)
    assert Sleep(30.0) == second.effect
    line.clock.advance(20)

    with pytest.raises(TooLate):
        third.time_out()


def test_a_cap_on_concurrency_lasts_until_the_answer_is_closed():
    line = Line(RateLimit(concurrency=1))
    first, second = line.come("a"), line.come("b")
    first.answer()

    second.step()
    assert isinstance(second.effect, Join)
    line.gate.leave(first.entry)
    second.step()
    assert ["a", "b"] == line.passed


def test_dear_requests_take_as_much_as_they_cost():
    line = Line(RateLimit(limit=10, per=60, cost={"report/*": 8}))
    line.come("report/1").answer()
    line.come("lead").answer()
    dear, other = line.come("report/2"), line.come("lead")

    assert isinstance(dear.effect, Sleep)
    assert isinstance(other.effect, Join)


def test_all_limits_hold_at_once():
    line = Line(RateLimit(limit=10, per=1), RateLimit(limit=12, per=60))
    requests = [line.come(number) for number in range(13)]
    for request in requests[:10]:
        request.answer()
    work_off(line, requests[10:])

    assert pytest.approx([1.0, 59.0]) == line.clock.slept


def report(remaining, reset=60.0):
    return Report(name="x", remaining=remaining, limit=100, reset=reset)


def test_an_unknown_limit_sends_one_and_holds_the_rest_until_its_answer():
    line = Line(learns=True)
    requests = [line.come(number) for number in range(64)]

    assert [0] == line.passed
    requests[0].answer(report(50))
    for request in requests[1:]:
        request.step()
    assert list(range(51)) == line.passed


def test_an_answer_that_teaches_nothing_lets_everybody_run():
    line = Line(learns=True)
    requests = [line.come(number) for number in range(64)]
    requests[0].answer()
    for request in requests[1:]:
        assert request.is_woken
        request.step()

    assert list(range(64)) == line.passed
    assert line.gate.is_trivial


def test_a_lost_answer_lets_the_next_one_ask():
    line = Line(learns=True)
    first, second, third = (line.come(number) for number in range(3))
    first.answer(has_answer=False)
    second.step()

    assert [0, 1] == line.passed
    assert isinstance(third.effect, Join)


def test_answers_that_do_not_speak_of_a_limit_are_not_counted_by_it():
    line = Line(learns=True)
    line.come("a").answer(report(1))
    for name in "bcd":
        line.come(name).answer()

    assert list("abcd") == line.passed


def test_a_limit_that_nobody_speaks_of_any_more_is_forgotten():
    line = Line(learns=True)
    line.come("a").answer(report(0))
    line.clock.advance(60)
    probe, other = line.come("b"), line.come("c")
    probe.answer()
    other.step()

    assert list("abc") == line.passed
    assert {} == line.gate.tally.learnt


def test_a_lost_probe_lets_the_next_one_ask():
    line = Line(learns=True)
    line.come("a").answer(report(0))
    line.clock.advance(60)
    probe, other = line.come("b"), line.come("c")
    probe.answer(has_answer=False)
    other.step()

    assert list("abc") == line.passed


def test_a_forked_child_waits_for_no_answer_of_its_parent():
    line = Line(learns=True)
    line.come("a").answer(report(0))
    line.clock.advance(60)
    probe = line.come("b")
    line.gate.forget()
    line.come("c")

    assert probe.effect is None
    assert list("abc") == line.passed


def test_a_hold_ends_by_itself():
    line = Line(learns=True)
    line.come("a").answer(is_refused=True)
    line.gate.hold(7.0)
    second = line.come("b")

    assert Sleep(7.0) == second.effect
    line.clock.advance(7)
    second.step()
    assert ["a", "b"] == line.passed


def test_a_long_hold_is_asked_again_once_a_minute():
    line = Line(learns=True)
    line.come("a").answer(is_refused=True)
    line.gate.hold(3600.0)
    with pytest.raises(TooLate):
        line.come("b")
    line.clock.advance(60)
    again = line.come("c")
    with pytest.raises(TooLate):
        line.come("d")
    again.answer()
    line.come("e")

    assert ["a", "c", "e"] == line.passed


def test_an_answer_from_before_the_hold_does_not_end_it():
    line = Line(learns=True)
    line.come("a").answer()
    early, refused = line.come("b"), line.come("c")
    line.clock.advance(1)
    refused.answer(is_refused=True)
    line.gate.hold(30.0)
    early.answer()

    assert Sleep(30.0) == line.come("d").effect


def test_a_forked_child_starts_with_an_empty_line_and_what_was_known():
    line = Line(RateLimit(limit=2, per=10))
    line.come("a")
    line.come("b")
    waiting = line.come("c")
    line.gate.forget()

    assert isinstance(waiting.effect, Join)
    assert Sleep(10.0) == line.come("d").effect


def test_nobody_is_overtaken_while_some_give_up():
    line = Line(RateLimit(limit=5, per=1))
    requests = [line.come(number) for number in range(200)]
    for request in requests[:5]:
        request.answer()
    for request in requests[50:100]:
        request.flow.close()
    work_off(line, requests[5:50] + requests[100:])

    assert sorted(line.passed) == line.passed


def test_a_wake_up_is_a_future_that_threads_and_loops_can_wait_for():
    line = Line(RateLimit(concurrency=1))
    first, second = line.come("a"), line.come("b")
    ticket = second.effect.start()

    assert isinstance(ticket, Future)
    assert not ticket.done()
    line.gate.leave(first.entry)
    assert ticket.done()


def test_infinity_is_no_deadline():
    line = Line(RateLimit(limit=1, per=10))
    line.come("a").answer()

    assert Sleep(10.0) == line.come("b", longest=math.inf, left=math.inf).effect
