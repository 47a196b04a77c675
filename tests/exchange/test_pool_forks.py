from __future__ import annotations

import asyncio
import os
import signal
import sys
import warnings

import pytest

from nango_py.errors import UsageError
from nango_py.exchange.pool import AsyncPool, Pool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")


def forked(work):
    """Run the work in a child; return (its process id, the pipe that brings the result)."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of threads at a fork: here they are the server's, which the child does not use.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    # A child that waits for a lock of its parent must not outlive the test.
    signal.alarm(20)
    try:
        os.write(writing, work().encode())
    except BaseException as error:
        os.write(writing, repr(error).encode())
    os._exit(0)


def result(child, reading):
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


def test_children_of_a_warm_pool_get_their_own_answers(server, ask):
    with Pool(environ={}) as pool:

        def fetch(name):
            answers = [pool.handle_request(ask(f"{server.origin}/echo/{name}")).read() for _ in range(20)]
            return ",".join(sorted({answer.decode().partition(" ")[2] for answer in answers}))

        fetch("warm")
        children = [forked(lambda name=name: fetch(name)) for name in range(6)]
        own = fetch("parent")

        assert [f"GET /echo/{name}" for name in range(6)] == [result(*child) for child in children]
        assert own == "GET /echo/parent"

    assert {number for number, line in server.log if line in ("GET /echo/warm", "GET /echo/parent")} == {1}
    assert server.accepted == 7


def test_a_child_can_use_a_lock_that_was_held_at_the_fork(server, ask):
    with Pool(environ={}) as pool, pool._lock:
        child = forked(lambda: pool.handle_request(ask(f"{server.origin}/echo")).read().decode())

        assert result(*child) == "1 GET /echo"


def test_an_answer_of_the_parent_is_out_of_reach_in_the_child(server, ask):
    with Pool(environ={}) as pool:
        answer = pool.handle_request(ask(f"{server.origin}/chunked"))

        def work():
            with pytest.raises(UsageError) as caught:
                answer.read()
            answer.close()
            return str(caught.value)

        assert (
            result(*forked(work)) == "this answer belongs to the parent process; send the request again in the child"
        )
        assert answer.read() == b"onetwo"


def test_children_run_loops_of_their_own_over_a_warm_pool(server, ask):
    pool = AsyncPool(environ={})

    async def fetch(name):
        answer = await pool.handle_async_request(ask(f"{server.origin}/echo/{name}"))
        return (await answer.aread()).decode().partition(" ")[2]

    loop = asyncio.new_event_loop()
    loop.run_until_complete(fetch("warm"))
    known = result(*forked(lambda: str(len(pool._loops))))
    children = [forked(lambda name=name: asyncio.run(fetch(name))) for name in range(6)]
    answers = [result(*child) for child in children]
    own = loop.run_until_complete(fetch("parent"))
    loop.run_until_complete(pool.aclose())
    loop.close()

    assert known == "0"
    assert [f"GET /echo/{name}" for name in range(6)] == answers
    assert (own, server.accepted) == ("GET /echo/parent", 7)


def test_children_of_a_warm_pool_leave_tls_connections_alive(serve, ask, authority):
    server = serve(tls=authority.server)
    with Pool(environ={"SSL_CERT_FILE": authority.path}) as pool:

        def fetch():
            return pool.handle_request(ask(f"{server.origin}/echo")).read().decode()

        warm = fetch()
        child = result(*forked(fetch))

        assert [warm, child, fetch()] == ["1 GET /echo", "2 GET /echo", "1 GET /echo"]
