"""The circuits of an engine's origins: one state for all clients, threads and tasks that ask an origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from nango_py import forks
from nango_py.errors import UnreachableError
from nango_py.exchange.attempts import described
from nango_py.policy.breaker import CLOSED, Circuit, CircuitBreaker, admit, settle

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from nango_py.clock import Clock
    from nango_py.exchange.attempts import Attempt
    from nango_py.exchange.session import Session
    from nango_py.http import URL, Request
    from nango_py.policy.breaker import Admission, Verdict

__all__ = ["Breakers", "Change", "Fuse", "OriginCircuit"]

Change = Literal["opened", "closed"]
MOST: Final = 10_000
"""Origins that are remembered; those whose state is oldest are forgotten first."""


class Breakers:
    """Keep the circuits of one engine; only origins that have failed take up room."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.circuits: dict[Hashable, Circuit] = {}
        self.lock = forks.Lock()

    def of(self, breaker: CircuitBreaker, url: URL) -> OriginCircuit:
        """Return the circuit of a URL's origin; integrations that declare the same breaker share it."""
        return OriginCircuit(breakers=self, breaker=breaker, key=(breaker, url.scheme, url.host, url.port))


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginCircuit:
    """One origin's circuit."""

    breakers: Breakers = field(repr=False)
    breaker: CircuitBreaker
    key: Hashable = field(repr=False)

    def admit(self) -> Admission:
        """Ask for an attempt; one that is granted has to be settled."""
        with self.breakers.lock:
            circuit, admission = admit(self.breaker, self._circuit, self.breakers.clock.monotonic())
            self._keep(circuit)
        return admission

    def settle(self, admission: Admission, verdict: Verdict) -> Change | None:
        """Say how a granted attempt went, and return what that changed."""
        with self.breakers.lock:
            before = self._circuit
            after = settle(self.breaker, before, admission, verdict, self.breakers.clock.monotonic())
            self._keep(after)
        if after.is_closed:
            return None if before.is_closed else "closed"
        return None if before.open_until == after.open_until else "opened"

    def seconds_left(self) -> float:
        """Return how long the origin is left alone still."""
        with self.breakers.lock:
            until = self._circuit.open_until
        return 0.0 if until is None else max(0.0, until - self.breakers.clock.monotonic())

    def refusal(self, admission: Admission) -> str:
        """Return why an attempt was not granted, for people."""
        failed = f"the circuit is open after {self.breaker.failures} failures in a row"
        if admission.seconds <= 0:
            return f"{failed}, and waits for the answer to a probe"
        until = datetime.fromtimestamp(self.breakers.clock.now() + admission.seconds, UTC)
        return f"{failed}, until {until:%H:%M:%S} UTC ({admission.seconds:.3g} s from now)"

    @property
    def _circuit(self) -> Circuit:
        return self.breakers.circuits.get(self.key, CLOSED)

    def _keep(self, circuit: Circuit) -> None:
        circuits = self.breakers.circuits
        if circuit == CLOSED:
            circuits.pop(self.key, None)
            return
        circuits[self.key] = circuit
        if len(circuits) > MOST:
            del circuits[next(iter(circuits))]


class Fuse:
    """What one exchange has to do with the circuits of the origins that it asks; nothing where none is declared."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._circuit: OriginCircuit | None = None
        self._admission: Admission | None = None

    def admit(self, url: URL, request: Request, attempts: Sequence[Attempt]) -> None:
        """Ask the circuit of a URL's origin for an attempt; *request* is what people may see of it.

        Raises:
            UnreachableError: It is open.
        """
        integration = self._session.integration
        if integration.circuit_breaker is None:
            return
        circuit = self._session.breakers.of(integration.circuit_breaker, url)
        admission = circuit.admit()
        if not admission.is_granted:
            raise UnreachableError(
                f"integration {integration.name!r}: {described(request)} was not sent: {circuit.refusal(admission)}.",
                integration=integration.name,
                attempts=attempts,
            )
        self._circuit, self._admission = circuit, admission

    def settle(self, verdict: Verdict) -> None:
        """Tell the circuit what came of the attempt."""
        if self._circuit is None or self._admission is None:
            return
        change = self._circuit.settle(self._admission, verdict)
        self._admission = None
        if change is not None:
            self._session.log("warning" if change == "opened" else "info", f"circuit.{change}")

    def outlasts(self, seconds: float) -> bool:
        """Tell whether the circuit stays open for longer than that."""
        return self._circuit is not None and self._circuit.seconds_left() > seconds
