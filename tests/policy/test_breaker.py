from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.policy.breaker import CLOSED, Circuit, CircuitBreaker, admit, settle, verdict_of
from nango_py.policy.outcome import Outcome
from nango_py.policy.reactions import Reaction
from nango_py.policy.retry import RetryPolicy

BREAKER = CircuitBreaker(failures=3, within=10, open_seconds=20, probes=2)


@dataclass
class World:
    """A circuit and the time; each step is one attempt."""

    breaker: CircuitBreaker = BREAKER
    circuit: Circuit = CLOSED
    now: float = 100.0

    def ask(self):
        self.circuit, admission = admit(self.breaker, self.circuit, self.now)
        return admission

    def end(self, admission, verdict):
        self.circuit = settle(self.breaker, self.circuit, admission, verdict, self.now)

    def attempt(self, verdict, after=0.0):
        self.now += after
        admission = self.ask()
        if admission.is_granted:
            self.end(admission, verdict)
        return admission.is_granted


def opened():
    world = World()
    for _ in range(3):
        world.attempt("bad")
    return world


def test_failures_in_a_row_open_the_circuit():
    world = opened()

    assert not world.circuit.is_closed
    assert not world.attempt("good")
    assert 20.0 == world.ask().seconds


def test_a_success_between_them_begins_the_count_anew():
    world = World()
    for verdict in ("bad", "bad", "good", "bad", "bad"):
        assert world.attempt(verdict)
    assert world.circuit.is_closed


def test_failures_that_are_too_far_apart_leave_it_closed():
    world = World()
    for _ in range(10):
        assert world.attempt("bad", after=6.0)
    assert world.circuit.is_closed


def test_what_says_nothing_of_the_origin_changes_nothing():
    world = World()
    for verdict in ("bad", "none", "bad", "none"):
        world.attempt(verdict)
    assert 2 == len(world.circuit.failed_at)


def test_as_many_probes_go_through_as_are_declared_and_close_it():
    world = opened()
    world.now += 20.0
    probes = [world.ask(), world.ask()]

    assert [True, True] == [probe.is_granted for probe in probes]
    assert not world.ask().is_granted
    world.end(probes[0], "good")
    assert not world.ask().is_granted
    world.end(probes[1], "good")
    assert world.circuit.is_closed
    assert () == world.circuit.failed_at


def test_one_probe_that_fails_opens_it_again():
    world = opened()
    world.now += 20.0
    probes = [world.ask(), world.ask()]
    world.end(probes[0], "bad")
    world.end(probes[1], "good")

    assert world.now + 20.0 == world.circuit.open_until
    assert not world.attempt("good", after=19.0)
    assert world.attempt("good", after=1.0)


def test_a_cancelled_probe_makes_room_for_another():
    world = opened()
    world.now += 20.0
    first, _ = world.ask(), world.ask()
    world.end(first, "none")

    assert world.ask().is_granted


def test_an_attempt_from_before_the_opening_has_no_say_after_it():
    world = World()
    late = world.ask()
    for _ in range(3):
        world.attempt("bad")
    until = world.circuit.open_until
    world.now += 1.0
    world.end(late, "good")

    assert until == world.circuit.open_until
    world.now += 20.0
    for _ in range(2):
        world.attempt("good")
    world.end(late, "bad")
    assert () == world.circuit.failed_at


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"status": 200}, "good"),
        ({"status": 404}, "good"),
        ({"status": 429}, "good"),
        ({"status": 500}, "bad"),
        ({"status": 503}, "bad"),
        ({"status": 529}, "good"),
        ({"error": "connect"}, "bad"),
        ({"error": "timeout"}, "bad"),
        ({"error": "network"}, "bad"),
        ({"error": "protocol"}, "bad"),
        ({"error": "pool"}, "none"),
        ({"error": "private"}, "none"),
        ({"error": "too_large"}, "none"),
        ({"error": "unknown"}, "none"),
    ],
)
def test_what_an_attempt_says_of_its_origin(seen, expected):
    policy = RetryPolicy(reactions=(Reaction(reaction="rate_limited", status=("529",)),))

    assert expected == verdict_of(policy, Outcome(method="GET", **seen))


@pytest.mark.parametrize(
    "keys", [{"failures": 0}, {"probes": 0}, {"within": 0}, {"open_seconds": -1}, {"within": float("inf")}]
)
def test_a_breaker_that_cannot_work_is_refused(keys):
    with pytest.raises(ValueError, match=next(iter(keys))):
        CircuitBreaker(**keys)


STEPS = st.tuples(st.sampled_from(["ask", "good", "bad", "none"]), st.floats(0, 30))


@given(st.lists(STEPS, max_size=60))
def test_a_circuit_never_lets_more_probes_out_than_declared_and_always_heals(steps):
    world, out = World(), []
    for step, seconds in steps:
        world.now += seconds
        if step == "ask":
            admission = world.ask()
            out += [admission] if admission.is_granted else []
        elif out:
            world.end(out.pop(0), step)
        assert 0 <= world.circuit.out <= BREAKER.probes
        assert world.circuit.out == sum(one.is_probe and one.turn == world.circuit.turn for one in out)
    for admission in out:
        world.end(admission, "none")
    world.now += 20.0
    for _ in range(2):
        world.attempt("good")
    assert world.circuit.is_closed
