"""``Nango.load(pool="fast")``."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from nango_py import AsyncNango, Nango
from nango_py.errors import OutputError, UsageError
from nango_py.exchange.pool import wire
from nango_py.exchange.pool.fast import FastConnection
from nango_py.exchange.pool.fast_async import AsyncFastConnection


def declared(server):
    return {
        "integrations": {
            "it": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": server.origin},
                "actions": {"get": {"request": {"path": "echo"}}},
            }
        }
    }


def load(kind, server, **options):
    return kind.load(declared(server), store="memory://", environ=options.pop("environ", {}), **options)


@pytest.fixture
def untold():
    wire._tell_of_default.cache_clear()


@pytest.mark.parametrize("kind", [Nango, AsyncNango])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pool": "fats"}, "pool='fats' is none of 'default', 'fast'. Did you mean 'fast'?"),
        (
            {"pool": "fast", "transport": httpx.MockTransport(lambda _: httpx.Response(200))},
            "transport= takes the place of every pool: leave out pool='fast', or transport=.",
        ),
    ],
)
def test_what_no_pool_can_be_is_refused(server, kind, options, told):
    with pytest.raises(UsageError) as caught:
        load(kind, server, **options)
    assert told == str(caught.value)


@pytest.mark.parametrize(("pool", "is_fast"), [("fast", True), ("default", False)])
def test_clients_and_actions_of_threads_go_through_the_chosen_pool(server, pool, is_fast):
    with load(Nango, server, pool=pool) as nango:
        nango.register_connection("it", "u", {"api_key": "key-1"})
        with nango.client("it", "u") as client:
            text = client.get("echo").text
        with pytest.raises(OutputError):
            nango.trigger_action("it", "get", "u")
        (line,) = nango._pool._books._lines

    assert ("1 GET /echo", is_fast) == (text, type(line.connection) is FastConnection)
    assert [(1, "GET /echo")] * 2 == server.log


def test_clients_and_actions_of_loops_go_through_the_chosen_pool(server):
    async def main():
        async with load(AsyncNango, server, pool="fast") as nango:
            await nango.register_connection("it", "u", {"api_key": "key-1"})
            async with nango.client("it", "u") as client:
                text = (await client.get("echo")).text
            (books,) = nango._pool._loops.values()
            return text, {type(line.connection) for line in books._lines}

    assert asyncio.run(main()) == ("1 GET /echo", {AsyncFastConnection})


def test_requests_through_a_proxy_are_left_to_the_default_pool_with_one_line(serve, caplog, untold):
    proxy = serve()
    with (
        caplog.at_level(logging.INFO, logger="nango_py"),
        load(Nango, proxy, pool="fast", environ={"HTTP_PROXY": proxy.origin}) as nango,
    ):
        nango.register_connection("it", "u", {"api_key": "key-1"})
        with nango.client("it", "u") as client:
            texts = [client.get(f"http://{name}.test/echo").text for name in "ab"]

    lines = [message for message in caplog.messages if "pool.default" in message]
    assert ["1 GET http://a.test/echo", "2 GET http://b.test/echo"] == texts
    assert lines == ["event='pool.default' reason='pool=\"fast\" leaves proxies to the default pool' level='info'"]
