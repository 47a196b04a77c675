"""Send as much as a rate limit permits and print what was reached: ``python benchmarks/throughput.py``.

Two providers on loopback, in a process of their own: a true token bucket (50 a second, 10 at once) and fixed windows
(100 in 2 seconds). 64 workers ask without a pause. Their limits are first learnt from headers (limit, remaining,
reset), then declared. Beside the engine run httpx with httpx-retries and with tenacity, where those are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import multiprocessing
import threading
import time
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx

from nango_py import AsyncNango, Nango

WORKERS = 64
DECLARED = {
    "bucket": [{"limit": 50, "per": 1, "burst": 10}],
    "window": [{"limit": 100, "per": 2}],
}


class TokenBucket:
    """Refill 50 tokens a second up to 10."""

    rate, burst = 50.0, 10.0

    def __init__(self):
        self.began, self.level, self.at = None, self.burst, 0.0

    def count(self, now):
        if self.began is None:
            self.began = self.at = now
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        granted = self.level >= 1
        if granted:
            self.level -= 1
        wait = max(0.0, (1 - self.level) / self.rate)
        return granted, int(self.burst), math.floor(self.level), (self.burst - self.level) / self.rate, wait

    def permitted(self, seconds):
        return self.burst + self.rate * seconds


class FixedWindow:
    """Permit 100 in each 2 seconds; the first request meets a window that is 0.7 s old."""

    limit, per, age = 100, 2.0, 0.7

    def __init__(self):
        self.began, self.window, self.used = None, -1, 0

    def count(self, now):
        if self.began is None:
            self.began = now
        past = now - self.began + self.age
        if past // self.per != self.window:
            self.window, self.used = past // self.per, 0
        granted = self.used < self.limit
        if granted:
            self.used += 1
        left = (self.window + 1) * self.per - past
        return granted, self.limit, self.limit - self.used, left, left

    def permitted(self, seconds):
        return self.limit * seconds / self.per


PROVIDERS = {"bucket": TokenBucket, "window": FixedWindow}


class Server(asyncio.Protocol):
    """Answer GET requests; ``/start`` begins a trial and ``/tell`` ends it."""

    limiter, granted, refused, whole = None, [], 0, False

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            self.answer(urlsplit(head.split(b" ", 2)[1].decode()))

    def answer(self, url):
        query = parse_qs(url.query)
        if url.path == "/start":
            Server.limiter, Server.granted, Server.refused = PROVIDERS[query["provider"][0]](), [], 0
            Server.whole = query["whole"][0] == "True"
            self.send(200, b"{}", "")
        elif url.path == "/tell":
            seconds = float(query["seconds"][0])
            until = Server.limiter.began + seconds
            told = {
                "granted": [job for job, at in Server.granted if at <= until],
                "order": [job for job, _ in Server.granted],
                "refused": Server.refused,
                "permitted": Server.limiter.permitted(seconds),
            }
            self.send(200, json.dumps(told).encode(), "")
        else:
            self.limited(int(query["job"][0]))

    def limited(self, job):
        now = time.monotonic()
        granted, limit, remaining, reset, wait = Server.limiter.count(now)
        said = math.ceil(reset) if Server.whole else f"{reset:.3f}"
        headers = f"X-RateLimit-Limit: {limit}\r\nX-RateLimit-Remaining: {remaining}\r\nX-RateLimit-Reset: {said}\r\n"
        if granted:
            Server.granted.append((job, now))
            self.send(200, b"{}", headers)
        else:
            Server.refused += 1
            self.send(429, b"{}", f"{headers}Retry-After: {math.ceil(wait)}\r\n")

    def send(self, status, body, headers):
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        )
        self.transport.write(head.encode() + body)


def serve(pipe):
    async def main():
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class Trial:
    """Hand out jobs until the time is over, and keep what came of them."""

    def __init__(self, seconds):
        self.seconds, self.numbers, self.done, self.failed = seconds, itertools.count(), [], []
        self.lock, self.ends = threading.Lock(), None

    def next(self):
        with self.lock:
            now = time.monotonic()
            self.ends = self.ends or now + self.seconds
            return next(self.numbers) if now < self.ends else None

    def note(self, job, ok):
        (self.done if ok else self.failed).append(job)


def in_threads(trial, get):
    def work():
        while (job := trial.next()) is not None:
            trial.note(job, attempt(get, job))

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def attempt(get, job):
    try:
        return get(f"thing?job={job}").status_code == 200
    except Exception:
        return False


async def in_tasks(trial, get):
    async def work():
        while (job := trial.next()) is not None:
            try:
                trial.note(job, (await get(f"thing?job={job}")).status_code == 200)
            except Exception:
                trial.note(job, ok=False)

    async with anyio.create_task_group() as group:
        for _ in range(WORKERS):
            group.start_soon(work)


def document(url, limits):
    return {
        "integrations": {
            "a": {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": url}, "rate_limit": limits},
        }
    }


def engine_threads(url, trial, limits):
    with Nango.load(document(url, limits), store="memory://", environ={}) as nango:
        nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
        with nango.client("a", "u") as client:
            in_threads(trial, client.get)


def engine_tasks(url, trial, limits):
    async def main():
        async with AsyncNango.load(document(url, limits), store="memory://", environ={}) as nango:
            await nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
            async with nango.client("a", "u") as client:
                await in_tasks(trial, client.get)

    asyncio.run(main())


def httpx_retries_threads(url, trial):
    from httpx_retries import Retry, RetryTransport

    transport = RetryTransport(
        transport=httpx.HTTPTransport(limits=LIMITS), retry=Retry(total=10, backoff_factor=0.5)
    )
    with httpx.Client(base_url=url, transport=transport, timeout=60) as client:
        in_threads(trial, client.get)


def httpx_retries_tasks(url, trial):
    from httpx_retries import Retry, RetryTransport

    async def main():
        inner = httpx.AsyncHTTPTransport(limits=LIMITS)
        transport = RetryTransport(transport=inner, retry=Retry(total=10, backoff_factor=0.5))
        async with httpx.AsyncClient(base_url=url, transport=transport, timeout=60) as client:
            await in_tasks(trial, client.get)

    asyncio.run(main())


def tenacity_policy():
    import tenacity

    return {
        "retry": tenacity.retry_if_result(lambda answer: answer.status_code == 429),
        "wait": tenacity.wait_random_exponential(multiplier=0.5, max=30),
        "stop": tenacity.stop_after_attempt(11),
        "retry_error_callback": lambda state: state.outcome.result(),
    }


def tenacity_threads(url, trial):
    import tenacity

    with httpx.Client(base_url=url, limits=LIMITS, timeout=60) as client:
        in_threads(trial, tenacity.retry(**tenacity_policy())(client.get))


def tenacity_tasks(url, trial):
    import tenacity

    async def main():
        async with httpx.AsyncClient(base_url=url, limits=LIMITS, timeout=60) as client:

            @tenacity.retry(**tenacity_policy())
            async def get(path):
                return await client.get(path)

            await in_tasks(trial, get)

    asyncio.run(main())


LIMITS = httpx.Limits(max_connections=WORKERS, max_keepalive_connections=WORKERS)
BESIDE = {
    "httpx-retries, threads": httpx_retries_threads,
    "httpx-retries, tasks": httpx_retries_tasks,
    "tenacity, threads": tenacity_threads,
    "tenacity, tasks": tenacity_tasks,
}


def overtaken(order):
    """Return by how many later jobs the unluckiest one was overtaken."""
    worst, before = 0, []
    for job in order:
        worst = max(worst, sum(other > job for other in before[-2000:]))
        before.append(job)
    return worst


def measure(url, name, provider, seconds, work, *, whole):
    httpx.get(f"{url}start?provider={provider}&whole={whole}")
    trial = Trial(seconds)
    try:
        work(trial)
    except ImportError as error:
        print(f"| {name} | {provider} | skipped: {error.name} is not installed |", flush=True)
        return
    told = httpx.get(f"{url}tell?seconds={seconds}").json()
    reached, tried = len(told["granted"]) / told["permitted"], len(told["order"]) + told["refused"]
    print(
        f"| {name} | {provider} | {reached:.1%} | {told['refused']} ({told['refused'] / tried:.2%}) "
        f"| {len(trial.failed)} of {len(trial.failed) + len(trial.done)} | {overtaken(told['order'])} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--whole-seconds", action="store_true", help="the providers round their resets up")
    parser.add_argument("--provider", choices=[*PROVIDERS, "both"], default="both")
    parser.add_argument("--only", default="", help="trials whose name has this text")
    options = parser.parse_args()
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{mine.recv()}/"
    print(
        "| client | provider | of the permitted | refused | lost | overtaken by at most |\n|---|---|---|---|---|---|"
    )
    for provider in PROVIDERS if options.provider == "both" else [options.provider]:
        for name, work in trials(url, provider).items():
            if options.only in name:
                measure(url, name, provider, options.seconds, work, whole=options.whole_seconds)
    process.terminate()


def trials(url, provider):
    engine = {"threads": engine_threads, "tasks": engine_tasks}
    limits = {"learnt": [], "declared": DECLARED[provider]}
    ours = {
        f"nango_py, {kind}, {how}": lambda trial, work=work, given=given: work(url, trial, given)
        for how, given in limits.items()
        for kind, work in engine.items()
    }
    return {**ours, **{name: lambda trial, work=work: work(url, trial) for name, work in BESIDE.items()}}


if __name__ == "__main__":
    main()
