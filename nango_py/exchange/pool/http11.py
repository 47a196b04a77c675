"""HTTP/1.1 as nearly everybody speaks it: what a request looks like on the wire, and what an answer says; no I/O.

Everything out of the ordinary is left to httpcore and h11, byte for byte: here it is only recognised.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.http import Request

__all__ = ["MOST", "Body", "Chunked", "Framing", "Head", "Outgoing", "Sized", "find_end", "head_of", "read_head"]

MOST = 64 * 1024
"""Bytes read at once."""
_MOST_HEAD = 100 * 1024
_TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_SEEN = rb"[\x21-\x7e\x80-\xff]"
_REQUEST = re.compile(
    rb"%b [\x21-\x7e]+ HTTP/1\.1\r\n(?:%b: (?:%b(?:[\t \x21-\x7e\x80-\xff]*%b)?)?\r\n)*\r\n"
    % (_TOKEN, _TOKEN, _SEEN, _SEEN)
)
_ANSWER = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n((?:%b:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
    % _TOKEN
)
_END = re.compile(rb"\n\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,20})(?:;.*)?[ \t]*")
_PRINTABLE = 0x21
_TELLING = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade"})
"""Headers of a request that say how it and its answer are read."""
_NO_BODY = frozenset({204, 304})


class Outgoing(NamedTuple):
    """The head of a request; ``length`` is that of its body, or None for one in chunks."""

    head: bytes
    length: int | None
    keeps_alive: bool


class Head(NamedTuple):
    """The head of an answer, and what its body will be."""

    status: int
    reason: bytes
    fields: list[tuple[bytes, bytes]]
    body: Body
    keeps_alive: bool


def head_of(request: Request) -> Outgoing | None:
    """Return the head as h11 would write it, or None for a request that is not ordinary, or not legal."""
    host, lines = b"", [b""]
    lengths, is_chunked, keeps_alive = [], False, True
    for name, value in request.headers.raw:
        if b":" in name:
            return None
        line = name + b": " + value
        kind = name.lower()
        if kind not in _TELLING:
            lines.append(line)
            continue
        match kind:
            case b"host" if not host:
                host = line
                continue
            case b"content-length" if value.isdigit() and value == b"%d" % int(value[:19]):
                lengths.append(int(value))
            case b"transfer-encoding" if value == b"chunked" and not is_chunked:
                is_chunked = True
            case b"connection" if keeps_alive and value in (b"close", b"keep-alive"):
                keeps_alive = value != b"close"
            case _:
                return None
        lines.append(line)
    if not host or len(lengths) + is_chunked > 1:
        return None
    lines[0] = host
    start = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)
    head = start + b"\r\n".join(lines) + b"\r\n\r\n"
    # A line break within a value would pass for one more header, so the lines are counted, too.
    if not _REQUEST.fullmatch(head) or head.count(b"\n") != len(lines) + 2 or request.method == "CONNECT":
        return None
    return Outgoing(head, None if is_chunked else sum(lengths), keeps_alive)


def find_end(received: bytes, known: int = 0) -> int | None:
    """Return where the head ends, None while it is incomplete, and -1 when no ordinary answer can come of it.

    The first *known* bytes have been searched before.
    """
    found = _END.search(received, max(0, known - 2))
    if found:
        return found.end()
    return -1 if received[0] < _PRINTABLE or len(received) > _MOST_HEAD else None


def read_head(head: bytes, method: str) -> Head | None:
    """Return what an answer's head says, or None where that takes more than a glance."""
    found = _ANSWER.fullmatch(head)
    if not found:
        return None
    status, fields = int(found[1]), []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    keeps_alive = True
    for line in found[3].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        fields.append((name, value))
        match name.lower():
            case b"content-length":
                lengths.append(value)
            case b"transfer-encoding":
                codings.append(value)
            case b"connection":
                keeps_alive = keeps_alive and b"close" not in value.lower()
    body = _body(status, method, lengths, codings)
    return None if body is None else Head(status, found[2] or b"", fields, body, keeps_alive)


def _body(status: int, method: str, lengths: list[bytes], codings: list[bytes]) -> Body | None:
    if codings and (codings != [b"chunked"] or lengths):
        return None
    if lengths and (len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 18):  # noqa: PLR2004
        return None
    if method == "HEAD" or status in _NO_BODY:
        return Sized(0)
    if codings:
        return Chunked()
    # Without a length the body ends with the connection.
    return Sized(int(lengths[0])) if lengths else None


