"""The pool of threads."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpcore

from nango_py import forks
from nango_py.clock import Clock, SystemClock
from nango_py.errors import UsageError
from nango_py.exchange.pool.books import MAX_IDLE, Books, Line
from nango_py.exchange.pool.failures import no_slot, translated
from nango_py.exchange.pool.guard import Guard
from nango_py.exchange.pool.quiet import keep_secrets
from nango_py.exchange.pool.tls import Contexts
from nango_py.exchange.pool.wire import Dialler, Kit, Recorder, end_of, origin_key, profile_of, to_core
from nango_py.http import BaseTransport, Request, Response, SyncByteStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nango_py.exchange.pool.books import Slot
    from nango_py.exchange.pool.guard import Resolve
    from nango_py.exchange.pool.profile import Profile

__all__ = ["KIT", "Pool"]


def _http2() -> tuple[type[Any], type[Any]]:
    from nango_py.exchange.pool.http2 import Http2Connection, Http2Network  # noqa: PLC0415 - only where declared

    return Http2Connection, Http2Network


KIT = Kit(
    direct=httpcore.ConnectionPool,
    http_proxy=httpcore.HTTPProxy,
    socks_proxy=httpcore.SOCKSProxy,
    guard=Guard,
    http2=_http2,
)


class Pool(BaseTransport):
    """Send requests over connections that all clients and threads of the process share.

    A request chooses its :class:`Profile` by the extension ``nango_profile``. The answer has to be read or closed:
    until then it holds one of its origin's connections. ``network_backend`` opens the sockets.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        network_backend: httpcore.NetworkBackend | None = None,
        max_idle: int = MAX_IDLE,
        resolve: Resolve | None = None,
        fast: bool = False,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._clock = clock or SystemClock()
        self._backend = network_backend or httpcore.SyncBackend()
        self._dialler = Dialler(
            kit=_fast_kit() if fast else KIT, contexts=Contexts(environ), environ=environ, resolve=resolve
        )
        self._max_idle = max_idle
        self._form: Callable[[Request], Any] = _unchanged if fast else to_core
        self._is_closed = False
        self._start()
        keep_secrets()
        forks.watch(self)

    def handle_request(self, request: Request) -> Response:
        """Return the answer as soon as its head is there; raise httpx's errors."""
        books, slot = self._books, None
        try:
            profile, ends_at = profile_of(request), end_of(request)
            slot = self._enter(books, request, profile)
            line = self._line(books, slot, request, profile)
            line.opened.ends_at = ends_at
            answer = line.connection.handle_request(self._form(request))
            body = _Body(self, books, slot, answer.stream, request)
            return Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)
        except BaseException as error:
            if slot is not None:
                self.leave(books, slot)
            failure = translated(error, request)
            if failure is None:
                raise
        raise failure

    @property
    def contexts(self) -> Contexts:
        """Return the TLS contexts, which other transports may share."""
        return self._dialler.contexts

    def close(self) -> None:
        """Close every connection, also those in use; requests that wait for one fail."""
        self._is_closed = True
        with self._lock:
            lines = self._books.dissolve()
        _close(lines)

    def leave(self, books: Books, slot: Slot) -> None:
        """Give the slot free; called by the answer's stream."""
        if books.forsaken:
            return
        with self._lock:
            closing = books.leave(slot, self._clock.monotonic())
        _close(closing)

    def forget(self) -> None:
        """Leave the parent's connections alone; called in a forked child."""
        self._books.forsaken = True
        forks.bury(self._books)
        self._start()

    def _start(self) -> None:
        # A lock that another thread of the parent held would stay locked in the child.
        self._lock = threading.Lock()
        self._books = Books(event=threading.Event, max_idle=self._max_idle)

    def _enter(self, books: Books, request: Request, profile: Profile) -> Slot:
        while books.lost:
            with suppress(Exception):  # another thread may be faster, and nobody waits for this answer
                books.lost.popleft().close()
        with self._lock:
            self._check_open()
            slot = books.enter(origin_key(profile, request.url), profile.max_connections)
        if not slot.granted:
            self._wait(books, slot, request, profile)
        return slot

    def _wait(self, books: Books, slot: Slot, request: Request, profile: Profile) -> None:
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            slot.event.wait(seconds)
            if not slot.granted:
                self._check_open()
                raise no_slot(request, profile, seconds)
        except BaseException:
            self.leave(books, slot)
            raise

    def _line(self, books: Books, slot: Slot, request: Request, profile: Profile) -> Line:
        line = slot.line
        while line is not None and line.is_stale:
            with self._lock:
                stale, line = line, books.exchange(slot)
            _close([stale])
        if line is None:
            recorder = Recorder(self._backend)
            connection = self._dialler.dial(profile, request.url, recorder)
            line = Line(connection, recorder, profile.keepalive_seconds)
            with self._lock:
                books.open(slot, line)
        return line

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("the pool is closed; make a new one, or close it later")


def _fast_kit() -> Kit:
    from nango_py.exchange.pool.fast import FastConnection  # noqa: PLC0415 - the default pool starts faster without it

    return replace(KIT, fast=FastConnection)


def _unchanged(request: Request) -> Request:
    return request


class _Body(SyncByteStream):
    def __init__(self, pool: Pool, books: Books, slot: Slot, parts: Any, request: Request) -> None:
        self._pool = pool
        self._books = books
        self._slot = slot
        self._parts: Any = parts
        self._request: Any = request
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        if self._books.forsaken:
            raise UsageError("this answer belongs to the parent process; send the request again in the child")
        parts, request = self._parts, self._request
        try:
            yield from parts
        except BaseException as error:
            self.close()
            failure = translated(error, request)
            if failure is None:
                raise
        else:
            return
        raise failure

    def __del__(self) -> None:
        if not (self._is_closed or self._books.forsaken):
            self._books.lost.append(self)

    def close(self) -> None:
        """Close the answer and give its connection back."""
        if self._is_closed or self._books.forsaken:
            return
        self._is_closed = True
        # httpx puts answers and their streams into cycles: what stays here lives until the garbage collector comes.
        parts, self._parts, self._request = self._parts, (), None
        try:
            parts.close()
        finally:
            self._pool.leave(self._books, self._slot)


def _close(lines: Iterable[Line]) -> None:
    for line in lines:
        # Nobody waits for this connection any more, so nobody wants to hear that closing it failed.
        with suppress(Exception):
            line.connection.close()
        with suppress(Exception):
            line.opened.close()
