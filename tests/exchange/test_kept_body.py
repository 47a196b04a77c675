"""An answer that was read to judge it reaches its caller as if nobody had read it."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from tests.connections.faulty import FIRST_ACCESS, granted, opened
from tests.exchange.test_loops import ASYNC_BACKENDS
from tests.exchange.test_refused_answers import loaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PLAIN = b'{"error":"other"}'
DEAD = {"dead_token": {"path": "error", "values": ["token_expired"]}}


class Once(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as it comes from a network: it can be read once."""

    def __init__(self, body: bytes) -> None:
        self._parts = [body]

    def __iter__(self) -> Iterator[bytes]:
        while self._parts:
            yield self._parts.pop()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


def answer(status: int, coding: str) -> tuple[httpx.Response, bytes]:
    raw = gzip.compress(PLAIN) if coding == "gzip" else PLAIN
    headers = {"Content-Type": "application/json", "Content-Length": str(len(raw)), "Content-Encoding": coding}
    return httpx.Response(status, headers=headers, stream=Once(raw)), raw


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("reader", ["iter_bytes", "iter_raw"])
def test_it_can_be_streamed(reader: str, status: int, coding: str) -> None:
    with opened(granted(1), auth=DEAD) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.provider.sign, raw = answer(status, coding)
        nango: Any = account.nango._nango  # type: ignore[attr-defined]
        with nango.client("it", "ann") as client, client.stream("GET", "/x") as streamed:
            whole = b"".join(getattr(streamed, reader)())

        assert (raw if reader == "iter_raw" else PLAIN) == whole


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_it_is_read_as_any_other(coding: str) -> None:
    with opened(granted(1), auth=DEAD) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.provider.sign, _ = answer(200, coding)
        got = account.get()

        assert (PLAIN, True) == (got.content, got.is_closed)
        assert got.elapsed >= timedelta(0)


@pytest.mark.parametrize("backend", ASYNC_BACKENDS)
def test_it_can_be_streamed_beside_an_event_loop(backend: str) -> None:
    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            del request
            return answer(403, "gzip")[0]

    async def main() -> bytes:
        nango, _ = await loaded(Transport(), auth=DEAD)
        async with nango, nango.client("it", "ann") as client, client.stream("GET", "/x") as streamed:
            return b"".join([part async for part in streamed.aiter_raw()])

    assert PLAIN == gzip.decompress(anyio.run(main, backend=backend))
