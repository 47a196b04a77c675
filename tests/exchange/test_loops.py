"""A transport that serves event loops only, and loops that end while a renewal is under way."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from nango_py import AsyncNango
from nango_py.exchange.loops import LoopBridge
from nango_py.exchange.pool.profile import DEADLINE_EXTENSION
from nango_py.testing import ManualClock
from tests.connections.faulty import LIFETIME, declared, granted
from tests.servers.faces import KEYS

ASYNC_BACKENDS = ("asyncio", "trio")


class LoopOnly(httpx.AsyncBaseTransport):
    """Answer token requests as soon as the loop lets it, and say when it was asked."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go: anyio.Event | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        if self.go is not None:
            await self.go.wait()
        return granted(1)


async def opened(transport: LoopOnly) -> tuple[AsyncNango, ManualClock]:
    clock = ManualClock()
    nango = AsyncNango.load(
        {"integrations": {"it": declared()}},
        store="memory://",
        transport=transport,
        clock=clock,
        environ={"NANGO_ENCRYPTION_KEYS": KEYS},
    )
    tokens = {"access_token": "access-0", "refresh_token": "refresh-0", "expires_in": LIFETIME}
    await nango.register_connection("it", "ann", tokens)
    clock.advance(LIFETIME)
    return nango, clock


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_an_engine_that_is_closed_lets_a_renewal_end_that_needs_the_loop(backend: str) -> None:
    async def main() -> None:
        transport = LoopOnly()
        transport.go = anyio.Event()
        nango, _ = await opened(transport)
        async with anyio.create_task_group() as group:
            group.start_soon(nango.credentials, "it", "ann")
            while not transport.asked.is_set():
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        transport.go.set()
        await nango.close()

    worker = threading.Thread(target=partial(anyio.run, main, backend=backend), daemon=True)
    worker.start()
    worker.join(10)

    assert not worker.is_alive()


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_an_engine_is_closed_by_a_task_that_was_cancelled(backend: str) -> None:
    async def main() -> Any:
        nango, _ = await opened(LoopOnly())
        with anyio.CancelScope() as scope:
            async with nango:
                scope.cancel()
        return nango._core.accounts.manager.vault.store

    store = anyio.run(main, backend=backend)

    assert store._closed


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_a_request_for_a_loop_that_is_over_fails_at_once(backend: str) -> None:
    bridge = LoopBridge(LoopOnly())

    async def main() -> None:
        bridge.attach()

    anyio.run(main, backend=backend)

    with pytest.raises(httpx.ConnectError, match=r"the event loop .* has ended"):
        bridge.handle_request(httpx.Request("GET", "https://api.example.com"))


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_a_request_that_a_loop_gives_up_fails(backend: str) -> None:
    transport = LoopOnly()
    bridge, errors = LoopBridge(transport), list[BaseException]()

    def ask() -> None:
        try:
            bridge.handle_request(httpx.Request("GET", "https://api.example.com"))
        except BaseException as error:
            errors.append(error)

    asking = threading.Thread(target=ask, daemon=True)

    async def main() -> None:
        transport.go = anyio.Event()
        bridge.attach()
        asking.start()
        while not transport.asked.is_set():
            await anyio.lowlevel.checkpoint()

    anyio.run(main, backend=backend)
    asking.join(10)

    assert [httpx.ReadError] == [type(error) for error in errors]


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_a_transport_that_hangs_meets_the_deadline(backend: str) -> None:
    transport = LoopOnly()
    bridge = LoopBridge(transport)

    async def main() -> None:
        transport.go = anyio.Event()
        bridge.attach()
        request = httpx.Request("GET", "https://api.example.com")
        request.extensions[DEADLINE_EXTENSION] = time.monotonic() + 0.05
        with pytest.raises(httpx.ReadTimeout):
            await anyio.to_thread.run_sync(bridge.handle_request, request)

    anyio.run(main, backend=backend)