class Framing:
    """Put the parts of a request's body on the wire."""

    __slots__ = ("_left", "_length")

    def __init__(self, length: int | None) -> None:
        self._length = self._left = length

    def part(self, part: bytes) -> bytes:
        """Return the bytes of one part; raise httpcore's error when there are more than were announced."""
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(part), part) if part else b""
        self._left -= len(part)
        if self._left < 0:
            raise httpcore.LocalProtocolError("Too much data for declared Content-Length")
        return part

    def end(self) -> bytes:
        """Return what ends the body; raise httpcore's error when there was less than was announced."""
        if self._left:
            raise httpcore.LocalProtocolError("Too little data for declared Content-Length")
        return b"0\r\n\r\n" if self._left is None else b""


class Body(Protocol):
    """What takes an answer's body out of what is received; ``rest`` is what stands behind it once it is done."""

    done: bool
    rest: bytes

    def feed(self, received: bytes) -> Iterable[bytes]:
        """Return the parts of the body in it; raise httpcore's error for what cannot be understood."""

    @property
    def unfinished(self) -> str:
        """Say what is missing when the connection ends here."""


class Sized:
    """A body of a known length."""

    __slots__ = ("_left", "_length", "done", "rest")

    def __init__(self, length: int) -> None:
        self._length = self._left = length
        self.done = not length
        self.rest = b""

    def feed(self, received: bytes) -> Iterable[bytes]:
        """Return the parts of the body in it."""
        left = self._left = self._left - len(received)
        if left > 0:
            return (received,) if received else ()
        self.done = True
        if not left:
            return (received,) if received else ()
        self.rest, self._left = received[left:], 0
        return (received[:left],) if len(received) + left else ()

    @property
    def unfinished(self) -> str:
        """Say what is missing when the connection ends here."""
        so_far = self._length - self._left
        return (
            "peer closed connection without sending complete message body "
            f"(received {so_far} bytes, expected {self._length})"
        )


class Chunked:
    """A body in chunks, each announced by its length; what follows the last one is dropped."""

    __slots__ = ("_ends", "_left", "_trails", "done", "rest")

    unfinished = "peer closed connection without sending complete message body (incomplete chunked read)"

    def __init__(self) -> None:
        self._left, self._ends, self._trails = 0, False, False
        self.done = False
        self.rest = b""

    def feed(self, received: bytes) -> Iterable[bytes]:
        """Return the parts of the body in it."""
        buffer, at = (self.rest + received if self.rest else received), 0
        parts = []
        while at < len(buffer) and not self.done:
            if self._left:
                parts.append(buffer[at : at + self._left])
                at += len(parts[-1])
                self._left -= len(parts[-1])
                self._ends = not self._left
                continue
            end = self._trailer(buffer, at) if self._trails else self._line(buffer, at)
            if end is None:
                break
            at = end
        self.rest = buffer[at:]
        return parts

    def _line(self, buffer: bytes, at: int) -> int | None:
        """Return where the line ends that announces a chunk, or the line break behind a chunk's bytes."""
        if self._ends:
            return self._footer(buffer, at)
        end = buffer.find(b"\r\n", at)
        if end < 0:
            _bound(buffer, at)
            return None
        found = _CHUNK.fullmatch(buffer, at, end)
        if not found:
            raise httpcore.RemoteProtocolError("illegal chunk header")
        self._left = int(found[1], 16)
        self._trails = not self._left
        return end + 2

    def _footer(self, buffer: bytes, at: int) -> int | None:
        found = buffer[at : at + 2]
        if not b"\r\n".startswith(found):
            raise httpcore.RemoteProtocolError("malformed chunk footer")
        if len(found) < 2:  # noqa: PLR2004
            return None
        self._ends = False
        return at + 2

    def _trailer(self, buffer: bytes, at: int) -> int | None:
        for end in (b"\r\n", b"\n"):
            if buffer.startswith(end, at):
                self.done = True
                return at + len(end)
        found = _END.search(buffer, at)
        if not found:
            _bound(buffer, at)
            return None
        self.done = True
        return found.end()


def _bound(buffer: bytes, at: int) -> None:
    if len(buffer) - at > _MOST_HEAD:
        raise httpcore.RemoteProtocolError("the answer's body has a line that does not end")
