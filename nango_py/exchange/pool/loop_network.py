"""A network for asyncio with nothing between httpcore's interface and the loop's transports."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

__all__ = ["LoopNetwork"]

# As much as may wait for its reader, and as the loop hands over at once.
_HIGH_WATER = 256 * 1024
# The stream's own timeout ends the handshake; that of asyncio has to be something.
_NEVER = 86_400.0
_NAMES = {"client_addr": "sockname", "server_addr": "peername", "socket": "socket", "ssl_object": "ssl_object"}
# As anyio has it: the next address gets its turn when one has not answered for so long (RFC 8305).
_STAGGER = 0.25


class LoopNetwork(httpcore.AsyncNetworkBackend):
    """Connect by the running asyncio loop."""

    def __init__(self) -> None:
        # The loop copies what it received before it looks at the next connection, so that one is enough for all.
        self._buffer = memoryview(bytearray(_HIGH_WATER))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection; socket options are not known here, for the pool gives none."""
        del socket_options
        loop = asyncio.get_running_loop()
        local = None if local_address is None else (local_address, 0)
        try:
            async with asyncio.timeout(timeout):
                _, inbox = await loop.create_connection(
                    lambda: _Inbox(loop, self._buffer), host, port, local_addr=local, happy_eyeballs_delay=_STAGGER
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(inbox)


class _Inbox(asyncio.BufferedProtocol):
    """What the loop hands over, until somebody reads it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: memoryview) -> None:
        self.loop = loop
        self.buffer = buffer
        self.alarm = _Alarm(loop)
        self.transport: Any = None
        self.parts: deque[bytes] = deque()
        self.size = 0
        self.ended = False
        self.failure: Exception | None = None
        self.is_full = False
        self.is_secure = False
        self.waiters: set[asyncio.Future[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.parts.append(bytes(self.buffer[:nbytes]))
        self.size += nbytes
        if self.size > _HIGH_WATER:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        # A plain connection can still be written to; TLS has no half-closed state.
        return not self.is_secure

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.failure = True, exc
        self.alarm.stop()
        self._wake()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self._wake()

    def take(self, most: int) -> bytes:
        """Return what was received, at most so many bytes."""
        part = self.parts.popleft()
        if len(part) > most:
            self.parts.appendleft(part[most:])
            part = part[:most]
        if self.size > _HIGH_WATER >= self.size - len(part):
            self.transport.resume_reading()
        self.size -= len(part)
        return part

    async def change(self, seconds: float | None) -> None:
        """Wait until something happens; raise TimeoutError when nothing does."""
        waiter = self.loop.create_future()
        self.waiters.add(waiter)
        if seconds is not None:
            self.alarm.set(waiter, self.loop.time() + seconds)
        try:
            await waiter
        finally:
            self.waiters.discard(waiter)
            self.alarm.unset(waiter)

    def _wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Alarm:
    """Let waiters fail at their time; the loop's timer, which costs more than most waits last, is kept for the next.

    A timer that rings too early, for one whose wait is over, is set again for the earliest of those who still wait.
    """

    __slots__ = ("loop", "rings_at", "timer", "times")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.times: dict[asyncio.Future[None], float] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.rings_at = 0.0

    def set(self, waiter: asyncio.Future[None], at: float) -> None:
        """Let *waiter* fail at a time of the loop."""
        self.times[waiter] = at
        if self.timer is None or at < self.rings_at:
            self._start(at)

    def unset(self, waiter: asyncio.Future[None]) -> None:
        """Forget *waiter*, which may never have been set."""
        self.times.pop(waiter, None)

    def stop(self) -> None:
        """Let nobody fail any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _start(self, at: float) -> None:
        self.stop()
        self.rings_at = at
        self.timer = self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self.timer = None
        now = self.loop.time()
        for waiter, at in self.times.items():
            if at <= now and not waiter.done():
                waiter.set_exception(TimeoutError())
        if left := [at for at in self.times.values() if at > now]:
            self._start(min(left))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inbox: _Inbox) -> None:
        self._inbox = inbox

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        inbox = self._inbox
        while not inbox.parts and not inbox.ended:
            try:
                await inbox.change(timeout)
            except TimeoutError as error:
                raise httpcore.ReadTimeout(str(error)) from error
        if inbox.parts:
            return inbox.take(max_bytes)
        if inbox.failure is not None:
            raise httpcore.ReadError(str(inbox.failure)) from inbox.failure
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if not buffer:
            return
        inbox = self._inbox
        if not inbox.transport.is_closing():
            inbox.transport.write(buffer)
        while inbox.is_full and not inbox.transport.is_closing():
            try:
                await inbox.change(timeout)
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
        if inbox.transport.is_closing():
            raise httpcore.WriteError(str(inbox.failure or "the connection is closed"))

    async def aclose(self) -> None:
        self._inbox.transport.abort()
        # The loop closes the socket in its next turn, which may be its last one.
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        inbox = _Inbox(self._inbox.loop, self._inbox.buffer)
        inbox.is_secure = True
        try:
            async with asyncio.timeout(timeout):
                inbox.transport = await self._shake_hands(inbox, ssl_context, server_hostname)
        except TimeoutError as error:
            self._inbox.transport.abort()
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            self._inbox.transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            self._inbox.transport.abort()
            raise
        return _Stream(inbox)

    async def _shake_hands(self, inbox: _Inbox, context: ssl.SSLContext, host: str | None) -> asyncio.Transport:
        transport = await inbox.loop.start_tls(
            self._inbox.transport, inbox, context, server_hostname=host, ssl_handshake_timeout=_NEVER
        )
        if transport is None:
            raise ConnectionResetError("the connection was closed during the handshake")
        return transport

    def get_extra_info(self, info: str) -> Any:
        transport = self._inbox.transport
        if info == "is_readable":
            return bool(self._inbox.ended or self._inbox.parts) or _is_readable(transport.get_extra_info("socket"))
        return transport.get_extra_info(_NAMES[info]) if info in _NAMES else None


def _is_readable(socket: Any) -> bool:
    """Ask the system: the loop may not have had its turn since the other side closed."""
    if socket is None or socket.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([socket.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
