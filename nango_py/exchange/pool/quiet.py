"""httpcore's debug log without the headers, for requests of a pool only.

At DEBUG httpcore writes the headers of every answer (``Set-Cookie``, ``Location`` with a code), illegal header values
of a request, and the credentials of a SOCKS proxy; hpack, below HTTP/2, writes all headers of requests and answers.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["keep_secrets"]

_TALKATIVE = ("httpcore.http11", "httpcore.http2", "httpcore.socks", "hpack.hpack", "hpack.table")
_PACKAGE = __name__.rpartition(".")[0]


class _EventOnly(logging.Filter):
    """Cut a record of ours down to the name of its event."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if _is_ours():
            record.msg, record.args = str(record.msg).partition(" ")[0], ()
        return True


_EVENT_ONLY = _EventOnly()


def keep_secrets() -> None:
    """Watch httpcore's loggers; adding the same filter again changes nothing."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_EVENT_ONLY)


def _is_ours() -> bool:
    """Look for a pool among the callers: this costs nothing while nobody logs at DEBUG."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - inspect.stack() would read source files
    while frame is not None and not str(frame.f_globals.get("__name__")).startswith(_PACKAGE):
        frame = frame.f_back
    return frame is not None
