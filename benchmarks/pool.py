"""Ratios of our pool against raw httpx, measured in turns in one run: ``python benchmarks/pool.py [rounds]``.

Above 1.00 the pool is faster. "transport" rows compare the transports alone, the others put an httpx client on top.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.loopback import serving
from nango_py.exchange.pool import AsyncPool, Pool

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"ok": "yes"}'
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)


class Serve(asyncio.Protocol):
    """Answer every GET, one at a time, with as little work as possible: what is measured is the client."""

    def connection_made(self, transport):
        self.transport, self.received = transport, b""

    def data_received(self, data):
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        if b"/slow" in self.received:
            asyncio.get_running_loop().call_later(0.02, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)
        self.received = b""


async def listen(host, port):
    return await asyncio.get_running_loop().create_server(Serve, host, port)


def concurrently(transport, url, *, requests, tasks=64):
    async def main():
        async with httpx.AsyncClient(transport=transport()) as client:

            async def work(times):
                for _ in range(times):
                    (await client.get(url)).raise_for_status()

            await asyncio.gather(*(work(1) for _ in range(tasks)))
            start = time.perf_counter()
            await asyncio.gather(*(work(requests // tasks) for _ in range(tasks)))
            return requests / (time.perf_counter() - start)

    return asyncio.run(main())


def threaded(transport, url, *, requests, threads=8):
    with httpx.Client(transport=transport()) as client, ThreadPoolExecutor(threads) as executor:
        list(executor.map(client.get, [url] * threads))
        start = time.perf_counter()
        list(executor.map(client.get, [url] * requests))
        return requests / (time.perf_counter() - start)


def sequentially(transport, url, *, requests):
    with transport() as opened:
        opened.handle_request(httpx.Request("GET", url)).read()
        start = time.perf_counter()
        for _ in range(requests):
            opened.handle_request(httpx.Request("GET", url)).read()
        return requests / (time.perf_counter() - start)


def sequentially_async(transport, url, *, requests):
    async def main():
        async with transport() as opened:
            await (await opened.handle_async_request(httpx.Request("GET", url))).aread()
            start = time.perf_counter()
            for _ in range(requests):
                await (await opened.handle_async_request(httpx.Request("GET", url))).aread()
            return requests / (time.perf_counter() - start)

    return asyncio.run(main())


def raw():
    return httpx.HTTPTransport(limits=LIMITS)


def raw_async():
    return httpx.AsyncHTTPTransport(limits=LIMITS)


def cases(url):
    yield "async, 64 at once", lambda t: concurrently(t, url, requests=1280), raw_async, AsyncPool
    yield "async, 64 at once, 20 ms", lambda t: concurrently(t, url + "slow", requests=1280), raw_async, AsyncPool
    yield "sync, 8 threads", lambda t: threaded(t, url, requests=1200), raw, Pool
    yield "sync, transport, one by one", lambda t: sequentially(t, url, requests=1000), raw, Pool
    yield "async, transport, one by one", lambda t: sequentially_async(t, url, requests=600), raw_async, AsyncPool


def main(rounds):
    with serving(listen) as url:
        print(f"{'':30}{'httpx':>9}{'pool':>9}{'ratio':>8}   requests/s, median of {rounds} rounds in turns")
        for name, measure, theirs, ours in cases(url):
            pairs = [(measure(theirs), measure(ours)) for _ in range(rounds)]
            left, right = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(ours / theirs for theirs, ours in pairs)
            print(f"{name:30}{left:9.0f}{right:9.0f}{ratio:8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
