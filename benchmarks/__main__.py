"""Print what the engine costs, as ratios against raw httpx in the same run: ``python -m benchmarks``."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc

import httpx

import nango_py
from benchmarks import catalogue
from benchmarks.loopback import serving
from benchmarks.pool import LIMITS, listen
from nango_py import AsyncNango, Nango

ROUNDS, REQUESTS, CONNECTIONS = 40, 50, 1000
TASKS = 64
POOLS = ("default", "fast")


def document(url):
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": url},
                "actions": {"get": {"request": {"path": "thing"}}, "slow": {"request": {"path": "slow"}}},
            },
            "token": {
                "auth": {"auth_mode": "OAUTH2", "token_url": url + "token"},
                "requests": {"base_url": url},
            },
        }
    }


def timed(work, count):
    """Return what one of *count* takes, and what it takes of this process's processor time, in seconds."""
    began, used = time.perf_counter(), time.process_time()
    work(count)
    return (time.perf_counter() - began) / count, (time.process_time() - used) / count


def compare(raw, ours, count):
    """Return the medians of ours / raw, measured in turns: of the time, and of the processor time."""
    raw(20)
    ours(20)
    turns = [(timed(raw, count), timed(ours, count)) for _ in range(ROUNDS)]
    return [statistics.median(our[which] / their[which] for their, our in turns) for which in (0, 1)]


def rows(what, ratios, budget):
    yield what, ratios[0], budget
    yield "  processor time", ratios[1], ""


def opened(url, pool):
    nango = Nango.load(document(url), store="memory://", environ={}, pool=pool)
    nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
    return nango


def requests(url):
    raw = httpx.Client(headers={"Authorization": "Bearer k"})

    def by_hand(count):
        for _ in range(count):
            raw.get(url + "thing").json()

    budgets = {"default": ("<= 1.08", "<= 0.85"), "fast": ("<= 0.9", "<= 0.55")}
    for pool in POOLS:
        with opened(url, pool) as nango:
            yield from one_connection(nango, by_hand, pool, budgets[pool])
    with opened(url, "default") as nango:
        yield from rows("a fresh token against a key that never ends", fresh_token(nango), "<= 1.02")
        for number in range(CONNECTIONS):
            nango.register_connection("a", f"u{number}", {"api_key": f"key-for-the-benchmark-{number}"})
        yield from rows("1,000 connections, one request each", many_connections(nango, by_hand), "<= 1.3")
        yield "memory a connection (KB)", memory(nango), "<= 8"


def one_connection(nango, by_hand, pool, budgets):
    client = nango.client("a", "u")

    def by_action(count):
        for _ in range(count):
            nango.trigger_action("a", "get", "u")

    yield from rows(f"GET through nango.client, {pool}", compare(by_hand, getter(client), REQUESTS), budgets[0])
    yield from rows(f"GET through an action, {pool}", compare(by_hand, by_action, REQUESTS), budgets[1])


