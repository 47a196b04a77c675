"""500 children of a list at once, against the same in hand-written async httpx: ``python -m benchmarks.for_each``.

Both ways in turns in one run; above 1.00 the action is faster. The provider answers at once, or after 20 ms.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

import httpx

from benchmarks.loopback import serving
from nango_py import AsyncNango, Nango

CHILDREN, CONCURRENCY = 500, 32
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
OWNERS = json.dumps({"data": [{"id": number} for number in range(CHILDREN)]}).encode()
CHILD = b'{"id": 1, "subject": "Anvils", "status": "open"}'


async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"/slow" in head:
                await asyncio.sleep(0.02)
            body = OWNERS if b"/owners HTTP" in head else CHILD
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: %d\r\n\r\n%b" % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def listen(host, port):
    return asyncio.start_server(serve, host, port)


def document(url):
    child = {
        "request": {"path": "owners/${item.id}/${input.kind}"},
        "output": {"map": {"subject": "${item.subject}"}},
    }
    steps = [
        {"name": "owners", "request": {"path": "owners"}, "output": {"value": "data"}},
        {"name": "children", "for_each": "${steps.owners}", "concurrency": CONCURRENCY, **child},
    ]
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": url},
                "actions": {"children": {"input": {"type": "object"}, "steps": steps}},
            }
        }
    }


async def by_hand(url, kind):
    gate = asyncio.Semaphore(CONCURRENCY)
    async with httpx.AsyncClient(base_url=url, limits=LIMITS, headers={"Authorization": "Bearer k"}) as client:

        async def child(owner):
            async with gate:
                answer = await client.get(f"owners/{owner['id']}/{kind}")
                answer.raise_for_status()
                return {"subject": answer.json()["subject"]}

        async def once():
            answer = await client.get("owners")
            answer.raise_for_status()
            return await asyncio.gather(*(child(owner) for owner in answer.json()["data"]))

        await once()
        began = time.perf_counter()
        assert len(await once()) == CHILDREN
        return time.perf_counter() - began


async def by_action(url, kind, pool):
    async with AsyncNango.load(document(url), store="memory://", environ={}, pool=pool) as nango:
        await nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
        await nango.trigger_action("a", "children", "u", {"kind": kind})
        began = time.perf_counter()
        assert len(await nango.trigger_action("a", "children", "u", {"kind": kind})) == CHILDREN
        return time.perf_counter() - began


def in_threads(url, kind, pool):
    with Nango.load(document(url), store="memory://", environ={}, pool=pool) as nango:
        nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
        nango.trigger_action("a", "children", "u", {"kind": kind})
        began = time.perf_counter()
        assert len(nango.trigger_action("a", "children", "u", {"kind": kind})) == CHILDREN
        return time.perf_counter() - began


WAYS = {
    "tasks, default pool": lambda url, kind: asyncio.run(by_action(url, kind, "default")),
    "tasks, fast pool": lambda url, kind: asyncio.run(by_action(url, kind, "fast")),
    "threads, default pool": lambda url, kind: in_threads(url, kind, "default"),
}


def main(rounds):
    with serving(listen) as url:
        for kind, title in (("quick", "answers at once"), ("slow", "answers after 20 ms")):
            print(f"{CHILDREN} children, {CONCURRENCY} at once, {title} (goal for tasks: >= 0.90)")
            for name, way in WAYS.items():
                times = [(asyncio.run(by_hand(url, kind)), way(url, kind)) for _ in range(rounds)]
                ratio = statistics.median(raw / ours for raw, ours in times)
                raw, ours = (statistics.median(column) for column in zip(*times, strict=True))
                print(f"  {name:24}{ratio:6.2f}   {raw * 1000:6.0f} ms by hand, {ours * 1000:6.0f} ms by action")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
