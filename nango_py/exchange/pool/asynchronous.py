"""The pool of event loops."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio
import httpcore
import sniffio

from nango_py import forks
from nango_py.clock import Clock, SystemClock
from nango_py.errors import UsageError
from nango_py.exchange.pool.books import MAX_IDLE, Books, Line
from nango_py.exchange.pool.failures import no_slot, translated
from nango_py.exchange.pool.guard import AsyncGuard
from nango_py.exchange.pool.quiet import keep_secrets
from nango_py.exchange.pool.tls import Contexts
from nango_py.exchange.pool.wire import AsyncRecorder, Dialler, Kit, end_of, origin_key, profile_of, to_core
from nango_py.http import AsyncBaseTransport, AsyncByteStream, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping

    from nango_py.exchange.pool.books import Slot
    from nango_py.exchange.pool.guard import AsyncResolve
    from nango_py.exchange.pool.profile import Profile

__all__ = ["AsyncPool"]


def _http2() -> tuple[type[Any], type[Any]]:
    from nango_py.exchange.pool.http2 import AsyncHttp2Connection, AsyncHttp2Network  # noqa: PLC0415 - if declared

    return AsyncHttp2Connection, AsyncHttp2Network


_KIT = Kit(
    direct=httpcore.AsyncConnectionPool,
    http_proxy=httpcore.AsyncHTTPProxy,
    socks_proxy=httpcore.AsyncSOCKSProxy,
    guard=AsyncGuard,
    http2=_http2,
)


class AsyncPool(AsyncBaseTransport):
    """Send requests over connections that all clients and tasks of an event loop share.

    It does what :class:`Pool` does, under asyncio and trio. Every running loop has its own connections, and they
    are closed when the loop shuts down (as ``asyncio.run`` does) or by :meth:`aclose`.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        network_backend: httpcore.AsyncNetworkBackend | None = None,
        max_idle: int = MAX_IDLE,
        resolve: AsyncResolve | None = None,
        fast: bool = False,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._clock = clock or SystemClock()
        self._backend = network_backend
        self._dialler = Dialler(
            kit=_fast_kit() if fast else _KIT, contexts=Contexts(environ), environ=environ, resolve=resolve
        )
        self._max_idle = max_idle
        self._network = _fast_network if fast else _network
        self._form: Callable[[Request], Any] = _unchanged if fast else to_core
        self._is_closed = False
        self._start()
        keep_secrets()
        forks.watch(self)

    async def handle_async_request(self, request: Request) -> Response:
        """Return the answer as soon as its head is there; raise httpx's errors."""
        books, slot = self._loops.get(_running_loop()) or await self._open(), None
        try:
            profile, ends_at = profile_of(request), end_of(request)
            slot = await self._enter(books, request, profile)
            line = await self._line(books, slot, request, profile)
            line.opened.ends_at = ends_at
            answer = await line.connection.handle_async_request(self._form(request))
            body = _Body(self, books, slot, answer.stream, request)
            return Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)
        except BaseException as error:
            if slot is not None:
                await self.leave(books, slot)
            failure = translated(error, request)
            if failure is None:
                raise
        raise failure

    @property
    def contexts(self) -> Contexts:
        """Return the TLS contexts, which other transports may share."""
        return self._dialler.contexts

    async def aclose(self) -> None:
        """Close the connections of this loop, also those in use; no loop can send requests any more."""
        self._is_closed = True
        loop = self._loops.pop(_running_loop(), None)
        if loop is not None and loop.watch is not None:
            await loop.watch.aclose()

    async def leave(self, books: Books, slot: Slot) -> None:
        """Give the slot free, before anything is awaited; called by the answer's stream."""
        if not books.forsaken:
            await _close(books.leave(slot, self._clock.monotonic()))

    def forget(self) -> None:
        """Leave the parent's connections alone; called in a forked child."""
        for loop in self._loops.values():
            loop.forsaken = True
        forks.bury(self._loops)
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._loops: WeakKeyDictionary[object, _LoopBooks] = WeakKeyDictionary()

    async def _open(self) -> _LoopBooks:
        self._check_open()
        books = _LoopBooks(backend=self._backend or self._network(), max_idle=self._max_idle)
        with self._lock:
            # Connections refer to their loop, so a loop that nobody shut down would never go away by itself.
            for loop in [loop for loop in self._loops if isinstance(loop, asyncio.AbstractEventLoop)]:
                if loop.is_closed():
                    del self._loops[loop]
            self._loops[_running_loop()] = books
        books.watch = _watch(books)
        await anext(books.watch)
        return books

    async def _enter(self, books: Books, request: Request, profile: Profile) -> Slot:
        while books.lost:
            with suppress(Exception):  # nobody waits for this answer
                await books.lost.popleft().aclose()
        self._check_open()
        slot = books.enter(origin_key(profile, request.url), profile.max_connections)
        if not slot.granted:
            await self._wait(books, slot, request, profile)
        return slot

    async def _wait(self, books: Books, slot: Slot, request: Request, profile: Profile) -> None:
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            with anyio.move_on_after(seconds):
                await slot.event.wait()
            if not slot.granted:
                self._check_open()
                raise no_slot(request, profile, seconds)
        except BaseException:
            await self.leave(books, slot)
            raise

    async def _line(self, books: _LoopBooks, slot: Slot, request: Request, profile: Profile) -> Line:
        line = slot.line
        while line is not None and line.is_stale:
            stale, line = line, books.exchange(slot)
            await _close([stale])
        if line is None:
            recorder = AsyncRecorder(books.backend)
            connection = self._dialler.dial(profile, request.url, recorder)
            line = Line(connection, recorder, profile.keepalive_seconds)
            books.open(slot, line)
        return line

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("the pool is closed; make a new one, or close it later")


