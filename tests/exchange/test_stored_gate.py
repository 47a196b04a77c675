"""Limits that processes count together. Two gates over one text stand for two processes; time travels."""

from __future__ import annotations

import pytest

from nango_py.effects import Call, Join, Sleep
from nango_py.errors import StoreError
from nango_py.exchange.entry import Entry, TooLate
from nango_py.exchange.stored_gate import StoredGate
from nango_py.policy.limit_headers import Report
from nango_py.policy.rate_limit_rule import RateLimit
from nango_py.testing import ManualClock


class Place:
    """What a store keeps for its processes, by a clock that differs from theirs."""

    def __init__(self):
        self.clock = ManualClock()
        self.texts = {}
        self.is_down = False
        self.transactions = 0

    def revise(self, name, change):
        self.transactions += 1
        if self.is_down:
            raise StoreError("the database is away.")
        text, _ = change(self.texts.get(name), self.clock.monotonic() + 1_000_000)
        self.texts[name] = text

    def process(self, *rules, learns=False):
        return Process(self, rules, learns)


class Idle:
    """A keeper that leaves it to the test when something is told."""

    def watch(self, gate):
        pass


class Process:
    def __init__(self, place, rules, learns):
        self.place = place
        self.gate = StoredGate("a", rules, place.clock, revise=place.revise, keeper=Idle(), learns=learns)

    def come(self, path="", *, longest=60.0, left=120.0):
        return Request(self, path, longest, left)

    def die(self):
        """Be killed: nothing is told any more, and nothing renewed."""
        self.place.clock.advance(15.0)


class Request:
    def __init__(self, process, path, longest, left):
        self.process, self.entry = process, Entry("GET", path)
        clock = process.place.clock
        began = clock.monotonic()
        self.flow = process.gate.enter(
            self.entry, longest=longest, left=lambda: left + began - clock.monotonic(), first=False
        )
        self.effect = None
        self.step()

    @property
    def has_passed(self):
        return self.effect is None

    def step(self):
        """Go on until the request passes or has to wait; store work is done at once."""
        try:
            self.effect = self.flow.send(None)
            while isinstance(self.effect, Call):
                self.effect = self._work(self.effect.work)
        except StopIteration:
            self.effect = None

    def _work(self, work):
        try:
            result = work()
        except StoreError as error:
            return self.flow.throw(error)
        return self.flow.send(result)

    def time_out(self):
        """Let a wait end, whatever it waits for."""
        effect = self.effect
        if isinstance(effect, Sleep):
            self.process.place.clock.advance(effect.seconds)
            self.step()
            return
        assert isinstance(effect, Join)
        if effect.start().done():
            self.step()
            return
        self.process.place.clock.advance(effect.seconds)
        self.effect = self.flow.throw(TimeoutError())
        while isinstance(self.effect, Call):
            try:
                self.effect = self._work(self.effect.work)
            except StopIteration:
                self.effect = None

    def answer(self, *reports, is_refused=False, has_answer=True):
        self.process.gate.answer(self.entry, reports, is_refused=is_refused, has_answer=has_answer)

    def leave(self):
        self.process.gate.leave(self.entry)


def passed(requests):
    return [request.has_passed for request in requests]


def test_processes_count_one_window_together():
    place, rule = Place(), RateLimit(limit=3, per=10.0)
    one, two = place.process(rule), place.process(rule)

    requests = [one.come(), two.come(), one.come(), two.come()]

    assert [True, True, True, False] == passed(requests)


def test_a_window_opens_for_whoever_waits_once_the_answers_are_told():
    place, rule = Place(), RateLimit(limit=1, per=10.0)
    one, two = place.process(rule), place.process(rule)
    one.come().answer()
    one.gate.sync()
    waiting = two.come()

    assert Sleep(1.0) == waiting.effect
    for _ in range(10):
        waiting.time_out()
    assert waiting.has_passed


def test_a_slot_that_one_process_frees_is_taken_by_another():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    first, second = one.come(), two.come()
    first.answer()
    one.gate.sync()
    second.time_out()
    assert not second.has_passed

    first.leave()
    one.gate.sync()
    second.time_out()

    assert second.has_passed


def test_what_a_killed_process_held_is_given_back():
    place, rules = Place(), (RateLimit(concurrency=1), RateLimit(limit=5, per=20.0))
    one, two = place.process(*rules), place.process(*rules)
    one.come()
    second = two.come()
    assert not second.has_passed

    one.die()
    second.time_out()

    assert second.has_passed
    assert [1, 4] == [two.gate.tally.states[0].in_flight, 5 - sum(n for _, n in two.gate.tally.states[0].answered)]


