"""HTTP/2 over a server that speaks it (Hypercorn), behind TLS."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from hypercorn.asyncio import serve as serve_app
from hypercorn.config import Config

from nango_py import AsyncNango, Nango, http
from nango_py.exchange.pool import Pool, Profile, http2
from nango_py.exchange.pool.http2 import Frames
from nango_py.exchange.pool.wire import _tell_of_default
from tests.exchange.conftest import Authority, request
from tests.patience import patiently


class Application:
    """Answer with protocol, method, path and body; ``clients`` are the ports that requests came from."""

    def __init__(self):
        self.clients, self.ended = [], threading.Event()
        self.gate = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.clients.append(scope["client"][1])
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"s=cookie-secret")]})
        path = scope["path"]
        if path == "/endless":
            await self._drip(receive, send)
            return
        if path == "/slow":
            await asyncio.to_thread(self.gate.wait)
        text = f"{scope['http_version']} {scope['method']} {path} {body.decode()}".strip().encode()
        text = b"x" * 300_000 if path == "/large" else text
        await send({"type": "http.response.body", "body": text})

    async def _drip(self, receive, send):
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.002)
        self.ended.set()


class Http2Server:
    def __init__(self, certificate, key, **options):
        self.application = Application()
        config = Config()
        config.bind = ["127.0.0.1:0"]
        config.certfile, config.keyfile = certificate, key
        config.graceful_timeout = 0.1
        config.errorlog = None
        for name, value in options.items():
            setattr(config, name, value)
        self._sockets = config.create_sockets
        config.create_sockets = self._bound
        self._config, self._bound_event = config, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        assert self._bound_event.wait(20)

    def _bound(self):
        sockets = self._sockets()
        self.origin = f"https://127.0.0.1:{sockets.secure_sockets[0].getsockname()[1]}"
        sockets.secure_sockets[0].listen(100)  # who connects from now on waits until the loop accepts
        self._bound_event.set()
        return sockets

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve_app(self.application, self._config, mode="asgi", shutdown_trigger=self._stop.wait)

    def stop(self):
        self.application.gate.set()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@pytest.fixture
def serve2(authority: Authority, tmp_path):
    servers = []

    def start(**options):
        certificate, key = authority.certify("http2", tmp_path)
        servers.append(Http2Server(certificate, key, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def profile(authority):
    return Profile(verify=authority.path, http2=True)


def test_requests_go_over_http2_and_reuse_their_connection(run, serve2, profile):
    server = serve2()

    async def scenario(face):
        return [await face.get(f"{server.origin}/a{number}", profile=profile) for number in range(5)]

    assert [f"2 GET /a{number}" for number in range(5)] == run(scenario)
    assert 1 == len(set(server.application.clients))


def test_a_server_that_declines_is_spoken_to_in_http_1(run, serve2, profile):
    server = serve2(alpn_protocols=["http/1.1"])

    async def scenario(face):
        return [await face.get(f"{server.origin}/a", profile=profile) for _ in range(2)]

    assert ["1.1 GET /a"] * 2 == run(scenario)
    assert 1 == len(set(server.application.clients))


def test_other_profiles_do_not_offer_it(run, serve2, profile):
    server = serve2()
    plain = Profile(verify=profile.verify)

    async def scenario(face):
        return [await face.get(f"{server.origin}/a", profile=one) for one in (profile, plain, profile, plain)]

    assert ["2 GET /a", "1.1 GET /a"] * 2 == run(scenario)


def test_bodies_go_both_ways(run, serve2, profile):
    server = serve2()

    async def scenario(face):
        sent = request(f"{server.origin}/up", method="POST", content=b"y" * 200_000, profile=profile)
        return len(await face.read(await face.send(sent))), len(
            await face.get(f"{server.origin}/large", profile=profile)
        )

    assert (len("2 POST /up ") + 200_000, 300_000) == run(scenario)


def test_an_answer_that_is_closed_early_ends_its_connection(run, serve2, profile):
    server = serve2()

    async def scenario(face):
        answer = await face.send(request(f"{server.origin}/endless", profile=profile))
        await face.close(answer)
        return answer.http_version, face.lines(), await face.get(f"{server.origin}/a", profile=profile)

    assert ("HTTP/2", (0, 0), "2 GET /a") == run(scenario)
    assert server.application.ended.wait(20)


def test_a_read_timeout_ends_its_connection_only(run, serve2, profile):
    server = serve2()

    def check(span):
        async def scenario(face):
            await face.get(f"{server.origin}/a", profile=profile)
            timeout = {"connect": 20, "read": span, "write": 20, "pool": 20}
            answer = await face.send(request(f"{server.origin}/slow", profile=profile, timeout=timeout))
            with pytest.raises(http.ReadTimeout):
                await face.read(answer)
            return await face.get(f"{server.origin}/a", profile=profile), face.lines()

        assert ("2 GET /a", (0, 1)) == run(scenario)

    patiently(check)


def frame(kind, payload, stream=0):
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + payload


def goodbye(last_stream, code=0):
    return frame(7, last_stream.to_bytes(4, "big") + code.to_bytes(4, "big") + b"told")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_goodbye_that_lets_the_request_end_is_withheld(size):
    frames = Frames()
    frames.is_spoken = True
    frames.begin()
    before, after = frame(4, b""), frame(0, b"answer" * 20, 1)
    sent = before + goodbye(1) + after + goodbye(2**31 - 1)
    seen = b"".join(frames.pass_on(sent[start : start + size]) for start in range(0, len(sent), size))

    assert (before + after, True) == (seen, frames.is_ending)


class Talker:
    """Say something whenever it is read, at most a thousand times."""

    def __init__(self, said):
        self.said = said
        self.reads = 0

    def read(self, max_bytes, timeout=None):
        self.reads += 1
        assert self.reads < 1000, "it is listened to without end"
        return self.said


class AsyncTalker(Talker):
    async def read(self, max_bytes, _seconds):
        return super().read(max_bytes)


@pytest.mark.parametrize("said", [b"\0", goodbye(2**31 - 1)], ids=["byte by byte", "goodbyes"])
def test_a_server_that_talks_without_end_is_not_listened_to(said):
    talkers = Talker(said), AsyncTalker(said)
    spoken = [Frames(), Frames()]
    for frames in spoken:
        frames.is_spoken = True
    streams = http2._Stream(talkers[0], spoken[0]), http2._AsyncStream(talkers[1], spoken[1])

    assert (False, False) == (streams[0].listens(), anyio.run(streams[1].listens))
    assert max(talker.reads for talker in talkers) <= 16


@pytest.mark.parametrize("told", [goodbye(1), goodbye(3, code=2)])
def test_a_goodbye_that_ends_the_request_is_passed_on(told):
    frames = Frames()
    frames.is_spoken = True
    frames.begin()
    frames.begin()

    assert (told, False) == (frames.pass_on(told), frames.is_ending)


def test_a_server_that_closes_an_idle_connection_is_connected_to_anew(run, serve2, profile):
    def check(span):
        server = serve2(keep_alive_timeout=span)

        async def scenario(face):
            texts = [await face.get(f"{server.origin}/a", profile=profile)]
            (line,) = books_of(face)._idle
            connection = getattr(line.connection, "_other", line.connection)  # the fast pool hands HTTP/2 on
            ends_at = time.monotonic() + 20 + span
            while not connection._is_called and time.monotonic() < ends_at:
                time.sleep(0.01)  # noqa: ASYNC251 - the server lives in a thread of its own
            return [*texts, await face.get(f"{server.origin}/b", profile=profile)]

        assert ["2 GET /a", "2 GET /b"] == run(scenario)
        assert 2 == len(set(server.application.clients))

    patiently(check)


def books_of(face):
    return face.pool._books if isinstance(face.pool, Pool) else next(iter(face.pool._loops.values()))


def test_threads_have_a_connection_each(serve2, profile):
    server = serve2()
    with_pool = Pool(environ={})

    def get(number):
        answer = with_pool.handle_request(request(f"{server.origin}/{number}", profile=profile))
        try:
            return answer.read().decode()
        finally:
            answer.close()

    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(get, range(80)))
    with_pool.close()

    assert [f"2 GET /{number}" for number in range(80)] == texts
    assert len(set(server.application.clients)) <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_connects_for_itself(serve2, profile):
    server = serve2()
    pool = Pool(environ={})

    def get():
        answer = pool.handle_request(request(f"{server.origin}/a", profile=profile))
        try:
            return answer.read()
        finally:
            answer.close()

    before = get()
    child = os.fork()
    if child == 0:
        os._exit(0 if get() == b"2 GET /a" else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = get()
    pool.close()

    assert [b"2 GET /a"] * 2 == [before, after]
    assert [0, 1, 0] == [server.application.clients.index(port) for port in server.application.clients]


def test_debug_logs_of_the_libraries_below_show_no_header(run, serve2, profile, caplog):
    server = serve2()

    async def scenario(face):
        headers = {"Authorization": "Bearer token-secret"}
        return await face.get(f"{server.origin}/a", profile=profile, headers=headers)

    names = [*logging.Logger.manager.loggerDict]
    with caplog.at_level(logging.DEBUG):
        for name in names:
            if name.startswith(("hpack", "h2", "httpcore")):
                caplog.set_level(logging.DEBUG, logger=name)
        run(scenario)
    ours = [record.getMessage() for record in caplog.records if record.threadName == "MainThread"]

    assert ours
    assert not [text for text in ours if "secret" in text]


def declared(server, authority):
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "NONE"},
                "requests": {"base_url": f"{server.origin}/"},
                "network": {"verify": authority.path, "http2": True},
            }
        }
    }


@pytest.mark.parametrize("pool", ["default", "fast"])
def test_an_integration_asks_for_it(serve2, authority, pool):
    server = serve2()
    with Nango.load(declared(server, authority), store="memory://", pool=pool) as nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            answers = [client.get("me"), client.post("me", json={})]

    assert ["HTTP/2", "HTTP/2"] == [answer.http_version for answer in answers]


@pytest.mark.parametrize("pool", ["default", "fast"])
def test_tasks_ask_for_it(serve2, authority, pool):
    server = serve2()

    async def main():
        async with AsyncNango.load(declared(server, authority), store="memory://", pool=pool) as nango:
            await nango.register_connection("a", "u", {})
            async with nango.client("a", "u") as client:
                return await asyncio.gather(*[client.get(f"{number}") for number in range(20)])

    assert ["HTTP/2"] * 20 == [answer.http_version for answer in asyncio.run(main())]


def test_the_fast_pool_says_once_what_it_leaves(serve2, authority, caplog):
    _tell_of_default.cache_clear()
    server = serve2()
    with (
        caplog.at_level(logging.INFO, logger="nango_py"),
        Nango.load(declared(server, authority), store="memory://", pool="fast") as nango,
    ):
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("me").raise_for_status()

    (line,) = [message for message in caplog.messages if "pool.default" in message]
    assert 'pool="fast" leaves HTTP/2 to the default pool' in line.replace("\\", "")


def test_a_missing_package_is_told_at_load(monkeypatch):
    from nango_py.declare import build

    monkeypatch.setattr(build, "find_spec", lambda module: None)
    source = {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "NONE"},
                "requests": {"base_url": "https://api.example.com/"},
                "network": {"http2": True},
            }
        }
    }
    (problem,) = Nango.load(source, store="memory://").problems

    assert ("/network/http2", "network.http2 needs the package h2.", "Install it: pip install 'nango-py[http2]'.") == (
        problem.pointer.removeprefix("/integrations/a"), problem.message, problem.hint
    )  # fmt: skip
