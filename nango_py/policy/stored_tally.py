"""A tally that several processes keep in one place: who holds what, who waits, and how it is written down.

Each process counts under a name of its own, its *owner*, which has to be renewed: what an owner holds that was not
renewed in time is given back, for its process was killed. Times are those of the clock at that place.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.policy import learnt_limit, rate_limit
from nango_py.policy.learnt_limit import Learnt, Sent
from nango_py.policy.rate_limit import State
from nango_py.policy.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nango_py.policy.limit_headers import Report
    from nango_py.policy.rate_limit_rule import RateLimit
    from nango_py.policy.tally import Claim

__all__ = ["HELD", "StoredTally"]

HELD: Final = 15.0
"""Seconds after which an owner that was not renewed holds nothing any more."""
SLACK: Final = 0.5
"""A request may overtake those of other processes that have waited no more than so many seconds longer."""
_FORMAT: Final = 1


@dataclass(slots=True)
class _Holder:
    """What one owner holds: requests on their way, slots, what those cost by limit, and probes of learnt limits."""

    ends: float
    requests: int = 0
    busy: int = 0
    costs: dict[str, int] = field(default_factory=dict)
    probes: list[str] = field(default_factory=list)


class StoredTally:
    """Read what is kept, change it, and write it down again; nobody else may change it meanwhile."""

    def __init__(self, rules: Sequence[RateLimit], *, learns: bool, kept: str | None, now: float) -> None:
        self.now = now
        self.tally = Tally(rules, learns=learns)
        self._keys = [
            f"{index}: {bucket.limit}/{bucket.per:g}/{bucket.burst}"
            for index, (_, bucket) in enumerate(self.tally.rules)
        ]
        self._foreign: dict[str, Any] = {}
        """What processes with other rules count: theirs to use, ours to keep."""
        self._holders: dict[str, _Holder] = {}
        self._line: dict[str, tuple[float, float]] = {}
        found = {} if kept is None else json.loads(kept)
        if found.get("format") == _FORMAT:
            self._load(found)
        self._expire()

    def knows(self, owner: str) -> bool:
        """Tell whether an owner holds anything."""
        return owner in self._holders

    def take(self, claim: Claim, owner: str) -> float:
        """Let a request pass and return 0, or return the seconds to wait; as :meth:`Tally.take`."""
        wait = self.tally.take(claim, self.now)
        if wait:
            return wait
        holder = self._holders.setdefault(owner, _Holder(self.now + HELD))
        holder.requests += 1
        holder.busy += 1
        for key, cost in self._costs(claim):
            holder.costs[key] = holder.costs.get(key, 0) + cost
        holder.probes += [name for name, sent in claim.learnt.items() if sent.is_probe]
        return 0.0

    def answer(
        self, claim: Claim, owner: str, reports: Sequence[Report], *, is_refused: bool, has_answer: bool
    ) -> None:
        """Hear what came of a request; of one that was given back already, only what its answer says."""
        if owner not in self._holders:
            self.tally.hear(reports, self.now)
            return
        self.tally.answer(claim, reports, self.now, is_refused=is_refused, has_answer=has_answer)
        self._settle(claim, owner)

    def undo(self, claim: Claim, owner: str) -> None:
        """Take back what a request that was never sent has taken."""
        if owner in self._holders:
            self.tally.undo(claim)
            self._settle(claim, owner)
            self._holders[owner].busy -= 1

    def leave(self, owner: str) -> None:
        """Free a slot."""
        if owner in self._holders:
            self.tally.leave()
            self._holders[owner].busy -= 1

    def renew(self, owners: Iterable[str]) -> None:
        """Let owners hold what they hold for longer."""
        for owner in owners:
            if owner in self._holders:
                self._holders[owner].ends = self.now + HELD

    def is_turn_of(self, member: str, since: float) -> bool:
        """Tell whether no other process has had a request in line for clearly longer than *since*."""
        return all(other == member or begun >= since - SLACK for other, (begun, _) in self._line.items())

    def line_up(self, member: str, since: float | None, *, until: float = 0.0) -> None:
        """Note since when a process has had a request in line, and until when it will ask again; None for no more."""
        if since is None:
            self._line.pop(member, None)
        else:
            self._line[member] = (since, until)

    def others_wait(self, member: str) -> bool:
        """Tell whether another process has a request in line."""
        return any(other != member for other in self._line)

    def text(self) -> str:
        """Return what is to be kept."""
        tally = self.tally
        states = {key: [state.whole_at, state.answered] for key, state in zip(self._keys, tally.states, strict=True)}
        holders = {owner: asdict(holder) for owner, holder in self._holders.items() if holder.requests or holder.busy}
        return json.dumps(
            {
                "format": _FORMAT,
                "states": {**self._foreign, **states},
                "learnt": {name: asdict(known) for name, known in tally.learnt.items()},
                "parts": {name: sorted(parts) for name, parts in tally.parts.items()},
                "is_taught": tally.is_taught,
                "asked_at": tally.asked_at,
                "held_until": tally.held_until,
                "recheck_at": tally.recheck_at,
                "answered": tally.answered,
                "holders": holders,
                "line": self._line,
            },
            separators=(",", ":"),
        )

    def matters_for(self) -> float:
        """Return the seconds after which nothing of it would make a request wait."""
        tally, now = self.tally, self.now
        windows = [
            bucket.per + rate_limit.whole_in(bucket, state, now)
            for (_, bucket), state in zip(tally.rules, tally.states, strict=True)
        ]
        resets = [known.reset_at - now for known in tally.learnt.values()]
        return max(HELD, tally.held_until - now, *windows, *resets) + HELD

    def _load(self, found: dict[str, Any]) -> None:
        tally = self.tally
        self._holders = {owner: _Holder(**holder) for owner, holder in found["holders"].items()}
        self._line = {member: (since, until) for member, (since, until) in found["line"].items()}
        tally.learnt = {name: Learnt(**known) for name, known in found["learnt"].items()}
        tally.parts = {name: set(parts) for name, parts in found["parts"].items()}
        tally.is_taught = tally.is_taught or found["is_taught"]
        tally.asked_at, tally.answered = found["asked_at"], found["answered"]
        tally.held_until, tally.recheck_at = found["held_until"], found["recheck_at"]
        tally.in_flight = sum(holder.requests for holder in self._holders.values())
        tally.busy = sum(holder.busy for holder in self._holders.values())
        states = found["states"]
        for index, key in enumerate(self._keys):
            if key in states:
                whole_at, answered = states.pop(key)
                tally.states[index] = State(
                    in_flight=sum(holder.costs.get(key, 0) for holder in self._holders.values()),
                    answered=tuple((moment, count) for moment, count in answered),
                    whole_at=whole_at,
                )
        self._foreign = states

    def _expire(self) -> None:
        """Give back what was held by owners that were not renewed, and forget who does not ask any more."""
        self._line = {member: kept for member, kept in self._line.items() if kept[1] > self.now}
        for owner in [owner for owner, holder in self._holders.items() if holder.ends <= self.now]:
            self._give_back(self._holders.pop(owner))

    def _give_back(self, holder: _Holder) -> None:
        """Count what is on its way as answered now: the provider may have counted it as late as that."""
        tally = self.tally
        tally.in_flight -= holder.requests
        tally.answered += holder.requests
        tally.busy -= holder.busy
        tally.asked_at = float("-inf")
        for index, key in enumerate(self._keys):
            if cost := holder.costs.get(key):
                bucket = tally.rules[index][1]
                tally.states[index] = rate_limit.settle(bucket, tally.states[index], self.now, cost)
        for name in holder.probes:
            if name in tally.learnt:
                tally.learnt[name] = learnt_limit.abandon(tally.learnt[name], Sent(is_probe=True))

    def _settle(self, claim: Claim, owner: str) -> None:
        holder = self._holders[owner]
        holder.requests -= 1
        for key, cost in self._costs(claim):
            holder.costs[key] -= cost
        for name, sent in claim.learnt.items():
            if sent.is_probe and name in holder.probes:
                holder.probes.remove(name)

    def _costs(self, claim: Claim) -> list[tuple[str, int]]:
        rules = self.tally.rules
        return [
            (
                self._keys[index],
                min(rules[index][0].cost_of(claim.method, claim.path), rules[index][1].at_once),
            )
            for index in claim.in_flight
        ]