def test_a_slot_that_is_renewed_lasts_as_long_as_its_answer():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    one.come()
    second = two.come()
    for _ in range(6):
        place.clock.advance(10.0)
        one.gate.sync(anyway=True)

    second.time_out()

    assert not second.has_passed


def test_a_process_that_slept_too_long_frees_nothing_that_is_not_its_own():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    first = one.come()
    one.die()
    assert two.come().has_passed

    first.answer()
    first.leave()
    one.gate.sync()

    assert not place.process(rule).come().has_passed


def test_what_headers_teach_one_process_holds_for_all():
    place = Place()
    one, two = place.process(learns=True), place.process(learns=True)
    one.come().answer(Report(name="x", remaining=1, limit=10, reset=3600.0))
    one.gate.sync()

    assert [True, False] == passed([two.come(), one.come(longest=10_000.0, left=10_000.0)])


def test_only_one_request_asks_a_provider_that_nobody_knows_yet():
    place = Place()
    one, two = place.process(learns=True), place.process(learns=True)
    first, second = one.come(), two.come()
    assert [True, False] == passed([first, second])

    first.answer()
    one.gate.sync()
    second.time_out()

    assert second.has_passed
    assert two.gate.is_trivial


def test_a_refusal_holds_the_others_up():
    place = Place()
    one, two = place.process(learns=True), place.process(learns=True)
    one.come().answer()
    one.gate.hold(30.0)
    assert not one.gate.is_trivial
    one.gate.sync()

    with pytest.raises(TooLate) as caught:
        two.come(longest=5.0)
    assert 30.0 == pytest.approx(caught.value.seconds)


def test_requests_that_come_together_cost_one_transaction():
    place = Place()
    one = place.process(RateLimit(limit=10, per=1.0), RateLimit(concurrency=1))
    first = one.come()
    waiting = [one.come() for _ in range(3)]
    first.answer()
    first.leave()
    before = place.transactions

    waiting[0].step()

    assert waiting[0].has_passed
    assert before + 1 == place.transactions


def test_nobody_overtakes_another_process_that_has_waited_clearly_longer():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    first, waiting = one.come(), two.come()
    place.clock.advance(0.6)
    greedy = one.come()
    first.answer()
    first.leave()

    greedy.time_out()
    assert not greedy.has_passed
    waiting.time_out()
    assert waiting.has_passed


def test_a_process_that_was_killed_in_line_holds_nobody_up():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    first, _dead = one.come(), two.come()
    place.clock.advance(2.0)
    patient = one.come()
    first.answer()
    first.leave()

    patient.time_out()

    assert patient.has_passed


def test_a_request_that_was_not_sent_gives_back_what_it_took():
    place, rule = Place(), RateLimit(limit=1, per=60.0)
    one, two = place.process(rule), place.process(rule)
    first = one.come()
    one.gate.undo(first.entry)
    one.gate.sync()

    assert two.come().has_passed


def test_a_waiter_that_gives_up_lets_the_next_one_ask():
    place, rule = Place(), RateLimit(concurrency=1)
    one = place.process(rule)
    first, second, third = one.come(), one.come(), one.come()
    second.flow.close()
    first.answer()
    first.leave()

    third.time_out()

    assert third.has_passed


def test_a_database_that_is_away_fails_everybody_in_line():
    place, rule = Place(), RateLimit(limit=1, per=1.0)
    one = place.process(rule)
    one.come()
    second, third = one.come(), one.come()
    place.is_down = True

    for request in (second, third):
        with pytest.raises(StoreError, match=r"the database is away\."):
            request.time_out()
    assert [] == one.gate.queue


def test_what_was_on_its_way_in_an_outage_is_given_back_after_it():
    place, rule = Place(), RateLimit(concurrency=1)
    one, two = place.process(rule), place.process(rule)
    first = one.come()
    place.is_down = True
    first.answer()
    first.leave()
    with pytest.raises(StoreError):
        one.gate.sync()
    place.is_down = False
    assert one.gate.is_idle

    place.clock.advance(15.0)

    assert two.come().has_passed


def test_a_forked_child_frees_nothing_of_its_parents():
    place, rule = Place(), RateLimit(concurrency=1)
    one = place.process(rule)
    first = one.come()
    one.gate.forget()

    first.answer()
    first.leave()
    one.gate.sync()

    assert not place.process(rule).come().has_passed


def test_processes_with_other_rules_keep_each_others_counts():
    place = Place()
    old, new = place.process(RateLimit(limit=1, per=60.0)), place.process(RateLimit(limit=2, per=60.0))
    old.come().answer()
    old.gate.sync()
    new.come()

    assert not old.come().has_passed


def test_a_text_of_another_version_counts_as_none():
    place, rule = Place(), RateLimit(limit=1, per=60.0)
    place.texts["a"] = '{"format": 99}'

    assert place.process(rule).come().has_passed