class _LoopBooks(Books):
    """The books of one event loop.

    ``watch`` stands still at its ``yield`` until the loop shuts its asynchronous generators down: the only moment
    that asyncio and trio offer to close connections while their loop still runs.
    """

    def __init__(self, *, backend: httpcore.AsyncNetworkBackend, max_idle: int) -> None:
        super().__init__(event=anyio.Event, max_idle=max_idle)
        self.backend = backend
        self.watch: AsyncGenerator[None, None] | None = None


class _Body(AsyncByteStream):
    def __init__(self, pool: AsyncPool, books: Books, slot: Slot, parts: Any, request: Request) -> None:
        self._pool = pool
        self._books = books
        self._slot = slot
        self._parts = parts
        self._request: Any = request
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._books.forsaken:
            raise UsageError("this answer belongs to the parent process; send the request again in the child")
        parts, request = self._parts, self._request
        try:
            async for part in parts:
                yield part
        except BaseException as error:
            await self.aclose()
            failure = translated(error, request)
            if failure is None:
                raise
        else:
            return
        raise failure

    def __del__(self) -> None:
        if not (self._is_closed or self._books.forsaken):
            self._books.lost.append(self)

    async def aclose(self) -> None:
        """Close the answer and give its connection back; a cancellation cannot keep the slot."""
        if self._is_closed or self._books.forsaken:
            return
        self._is_closed = True
        # httpx puts answers and their streams into cycles: what stays here lives until the garbage collector comes.
        parts, self._parts, self._request = self._parts, (), None
        try:
            await parts.aclose()
        finally:
            await self._pool.leave(self._books, self._slot)


async def _watch(books: _LoopBooks) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        # A generator refers to its loop, also when it is finished.
        books.watch = None
        if not books.forsaken:
            await _close(books.dissolve())


async def _close(lines: Iterable[Line]) -> None:
    for line in lines:
        with anyio.CancelScope(shield=True):
            # Nobody waits for this connection any more, so nobody wants to hear that closing it failed.
            with suppress(Exception):
                await line.connection.aclose()
            with suppress(Exception):
                await line.opened.aclose()


def _running_loop() -> object:
    if sniffio.current_async_library() == "trio":
        import trio  # noqa: PLC0415 - only where trio runs already

        return trio.lowlevel.current_trio_token()
    return asyncio.get_running_loop()


def _fast_kit() -> Kit:
    from nango_py.exchange.pool.fast_async import AsyncFastConnection  # noqa: PLC0415 - the default pool starts faster without it

    return replace(_KIT, fast=AsyncFastConnection)


def _unchanged(request: Request) -> Request:
    return request


def _fast_network() -> httpcore.AsyncNetworkBackend:
    from nango_py.exchange.pool.loop_network import LoopNetwork  # noqa: PLC0415 - only where it was asked for

    # Other loops (uvloop) cannot try a host's addresses side by side; anyio does that for them, and trio has its own.
    return LoopNetwork() if isinstance(_running_loop(), asyncio.BaseEventLoop) else _network()


def _network() -> httpcore.AsyncNetworkBackend:
    if sniffio.current_async_library() == "trio":
        return httpcore.TrioBackend()
    return httpcore.AnyIOBackend()
