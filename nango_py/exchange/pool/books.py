"""Who gets which connection: the bookkeeping of a pool, without any I/O.

Every step costs the same however many connections and waiters there are.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["MAX_IDLE", "Books", "Event", "Line", "Slot"]

MAX_IDLE = 100
"""Idle connections kept over all origins: some systems allow a process no more than 256 open files."""

# Two for every connection that comes in: the overdue ones get fewer, and no single request pays for all of them.
_SWEEP = 2


class Event(Protocol):
    """What wakes a waiter: an event of threading or of anyio."""

    def set(self) -> Any:
        """Wake the waiter."""


@dataclass(slots=True, eq=False)
class Line:
    """One connection; ``opened`` closes what it leaves open when it fails halfway."""

    connection: Any
    opened: Any
    keepalive: float
    idle_until: float = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether it waits for its next request; not whether the other side still listens."""
        return bool(self.connection.is_available())

    @property
    def is_stale(self) -> bool:
        """Whether the other side closed it meanwhile (one system call)."""
        return bool(self.connection.has_expired())


@dataclass(slots=True, eq=False)
class Slot:
    """One request's right to one connection; until ``granted`` it stands in line."""

    origin: _Origin
    granted: bool = False
    line: Line | None = None
    event: Any = None


@dataclass(slots=True, eq=False)
class _Origin:
    key: Hashable
    limit: int
    busy: int = 0
    # Insertion order is age: the last one in is the next one out, for it is the least likely to be stale.
    idle: dict[Line, None] = field(default_factory=dict)
    waiting: OrderedDict[Slot, None] = field(default_factory=OrderedDict)
    dissolved: bool = False

    @property
    def is_deserted(self) -> bool:
        return not (self.busy or self.idle or self.waiting)


class Books:
    """Keep the connections of one process, or of one event loop; the caller serialises the calls."""

    def __init__(self, *, event: Callable[[], Event], max_idle: int = MAX_IDLE) -> None:
        self._event = event
        self._max_idle = max_idle
        self._origins: dict[Hashable, _Origin] = {}
        self._idle: OrderedDict[Line, _Origin] = OrderedDict()
        self._lines: set[Line] = set()
        # True in a forked child: these connections belong to the parent, nobody may touch them any more.
        self.forsaken = False
        self.lost: deque[Any] = deque()
        """Answers that were dropped unread, for the next request to close: the garbage collector, which may come in
        the midst of a step, must not."""

    def enter(self, key: Hashable, limit: int) -> Slot:
        """Return a slot: granted, with an idle connection where there is one, or last in line with an event."""
        origin = self._origins.get(key)
        if origin is None:
            origin = self._origins[key] = _Origin(key, limit)
        if origin.busy < origin.limit:
            origin.busy += 1
            return Slot(origin, granted=True, line=self._newest(origin))
        slot = Slot(origin, event=self._event())
        origin.waiting[slot] = None
        return slot

    def exchange(self, slot: Slot) -> Line | None:
        """Take a stale connection from the slot, give it the next idle one, and return that."""
        if slot.line is not None:
            self._lines.discard(slot.line)
        slot.line = self._newest(slot.origin)
        return slot.line

    def open(self, slot: Slot, line: Line) -> None:
        """Give the slot a new connection."""
        self._lines.add(line)
        slot.line = line

    def leave(self, slot: Slot, now: float) -> list[Line]:
        """Give up the slot or the place in line; return the connections that the caller has to close."""
        closing = self._put_back(slot, now)
        origin = slot.origin
        if slot.granted:
            slot.granted = False
            self._pass_on(origin)
        else:
            origin.waiting.pop(slot, None)
        self._sweep(now, closing)
        if origin.is_deserted and self._origins.get(origin.key) is origin:
            del self._origins[origin.key]
        return closing

    def dissolve(self) -> list[Line]:
        """Forget everything, wake all who wait empty-handed, and return the connections to close."""
        lines, origins = list(self._lines), list(self._origins.values())
        self._lines.clear()
        self._idle.clear()
        self._origins.clear()
        for origin in origins:
            origin.dissolved = True
            origin.idle.clear()
            for slot in origin.waiting:
                slot.event.set()
            origin.waiting.clear()
        return lines

    def _newest(self, origin: _Origin) -> Line | None:
        if not origin.idle:
            return None
        line, _ = origin.idle.popitem()
        del self._idle[line]
        return line

    def _put_back(self, slot: Slot, now: float) -> list[Line]:
        line, slot.line = slot.line, None
        if line is None:
            return []
        if slot.origin.dissolved or not line.is_reusable:
            self._lines.discard(line)
            return [line]
        line.idle_until = now + line.keepalive
        slot.origin.idle[line] = None
        self._idle[line] = slot.origin
        return []

    def _pass_on(self, origin: _Origin) -> None:
        """Hand the slot to the first in line, so that no newcomer overtakes it."""
        if not origin.waiting:
            origin.busy -= 1
            return
        slot, _ = origin.waiting.popitem(last=False)
        slot.granted = True
        slot.line = self._newest(origin)
        slot.event.set()

    def _sweep(self, now: float, closing: list[Line]) -> None:
        for _ in range(_SWEEP):
            line = next(iter(self._idle), None)
            if line is None or (len(self._idle) <= self._max_idle and now < line.idle_until):
                return
            closing.append(line)
            self._drop_idle(line)

    def _drop_idle(self, line: Line) -> None:
        origin = self._idle.pop(line)
        del origin.idle[line]
        self._lines.discard(line)
        if origin.is_deserted:
            self._origins.pop(origin.key, None)
