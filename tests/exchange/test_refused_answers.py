"""What becomes of an answer whose token was refused, and whose token that was."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from nango_py import AsyncNango
from nango_py.testing import ManualClock
from tests.connections.faulty import FIRST_ACCESS, LIFETIME, declared, granted, opened
from tests.exchange.test_loops import ASYNC_BACKENDS
from tests.servers.faces import BACKENDS, KEYS


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refusal_of_the_caller_s_own_header_renews_nothing(backend: str) -> None:
    with opened(granted(1), backend=backend) as account:
        account.clock.advance(LIFETIME / 2)
        account.provider.dead = {"mine"}
        answer = account.nango.send("it", "ann", "GET", "/x", headers={"Authorization": "Bearer mine"})

        assert (401, ["mine"], []) == (answer.status_code, account.provider.seen, account.provider.asked)


class Body(httpx.AsyncByteStream):
    """The body of a refusal, which tells whether it was closed."""

    closed = False

    async def __aiter__(self) -> Any:
        yield b"{}"

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed = True


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_a_requester_that_gives_up_while_its_token_is_renewed_closes_the_refusal(backend: str) -> None:
    body = Body()

    async def main() -> None:
        asked, go = anyio.Event(), anyio.Event()

        class Transport(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if request.url.host == "login.example.com":
                    asked.set()
                    await go.wait()
                    return granted(1)
                return httpx.Response(401, stream=body)

        nango, clock = await loaded(Transport())
        async with nango, nango.client("it", "ann") as client:
            clock.advance(LIFETIME / 2)
            async with anyio.create_task_group() as group:
                group.start_soon(client.get, "/x")
                await asked.wait()
                group.cancel_scope.cancel()
            go.set()

    anyio.run(main, backend=backend)

    assert body.closed


async def loaded(
    transport: httpx.AsyncBaseTransport, auth: dict[str, Any] | None = None
) -> tuple[AsyncNango, ManualClock]:
    clock = ManualClock()
    nango = AsyncNango.load(
        {"integrations": {"it": declared(**(auth or {}))}},
        store="memory://",
        transport=transport,
        clock=clock,
        environ={"NANGO_ENCRYPTION_KEYS": KEYS},
    )
    tokens = {"access_token": FIRST_ACCESS, "refresh_token": "refresh-0", "expires_in": LIFETIME}
    await nango.register_connection("it", "ann", tokens)
    return nango, clock
