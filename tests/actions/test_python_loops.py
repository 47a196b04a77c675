"""The loop and the threads that Python actions run in: shared by them, closed with the engine, begun anew by a fork."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

import nango_py
from nango_py import AsyncNango, Nango, UsageError
from tests.exchange.conftest import Server


def settings(*actions, base_url="https://birds.test/", **options):
    api = {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": base_url}}
    source = {"integrations": {"birds": api}}
    return {"source": source, "store": "memory://", "environ": {}, "actions": actions, **options}


def connected(nango):
    nango.register_connection("birds", "u", {"api_key": "k_topsecret_1"})
    return nango


@nango_py.action("birds")
async def sing(ctx, given):
    return "tirili"


@nango_py.action("birds")
def ask(ctx, given):
    return ctx.http.get("echo").status_code


@nango_py.action("birds")
async def ask_through(ctx, given):
    return await ctx.run("ask")


def test_closing_the_engine_ends_an_async_action_and_tells_its_caller():
    begun, ended = threading.Event(), []

    @nango_py.action("birds")
    async def dream(ctx, given):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    nango = connected(Nango.load(**settings(dream)))
    with ThreadPoolExecutor(1) as threads:
        dreaming = threads.submit(nango.trigger_action, "birds", "dream", "u")
        assert begun.wait(60)
        nango.close()
        with pytest.raises(UsageError, match="was closed while the action ran"):
            dreaming.result(60)

    assert [True] == ended


def test_an_action_cannot_close_the_engine_that_it_runs_in():
    @nango_py.action("birds")
    async def saw(ctx, given):
        nango.close()

    with connected(Nango.load(**settings(saw))) as nango, pytest.raises(UsageError, match="that it runs in"):
        nango.trigger_action("birds", "saw", "u")


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.mark.parametrize("name", ["ask", "ask-through"])
def test_plain_actions_share_the_connections_of_an_async_engine(server, name):
    async def main():
        async with AsyncNango.load(**settings(ask, ask_through, base_url=server.origin)) as nango:
            await nango.register_connection("birds", "u", {"api_key": "k_topsecret_1"})
            return [await nango.trigger_action("birds", name, "u") for _ in range(3)]

    assert [200] * 3 == asyncio.run(main())
    assert 1 == server.accepted


@pytest.mark.parametrize("name", ["ask", "ask-through"])
def test_plain_actions_share_the_connections_of_an_engine_for_threads(server, name):
    with connected(Nango.load(**settings(ask, ask_through, base_url=server.origin))) as nango:
        assert [200] * 3 == [nango.trigger_action("birds", name, "u") for _ in range(3)]

    assert 1 == server.accepted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_runs_async_actions_in_a_loop_of_its_own():
    with connected(
        Nango.load(**settings(sing, transport=httpx.MockTransport(lambda _: httpx.Response(200))))
    ) as nango:
        assert "tirili" == nango.trigger_action("birds", "sing", "u")
        child = os.fork()
        if not child:
            signal.alarm(60)
            os._exit(0 if nango.trigger_action("birds", "sing", "u") == "tirili" else 1)
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
        assert "tirili" == nango.trigger_action("birds", "sing", "u")


def test_closing_leaves_an_action_that_will_not_be_cancelled(monkeypatch):
    monkeypatch.setattr("nango_py.python_runs.GRACE", 0.01)
    begun, is_over = threading.Event(), threading.Event()

    @nango_py.action("birds")
    async def cling(ctx, given):
        begun.set()
        while not is_over.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    nango = connected(Nango.load(**settings(cling)))
    with ThreadPoolExecutor(1) as threads:
        clinging = threads.submit(nango.trigger_action, "birds", "cling", "u")
        assert begun.wait(60)
        nango.close()
        with pytest.raises(UsageError, match="was closed while the action ran"):
            clinging.result(60)
    is_over.set()  # the task is thrown away with its loop, and must end then


def test_a_loop_that_is_closed_begins_nothing():
    with connected(Nango.load(**settings(sing))) as nango:
        nango.trigger_action("birds", "sing", "u")
        loop = nango._loop

    with pytest.raises(UsageError, match="the engine is closed"):
        loop.run(sing)
