"""Rate limits that processes count together through their store, against a provider that counts for itself."""

from __future__ import annotations

import asyncio
import base64
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from nango_py import AsyncNango, Nango, StoreError, UsageError
from nango_py.connections.memory import MemoryStore
from nango_py.connections.opening import open_store

WORKER = str(Path(__file__).with_name("limited_worker.py"))
PATIENCE = 120.0


class Provider(ThreadingHTTPServer):
    """Refill 50 tokens a second up to 5, work on 2 requests at once, and refuse what comes beyond either."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.level, self.at, self.busy = 5.0, time.monotonic(), 0
        self.seen, self.refused = [], []
        self.hangs, self.pair = threading.Event(), threading.Barrier(2)

    def admit(self, path):
        with self.lock:
            now = time.monotonic()
            self.level, self.at = min(5.0, self.level + (now - self.at) * 50.0), now
            self.seen.append(path)
            if self.level < 1 or self.busy >= 2:
                self.refused.append((path, self.level, self.busy))
                return False
            self.level -= 1
            self.busy += 1
            return True

    def leave(self):
        with self.lock:
            self.busy -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        is_admitted = self.server.admit(self.path)
        if self.path == "/hang":
            self.server.hangs.set()
            self.connection.settimeout(PATIENCE)
            self.connection.recv(1)  # until the client dies
            self.server.leave()
            self.close_connection = True
            return
        if self.path == "/pair":
            self.server.pair.wait(PATIENCE)
        if is_admitted:
            self.server.leave()
        self.send_response(200 if is_admitted else 429)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    monkeypatch.setenv("NANGO_ENCRYPTION_KEYS", base64.b64encode(b"k" * 32).decode())


@pytest.fixture
def provider():
    server = Provider()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def start(provider, store, task):
    url = f"http://127.0.0.1:{provider.server_address[1]}/"
    command = [sys.executable, "-W", "error", WORKER, url, store, task]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_four_processes_keep_to_one_limit_and_one_that_is_killed_blocks_nobody(shared_url, provider):
    register(shared_url)
    victim = start(provider, shared_url, "hang")
    assert provider.hangs.wait(PATIENCE)
    others = [start(provider, shared_url, name) for name in ("b", "c", "d")]
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    said = [other.communicate(timeout=PATIENCE)[0].strip() for other in others]

    assert ["40", "40", "40"] == said
    assert [] == provider.refused
    # Both slots are free again, the killed one's too.
    assert "[200, 200]" == start(provider, shared_url, "pair").communicate(timeout=PATIENCE)[0].strip()
    assert [] == provider.refused


def register(url):
    with Nango.load(declared(), store=url) as nango:
        nango.register_connection("a", "user", {})


def declared(*limits, **more):
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "NONE"},
                "requests": {"base_url": "https://api.example.com/"},
                "rate_limit": list(limits),
                "rate_limit_shared": True,
                **more,
            }
        }
    }


def answering(headers=None):
    return httpx.MockTransport(lambda request: httpx.Response(200, json={}, headers=headers or {}))


def test_limits_tell_what_others_have_used(shared_url):
    source = declared({"limit": 10, "per": 3600, "scope": "integration", "name": "hourly"})
    register(shared_url)
    with (
        Nango.load(source, store=shared_url, transport=answering()) as one,
        Nango.load(source, store=shared_url, transport=answering()) as two,
    ):
        for nango in (one, two, one):
            nango.client("a", "user").get("x")

        assert [("hourly", 7)] == [(limit.name, limit.left) for limit in two.limits("a", "user")]


def test_the_same_in_tasks(shared_url):
    source = declared({"limit": 100, "per": 3600, "concurrency": 2})
    register(shared_url)

    async def main():
        async with AsyncNango.load(source, store=shared_url, transport=answering()) as nango:
            async with nango.client("a", "user") as client:
                answers = await asyncio.gather(*[client.get("x") for _ in range(20)])
            return [answer.status_code for answer in answers], await nango.limits("a", "user")

    statuses, limits = asyncio.run(main())
    assert [200] * 20 == statuses
    assert [80, 2] == [limit.left for limit in limits]


def test_what_one_process_learns_from_headers_the_other_keeps_to(shared_url):
    register(shared_url)
    headers = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3000"}
    with (
        Nango.load(declared(), store=shared_url, transport=answering(headers)) as one,
        Nango.load(declared(), store=shared_url, transport=answering(headers)) as two,
    ):
        one.client("a", "user").get("x")
        one.limits("a", "user")

        assert [("x-ratelimit", 0)] == [(limit.name, limit.left) for limit in two.limits("a", "user")]


def test_a_provider_without_limits_costs_no_transaction_after_the_first_answers(shared_url):
    register(shared_url)
    counted = Counted(open_store(shared_url, {}))
    with Nango.load(declared(), store=counted, transport=answering()) as nango:
        client = nango.client("a", "user")
        for _ in range(3):
            client.get("x")
        nango.limits("a", "user")
        before = counted.revised
        for _ in range(20):
            client.get("x")

        assert before == counted.revised


def test_a_closed_engine_leaves_nothing_behind(shared_url):
    source = declared({"concurrency": 1})
    register(shared_url)
    for _ in range(2):
        with Nango.load(source, store=shared_url, transport=answering()) as nango:
            assert 200 == nango.client("a", "user").get("x").status_code


def test_a_store_that_is_away_is_a_store_error_and_nothing_is_sent(shared_url):
    register(shared_url)
    sent = []
    transport = httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200))
    counted = Counted(open_store(shared_url, {}))
    with Nango.load(declared({"limit": 1, "per": 1}), store=counted, transport=transport) as nango:
        counted.is_down = True
        with pytest.raises(StoreError, match=r"'a': nothing was sent, for .* \(rate_limit_shared\).*: it is away\."):
            nango.client("a", "user").get("x")
        counted.is_down = False

    assert [] == sent


def test_a_store_of_this_process_alone_counts_as_without_the_key():
    with Nango.load(declared({"limit": 2, "per": 60}), store="memory://", transport=answering()) as nango:
        nango.register_connection("a", "user", {})
        nango.client("a", "user").get("x")

        assert [1] == [limit.left for limit in nango.limits("a", "user")]


def test_a_store_that_cannot_count_says_what_to_do(tmp_path):
    class Older:
        shared, may_make_key, own_key, location = True, False, b"k" * 32, "older://"

        def close(self):
            pass

    with Nango.load(declared(), store=Older()) as nango:
        with pytest.raises(UsageError, match=r"older:// has no `revise`\. Use PostgreSQL or SQLite"):
            nango.limits("a", "user")


def test_defaults_may_share_the_limits_of_every_integration():
    source = declared()
    del source["integrations"]["a"]["rate_limit_shared"]
    source["defaults"] = {"rate_limit_shared": True}

    assert Nango.load(source, store=MemoryStore())._core.integration("a").rate_limit_shared


class Counted:
    """A store that counts how often something was revised."""

    def __init__(self, store):
        self._store, self.revised, self.is_down = store, 0, False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def revise(self, name, change):
        if self.is_down:
            raise StoreError("it is away.")
        self.revised += 1
        self._store.revise(name, change)


def test_threads_that_revise_at_once_lose_nothing(store):
    def add(_):
        store.revise("n", lambda text, now: (str(int(text or 0) + 1), 60.0))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    seen = []
    store.revise("n", lambda text, now: (seen.append(text) or text, 60.0))

    assert ["40"] == seen


def test_a_change_that_raises_changes_nothing(store):
    store.revise("n", lambda text, now: ("before %s \\ ' é", 60.0))
    with pytest.raises(ZeroDivisionError):
        store.revise("n", lambda text, now: 1 / 0)
    seen = []
    store.revise("n", lambda text, now: (seen.append(text) or text, 60.0))

    assert ["before %s \\ ' é"] == seen


def test_a_count_is_purged_when_it_matters_no_more(store):
    store.revise("old", lambda text, now: ("x", -1.0))
    store.revise("new", lambda text, now: ("y", 60.0))
    seen = []
    store.revise("old", lambda text, now: (seen.append(text) or "z", 60.0))

    assert [None] == seen


def test_tasks_that_are_cancelled_at_any_moment_keep_no_slot(shared_url):
    source = declared({"concurrency": 2})
    register(shared_url)

    async def answer(request):
        await asyncio.sleep(0)
        return httpx.Response(200, json={})

    async def main():
        async with (
            AsyncNango.load(source, store=shared_url, transport=httpx.MockTransport(answer)) as one,
            AsyncNango.load(source, store=shared_url, transport=httpx.MockTransport(answer)) as two,
        ):
            tasks = []
            for number in range(40):
                client = (one, two)[number % 2].client("a", "user")
                tasks.append(asyncio.ensure_future(client.get("x")))
            waited = 0
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0)
                waited += 1
                if waited % 20 == 0:
                    tasks[waited // 20 * 7 % 40].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return await one.limits("a", "user"), await two.limits("a", "user"), await one.limits("a", "user")

    seen = asyncio.run(main())
    assert [2] == [limit.left for limit in seen[-1]]
