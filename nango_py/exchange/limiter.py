"""All the limits of one connection: which gates a request passes, and what its answer teaches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from weakref import WeakSet

from nango_py.errors import RateLimitedError
from nango_py.exchange.entry import Entry, TooLate
from nango_py.exchange.gate import Gate
from nango_py.exchange.limit_views import views
from nango_py.exchange.pool import forks
from nango_py.exchange.slots import hold_until_closed
from nango_py.http import Response
from nango_py.policy.limit_headers import mention_limits, read_limits
from nango_py.policy.rate_limit_rule import matches
from nango_py.policy.retry import is_failure, is_rate_limited, stated_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.limit_views import Limit
    from nango_py.http import Request, TransportError
    from nango_py.model import Integration, Overrides
    from nango_py.policy.limit_headers import LimitHeaders, Report
    from nango_py.policy.outcome import Outcome
    from nango_py.policy.rate_limit_rule import RateLimit
    from nango_py.policy.retry_policy import RetryPolicy

__all__ = ["Limits", "Passage", "SharedGates"]

SILENT = 8
"""Answers in a row that say nothing of limits, after which only failures are looked at."""
Scope = Literal["integration", "connection"]
Way = tuple[tuple[str, ...], Gate]
"""The paths whose requests a gate counts, none for all of them, and the gate."""


@dataclass(slots=True)
class Passage:
    """One attempt's way through the gates."""

    entries: list[tuple[Gate, Entry]] = field(default_factory=list)

    def undo(self) -> None:
        """Take everything back: nothing was sent."""
        for gate, entry in self.entries:
            gate.undo(entry)
        self.entries.clear()


class SharedGates:
    """The limits of one integration, and the gates that all its connections share."""

    def __init__(self, integration: Integration, clock: Clock) -> None:
        self.clock = clock
        self.integration = integration
        self.headers: LimitHeaders | None = None
        self.learning: Scope = "connection"
        self.learns = all(rule.learn for rule in integration.rate_limit)
        for rule in integration.rate_limit:
            if rule.headers is not None:
                self.headers, self.learning = rule.headers, rule.scope
        self.gates = self.make("integration")
        self.actions = _ActionGates("integration", clock)
        self.limits: WeakSet[Limits] = WeakSet()
        forks.watch(self)

    def forget(self) -> None:
        """Start anew in a forked child: the parent's requests and locks stay with the parent."""
        for _, gate in self.all_gates():
            gate.forget()
        for limits in self.limits:
            limits.forget()

    def all_gates(self) -> tuple[Way, ...]:
        """Return the gates that all connections share, those of actions included."""
        return (*self.gates, *self.actions.ways())

    def make(self, scope: Scope) -> tuple[Way, ...]:
        """Return new gates for the limits of one scope, each with the paths that it counts."""
        groups = _groups(self.integration.rate_limit, scope)
        if self.learning == scope:
            groups.setdefault((), [])
        # Limits of some paths come first: whoever waits for them stands in nobody else's way.
        return tuple(
            (paths, Gate(groups[paths], self.clock, learns=self._learns(scope, paths)))
            for paths in sorted(groups, key=lambda paths: not paths)
        )

    def _learns(self, scope: Scope, paths: tuple[str, ...]) -> bool:
        return self.learning == scope and not paths and self.learns


def _groups(rules: Iterable[RateLimit], scope: Scope) -> dict[tuple[str, ...], list[RateLimit]]:
    """Return the limits of one scope, by the paths that they count."""
    groups: dict[tuple[str, ...], list[RateLimit]] = {}
    for rule in rules:
        if rule.scope == scope and (rule.bucket or rule.concurrency):
            groups.setdefault(rule.paths, []).append(rule)
    return groups


class _ActionGates:
    """The gates for the limits of single actions, made when an action is first run."""

    def __init__(self, scope: Scope, clock: Clock) -> None:
        self._scope = scope
        self._clock = clock
        self._known: dict[str, tuple[Way, ...]] = {}

    def of(self, overrides: Overrides) -> tuple[Way, ...]:
        """Return the gates of an action."""
        known = self._known.get(overrides.action)
        if known is None:
            groups = _groups(overrides.rate_limit, self._scope)
            made = tuple((paths, Gate(rules, self._clock, learns=False)) for paths, rules in groups.items())
            known = self._known.setdefault(overrides.action, made)  # of two threads that make them, one wins
        return known

    def ways(self) -> tuple[Way, ...]:
        """Return the gates of all actions."""
        return tuple(way for ways in list(self._known.values()) for way in ways)


