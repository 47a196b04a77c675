"""All the limits of one connection: which gates a request passes, and what its answer teaches them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias
from weakref import WeakSet

from nango_py import forks
from nango_py.errors import RateLimitedError, StoreError
from nango_py.exchange.entry import Entry, TooLate
from nango_py.exchange.gate import Gate
from nango_py.exchange.limit_views import views
from nango_py.exchange.slots import hold_until_closed
from nango_py.http import Response
from nango_py.policy.limit_headers import mention_limits, read_limits
from nango_py.policy.rate_limit_rule import matches
from nango_py.policy.retry import is_failure, is_rate_limited, stated_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.keeper import Keeper
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.stored_gate import AnyGate, Revise
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
Way: TypeAlias = "tuple[tuple[str, ...], AnyGate]"
"""The paths whose requests a gate counts, none for all of them, and the gate."""


@dataclass(slots=True)
class Passage:
    """One attempt's way through the gates."""

    entries: list[tuple[AnyGate, Entry]] = field(default_factory=list)

    def undo(self) -> None:
        """Take everything back: nothing was sent."""
        for gate, entry in self.entries:
            gate.undo(entry)
        self.entries.clear()


class SharedGates:
    """The limits of one integration, and the gates that all its connections share."""

    def __init__(self, integration: Integration, clock: Clock, revise: Revise | None = None) -> None:
        self.clock = clock
        self._stored = None if revise is None else _stored_gates(revise)
        self.integration = integration
        self.headers: LimitHeaders | None = None
        self.learning: Scope = "connection"
        self.learns = all(rule.learn for rule in integration.rate_limit)
        for rule in integration.rate_limit:
            if rule.headers is not None:
                self.headers, self.learning = rule.headers, rule.scope
        self.gates = self.make("integration")
        self.actions = _ActionGates(self, "integration")
        self.limits: WeakSet[Limits] = WeakSet()
        forks.watch(self)

    def forget(self) -> None:
        """Start anew in a forked child: the parent's requests and locks stay with the parent."""
        if self._stored is not None:
            self._stored[0].forget()
        for _, gate in self.all_gates():
            gate.forget()
        for limits in self.limits:
            limits.forget()

    def close(self) -> None:
        """Tell the store what it does not know yet."""
        if self._stored is not None:
            self._stored[0].close()

    def all_gates(self) -> tuple[Way, ...]:
        """Return the gates that all connections share, those of actions included."""
        return (*self.gates, *self.actions.ways())

    def make(self, scope: Scope, user_id: str | None = None) -> tuple[Way, ...]:
        """Return new gates for the limits of one scope, each with the paths that it counts."""
        groups = _groups(self.integration.rate_limit, scope)
        if self.learning == scope:
            groups.setdefault((), [])
        # Limits of some paths come first: whoever waits for them stands in nobody else's way.
        return tuple(
            (paths, self._gate(groups[paths], (scope, user_id, None, *paths), learns=self._learns(scope, paths)))
            for paths in sorted(groups, key=lambda paths: not paths)
        )

    def make_for(self, overrides: Overrides, scope: Scope, user_id: str | None) -> tuple[Way, ...]:
        """Return new gates for the limits that one action has of its own."""
        return tuple(
            (paths, self._gate(rules, (scope, user_id, overrides.action, *paths), learns=False))
            for paths, rules in _groups(overrides.rate_limit, scope).items()
        )

    def _gate(self, rules: Sequence[RateLimit], key: tuple[str | None, ...], *, learns: bool) -> AnyGate:
        if self._stored is None:
            return Gate(rules, self.clock, learns=learns)
        _, make = self._stored
        return make(json.dumps((self.integration.name, *key)), rules, self.clock, learns=learns)

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

    def __init__(self, shared: SharedGates, scope: Scope, user_id: str | None = None) -> None:
        self._shared = shared
        self._scope = scope
        self._user_id = user_id
        self._known: dict[str, tuple[Way, ...]] = {}

    def of(self, overrides: Overrides) -> tuple[Way, ...]:
        """Return the gates of an action."""
        known = self._known.get(overrides.action)
        if known is None:
            made = self._shared.make_for(overrides, self._scope, self._user_id)
            known = self._known.setdefault(overrides.action, made)  # of two threads that make them, one wins
        return known

    def ways(self) -> tuple[Way, ...]:
        """Return the gates of all actions."""
        return tuple(way for ways in list(self._known.values()) for way in ways)


class Limits:
    """Let the requests of one connection pass when its limits allow it."""

    def __init__(self, shared: SharedGates, user_id: str) -> None:
        self._shared = shared
        self._own = shared.make("connection", user_id)
        self._own_actions = _ActionGates(shared, "connection", user_id)
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
            StoreError: The limits are shared, and the store cannot be reached; nothing was sent.
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
        except StoreError as error:
            passage.undo()
            raise _uncounted(self._shared.integration.name, error) from error
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
            hold_until_closed(result, [held for held in passage.entries if held[0].has_slots])

    def abandon(self, passage: Passage | None, *, was_sent: bool) -> None:
        """Hear that nobody waits for a request's answer any more."""
        if passage is None:
            return
        if was_sent:
            self._settle(passage, (), has_answer=False)
            for gate, entry in passage.entries:
                if gate.has_slots:
                    gate.leave(entry)
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

    def views(self) -> Flow[tuple[Limit, ...]]:
        """Return what is left of each limit."""
        own_ways, shared_ways = (*self._own, *self._own_actions.ways()), self._shared.all_gates()
        for _, gate in (*own_ways, *shared_ways):
            yield from gate.refresh()
        own = [limit for _, gate in own_ways for limit in views(gate, "connection")]
        shared = [limit for _, gate in shared_ways for limit in views(gate, "integration")]
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

    def _gates_of(self, method: str, path: str, overrides: Overrides | None) -> Iterator[AnyGate]:
        ways = self._all()
        if overrides is not None and overrides.rate_limit:
            ways = (*self._own_actions.of(overrides), *self._shared.actions.of(overrides), *ways)
        for paths, gate in ways:
            if not paths or any(matches(pattern, method, path) for pattern in paths):
                yield gate

    def _all(self) -> tuple[Way, ...]:
        return (*self._own, *self._shared.gates)

    def _general(self) -> AnyGate:
        """Return the gate that learns."""
        ways = self._own if self._shared.learning == "connection" else self._shared.gates
        return ways[-1][1]


def _stored_gates(revise: Revise) -> tuple[Keeper, Callable[..., AnyGate]]:
    """Return a keeper, and what makes gates that it keeps."""
    from nango_py.exchange.keeper import Keeper  # noqa: PLC0415 - most processes count for themselves
    from nango_py.exchange.stored_gate import StoredGate  # noqa: PLC0415

    keeper = Keeper()
    return keeper, partial(StoredGate, revise=revise, keeper=keeper)


def _uncounted(integration: str, error: StoreError) -> StoreError:
    return StoreError(
        f"integration {integration!r}: nothing was sent, for its rate limits are counted in the store "
        f"(rate_limit_shared), and that failed: {error}"
    )


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