def concurrently(once, count):
    """Return the requests a second of 64 tasks, after a first request of each."""

    async def work(times):
        for _ in range(times):
            await once()

    async def main():
        await asyncio.gather(*(work(1) for _ in range(TASKS)))
        began = time.perf_counter()
        await asyncio.gather(*(work(count // TASKS) for _ in range(TASKS)))
        return count / (time.perf_counter() - began)

    return main()


async def raw_rate(url, count):
    async with httpx.AsyncClient(limits=LIMITS, headers={"Authorization": "Bearer k"}) as client:
        return await concurrently(lambda: client.get(url), count)


async def our_rate(url, pool, way, count):
    async with AsyncNango.load(document(url), store="memory://", environ={}, pool=pool) as nango:
        await nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
        if way == "action":
            return await concurrently(lambda: nango.trigger_action("a", "get", "u"), count)
        async with nango.client("a", "u") as client:
            return await concurrently(lambda: client.get(way), count)


def together(url):
    """Yield how much more 64 tasks at once get done than with raw httpx."""
    budgets = {
        "thing": {"default": ">= 1.2", "fast": ">= 7"},
        "action": {"default": ">= 1.5", "fast": ">= 12"},
        "slow": {"default": ">= 1.2", "fast": ""},
    }
    names = {"thing": "64 GETs at once", "action": "64 actions at once", "slow": "64 GETs at once, 20 ms each"}
    for way, name in names.items():
        rates = {pool: [] for pool in POOLS}
        ratios = {pool: [] for pool in POOLS}
        for _ in range(3):
            raw = asyncio.run(raw_rate(url + ("slow" if way == "slow" else "thing"), 20 * TASKS))
            for pool in POOLS:
                rates[pool].append(asyncio.run(our_rate(url, pool, way, 20 * TASKS)))
                ratios[pool].append(rates[pool][-1] / raw)
        for pool in POOLS:
            yield f"{name}, {pool}", statistics.median(ratios[pool]), budgets[way][pool]
            yield "  a second", statistics.median(rates[pool]), ""
        if way == "slow":
            yield "  fast, of the ideal", statistics.median(rates["fast"]) / (TASKS / 0.02), ">= 0.85"


def fresh_token(nango):
    """Return what it costs that a token's end has to be watched."""
    tokens = {"access_token": "token-for-the-benchmark", "refresh_token": "r", "expires_in": 36_000}
    nango.register_connection("token", "u", tokens)
    with nango.client("a", "u") as key, nango.client("token", "u") as token:
        return compare(getter(key), getter(token), REQUESTS)


def getter(client):
    def get(count):
        for _ in range(count):
            client.get("thing").json()

    return get


def forget_all(nango):
    """Let every connection be read anew."""
    nango._core.accounts.manager._known.clear()  # noqa: SLF001
    nango._core._sessions._known.clear()  # noqa: SLF001


def many_connections(nango, by_hand):
    def each_connection(count):
        for number in range(count):
            with nango.client("a", f"u{number}") as one:
                one.get("thing").json()

    ratios = []
    for _ in range(5):
        their = timed(by_hand, CONNECTIONS)
        forget_all(nango)
        ratios.append([our / raw for our, raw in zip(timed(each_connection, CONNECTIONS), their, strict=True)])
    return [statistics.median(column) for column in zip(*ratios, strict=True)]


def memory(nango):
    forget_all(nango)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(CONNECTIONS):
        session = nango._core.session("a", f"u{number}")  # noqa: SLF001
        nango._driver.run(session.open())  # noqa: SLF001
    kilobytes = (tracemalloc.get_traced_memory()[0] - before) / CONNECTIONS / 1024
    tracemalloc.stop()
    return kilobytes


ONLY_IN_TESTS = ("pygments", "trio")
"""What httpx and httpcore import wherever it is installed, and nango_py does not install."""


def started(code):
    code = f"import sys\nsys.modules.update(dict.fromkeys({ONLY_IN_TESTS!r}))\n{code}"
    with tempfile.TemporaryDirectory() as folder:
        # As after `pip install`: compiled once, whatever this shell says about that.
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}

        def once():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environ)
            return (time.perf_counter() - began) * 1000

        once()
        return statistics.median(once() for _ in range(9))


def starting(url):
    bare = started("pass")
    yield "import nango_py over bare Python (ms)", started("import nango_py") - bare, "<= 30"
    yield (
        "nango-py --help over bare Python (ms)",
        started("from nango_py.cli import main; main(['--help'])") - bare,
        "<= 100",
    )
    code = (
        f"from nango_py import Nango\nn = Nango.load({document(url)!r}, store='memory://', environ={{}})\n"
        "n.register_connection('a', 'u', {'api_key': 'key'})\nn.client('a', 'u').get('thing').json()"
    )
    yield "process start to first answer (ms)", started(code), "<= 300"


def main():
    with serving(listen) as url:
        print(f"Python {platform.python_version()}, httpx {httpx.__version__}, nango_py {nango_py.__version__}")
        print(f"{'what':44} {'measured':>9}  budget")
        chosen = sys.argv[1:] or ["requests", "together", "loading", "starting"]
        parts = {
            "requests": lambda: requests(url),
            "together": lambda: together(url),
            "loading": catalogue.measured,
            "starting": lambda: starting(url),
        }
        for name in chosen:
            for what, measured, budget in parts[name]():
                print(f"{what:44} {measured:9.2f}  {budget}", flush=True)


if __name__ == "__main__":
    main()