class Limits:
    """Let the requests of one connection pass when its limits allow it."""

    def __init__(self, shared: SharedGates) -> None:
        self._shared = shared
        self._own = shared.make("connection")
        self._own_actions = _ActionGates("connection", shared.clock)
        self._silent = 0
        shared.limits.add(self)
        self.is_free = False
        """Whether no limit is known, so that requests need not ask."""

    def enter(
        self,
        request: Request,
        base_path: str,
        *,
        longest: float,
        left: Callable[[], float],
        again: bool,
        may_explore: bool,
        overrides: Overrides | None = None,
    ) -> Flow[Passage]:
        """Wait until a request may be sent; *again* lets it pass before those that have not been sent yet.

        *may_explore* tells that it can be sent once more, should it be refused; an action's own limits are among the
        *overrides*.

        Raises:
            RateLimitedError: Its turn would come later than in *longest* or *left* seconds; nothing was sent.
        """
        passage = Passage()
        method, path = request.method, request.url.path.removeprefix(base_path).lstrip("/")
        try:
            for gate in self._gates_of(method, path, overrides):
                entry = Entry(method, path, may_explore)
                yield from gate.enter(entry, longest=longest, left=left, first=again)
                passage.entries.append((gate, entry))
        except TooLate as late:
            passage.undo()
            raise _too_late(self._shared.integration.name, late.seconds) from None
        except BaseException:
            passage.undo()
            raise
        return passage

    def answer(
        self, passage: Passage | None, result: Response | TransportError, outcome: Outcome, policy: RetryPolicy
    ) -> None:
        """Hear what came of a request, which its *policy* judges; without a *passage*, of one that had not to ask."""
        if not isinstance(result, Response):
            self.abandon(passage, was_sent=True)
            return
        if passage is None and self._silent >= SILENT and result.is_success and outcome.body is None:
            return
        names = self._shared.headers
        is_telling = self._shared.learns and (names is not None or mention_limits(result.headers.raw))
        is_failed = is_failure(policy, outcome)
        if passage is None and not (is_telling or is_failed):
            self._silent += 1
            return
        self._silent = 0
        now = self._shared.clock.now()
        reports = read_limits(result.headers, now=now, names=names) if is_telling else ()
        refused, seconds = _refusal(policy, outcome, now) if is_failed else (False, None)
        # A limit of one kind of requests that is used up says so itself.
        if seconds and not any(said.is_partial and not said.remaining for said in reports):
            self.hold(passage, seconds)
        if passage is None and not reports:
            return
        self._settle(passage, reports, is_refused=refused)
        if passage is not None:
            hold_until_closed(result, [gate for gate, _ in passage.entries if gate.concurrency is not None])

    def abandon(self, passage: Passage | None, *, was_sent: bool) -> None:
        """Hear that nobody waits for a request's answer any more."""
        if passage is None:
            return
        if was_sent:
            self._settle(passage, (), has_answer=False)
            for gate, _ in passage.entries:
                gate.leave()
        else:
            passage.undo()

    def hold(self, passage: Passage | None, seconds: float) -> None:
        """Let none of those pass that count with a refused request, for so long."""
        gates = [gate for gate, _ in passage.entries] if passage else [self._general()]
        # A limit of some paths explains the refusal better than one of everything.
        wide = [gate for paths, gate in self._all() if not paths]
        narrow = [gate for gate in gates if gate not in wide]
        for gate in narrow or [self._general()]:
            gate.hold(seconds)
        self.is_free = False

    def views(self) -> tuple[Limit, ...]:
        """Return what is left of each limit."""
        now = self._shared.clock.monotonic()
        own = [
            limit for _, gate in (*self._own, *self._own_actions.ways()) for limit in views(gate, "connection", now)
        ]
        shared = [limit for _, gate in self._shared.all_gates() for limit in views(gate, "integration", now)]
        return (*own, *shared)

    def forget(self) -> None:
        """Start anew in a forked child."""
        for _, gate in (*self._own, *self._own_actions.ways()):
            gate.forget()

    def _settle(
        self, passage: Passage | None, reports: Sequence[Report], *, is_refused: bool = False, has_answer: bool = True
    ) -> None:
        general = self._general()
        if passage is None:
            if reports:
                general.hear(reports)
        else:
            for gate, entry in passage.entries:
                said = reports if gate is general else ()
                gate.answer(entry, said, is_refused=is_refused, has_answer=has_answer)
        self.is_free = all(gate.is_trivial for _, gate in self._all())

    def _gates_of(self, method: str, path: str, overrides: Overrides | None) -> Iterator[Gate]:
        ways = self._all()
        if overrides is not None and overrides.rate_limit:
            ways = (*self._own_actions.of(overrides), *self._shared.actions.of(overrides), *ways)
        for paths, gate in ways:
            if not paths or any(matches(pattern, method, path) for pattern in paths):
                yield gate

    def _all(self) -> tuple[Way, ...]:
        return (*self._own, *self._shared.gates)

    def _general(self) -> Gate:
        """Return the gate that learns."""
        ways = self._own if self._shared.learning == "connection" else self._shared.gates
        return ways[-1][1]


def _refusal(policy: RetryPolicy, outcome: Outcome, now: float) -> tuple[bool, float | None]:
    """Tell whether an answer says that a limit is used up, and the wait that it states."""
    if not is_rate_limited(policy, outcome):
        return False, None
    return True, stated_wait(policy, outcome, now=now).seconds


def _too_late(integration: str, seconds: float | None) -> RateLimitedError:
    when = "its turn does not come in the time that retry.deadline leaves" if seconds is None else (
        f"the next request may go in {seconds:.0f} s, which is more than retry.max_wait or retry.deadline allow"
    )  # fmt: skip
    return RateLimitedError(
        f"integration {integration!r}: the rate limit is used up and nothing was sent: {when}.",
        retry_after=seconds,
        integration=integration,
    )
