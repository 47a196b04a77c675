"""How far a long run got, in one line of a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from nango_py.events import PageRead, Progress, Started, Waiting
from nango_py.log import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.events import Event, OnEvent

__all__ = ["Line", "progress"]

QUIET = 1.0
"""Seconds in which a run shows nothing: most are over by then."""
PAUSE = 0.1
"""Seconds between two drawings of the line."""
_BAR = 20
_CLEAR = "\r\x1b[K"
_WAITS = {"rate_limit": "for its turn", "renewal": "for new credentials", "retry": "to try again"}


@contextmanager
def progress() -> Iterator[OnEvent | None]:
    """Give what shows a run's events on standard error; None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    line = Line(sys.stderr, width=shutil.get_terminal_size().columns)
    try:
        yield line.hear
    finally:
        line.clear()


class Line:
    """Draw one line over and over; it is gone at the end."""

    def __init__(self, stream: TextIO, *, width: int, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._width = width
        self._now = now
        self._started = now()
        self._drawn: float | None = None
        self._action = ""
        self._pages = ""
        self._progress = ""

    def hear(self, event: Event) -> None:
        """Draw what an event says, unless the run is young or the line is."""
        match event:
            case Started(parent_id=None):
                self._action = event.action
            case PageRead():
                self._pages = f"{event.total} items in {event.number} {'page' if event.number == 1 else 'pages'}"
            case Progress():
                self._progress = _shown(event)
        waiting = _waiting(event) if isinstance(event, Waiting) else ""
        now = self._now()
        is_due = self._drawn is None or waiting or now - self._drawn >= PAUSE
        if now - self._started >= QUIET and is_due:
            self._draw(", ".join(part for part in (self._progress, self._pages, waiting) if part))
            self._drawn = now

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn is not None:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _draw(self, text: str) -> None:
        line = f"{self._action}: {text or 'running'}"
        self._stream.write(_CLEAR + line[: self._width - 1])
        self._stream.flush()


def _shown(event: Progress) -> str:
    message = one_line(event.message)
    if not event.total:
        return f"{event.done:g} {message}".rstrip()
    share = min(1.0, max(0.0, event.done / event.total))
    filled = round(share * _BAR)
    return f"[{'#' * filled}{'-' * (_BAR - filled)}] {share:.0%} {message}".rstrip()


def _waiting(event: Waiting) -> str:
    seconds = "" if event.seconds is None else f" {event.seconds:.0f} s"
    return f"waiting{seconds} {_WAITS[event.reason]}"
