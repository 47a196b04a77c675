"""Decide whether an origin that keeps failing is asked at all (a circuit breaker)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from nango_py.policy.reactions import reaction_to

if TYPE_CHECKING:
    from nango_py.policy.outcome import ErrorKind, Outcome
    from nango_py.policy.retry_policy import RetryPolicy

__all__ = ["CLOSED", "Admission", "Circuit", "CircuitBreaker", "Verdict", "admit", "settle", "verdict_of"]

Verdict = Literal["good", "bad", "none"]
_BAD: Final[frozenset[ErrorKind]] = frozenset({"connect", "timeout", "network", "protocol"})
_GOOD_BELOW: Final = 500
_EXPECTED: Final = ("ignore", "rate_limited")


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """When an origin is left alone: after so many ``failures`` in a row, all ``within`` so many seconds.

    It is left alone for ``open_seconds``; then up to ``probes`` attempts go through, and when as many of them have
    gone well, everything does. A ValueError says what cannot work.
    """

    failures: int = 5
    within: float = 30.0
    open_seconds: float = 30.0
    probes: int = 1

    def __post_init__(self) -> None:
        for name in ("failures", "probes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but it has to be 1 or more")
        for name in ("within", "open_seconds"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} is {getattr(self, name)}, but it has to be a number of seconds above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of an origin: closed with the times of its last failures, or open until a moment.

    ``turn`` counts the openings, so that an attempt which began before one has no say after it. ``out`` counts the
    probes that are on their way, ``passed`` those that went well.
    """

    failed_at: tuple[float, ...] = ()
    open_until: float | None = None
    turn: int = 0
    out: int = 0
    passed: int = 0

    @property
    def is_closed(self) -> bool:
        """Tell whether attempts go through freely."""
        return self.open_until is None


CLOSED: Final = Circuit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether an attempt may be made, as a probe or freely; where not, ``seconds`` until it is worth asking again.

    A refused one with 0 seconds waits for the probes that are on their way.
    """

    is_granted: bool
    is_probe: bool = False
    turn: int = 0
    seconds: float = 0.0


def admit(breaker: CircuitBreaker, circuit: Circuit, now: float) -> tuple[Circuit, Admission]:
    """Return the circuit after an attempt has asked to be made, and what it was told; *now* is any clock's time."""
    if circuit.open_until is None:
        return circuit, Admission(is_granted=True, turn=circuit.turn)
    if now < circuit.open_until:
        return circuit, Admission(is_granted=False, turn=circuit.turn, seconds=circuit.open_until - now)
    if circuit.out + circuit.passed >= breaker.probes:
        return circuit, Admission(is_granted=False, turn=circuit.turn)
    return replace(circuit, out=circuit.out + 1), Admission(is_granted=True, is_probe=True, turn=circuit.turn)


def settle(breaker: CircuitBreaker, circuit: Circuit, admission: Admission, verdict: Verdict, now: float) -> Circuit:
    """Return the circuit after a granted attempt; ``none`` says nothing of the origin, as a cancelled one."""
    if admission.turn != circuit.turn:
        return circuit
    if admission.is_probe:
        return _after_probe(breaker, circuit, verdict, now)
    return _after_attempt(breaker, circuit, verdict, now)


def verdict_of(policy: RetryPolicy, outcome: Outcome) -> Verdict:
    """Return what an attempt says of its origin: a refusal, such as a 429, comes from one that works."""
    if outcome.status is None:
        return "bad" if outcome.error in _BAD else "none"
    if outcome.status < _GOOD_BELOW:
        return "good"
    reaction = reaction_to(policy.reactions, outcome)
    return "good" if reaction is not None and reaction.reaction in _EXPECTED else "bad"


def _after_probe(breaker: CircuitBreaker, circuit: Circuit, verdict: Verdict, now: float) -> Circuit:
    if verdict == "bad":
        return _opened(breaker, circuit, now)
    circuit = replace(circuit, out=circuit.out - 1, passed=circuit.passed + (verdict == "good"))
    return Circuit(turn=circuit.turn + 1) if circuit.passed >= breaker.probes else circuit


def _after_attempt(breaker: CircuitBreaker, circuit: Circuit, verdict: Verdict, now: float) -> Circuit:
    if verdict == "good" and circuit.failed_at:
        return replace(circuit, failed_at=())
    if verdict != "bad":
        return circuit
    recent = (*(at for at in circuit.failed_at if at > now - breaker.within), now)
    failed = replace(circuit, failed_at=recent)
    return _opened(breaker, failed, now) if len(recent) >= breaker.failures else failed


def _opened(breaker: CircuitBreaker, circuit: Circuit, now: float) -> Circuit:
    return Circuit(open_until=now + breaker.open_seconds, turn=circuit.turn + 1)
