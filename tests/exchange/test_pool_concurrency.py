"""Threads, tasks, loops and cancellations."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import pytest

from nango_py import http
from nango_py.errors import UsageError
from nango_py.exchange.pool import AsyncPool, Pool, Profile

TWO = Profile(max_connections=2)
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def text(pool, request):
    answer = await pool.handle_async_request(request)
    return (await answer.aread()).decode()


async def until(condition):
    while not condition():
        await anyio.lowlevel.checkpoint()


def waiting(books):
    return sum(len(origin.waiting) for origin in books._origins.values())


def books_of(pool):
    return next(iter(pool._loops.values()))


def test_threads_share_connections_up_to_the_limit(server, ask):
    with Pool(environ={}) as pool, ThreadPoolExecutor(8) as threads:
        urls = [f"{server.origin}/echo/{number}" for number in range(80)]
        answers = list(threads.map(lambda url: pool.handle_request(ask(url, profile=TWO)).read().decode(), urls))

    assert [url.rpartition("/")[2] for url in urls] == [answer.rpartition("/")[2] for answer in answers]
    assert server.accepted <= 2


def test_threads_wait_in_line(server, ask, small):
    order = []
    with Pool(environ={}) as pool:

        def work(number):
            pool.handle_request(ask(f"{server.origin}/echo", profile=small)).read()
            order.append(number)

        first = pool.handle_request(ask(f"{server.origin}/chunked", profile=small))
        threads = []
        for number in range(4):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            while waiting(pool._books) <= number:
                pass
        first.read()
        for thread in threads:
            thread.join()

    assert (order, server.accepted) == ([0, 1, 2, 3], 1)


def test_closing_the_pool_wakes_a_waiting_thread(server, ask, small):
    pool = Pool(environ={})
    answer = pool.handle_request(ask(f"{server.origin}/chunked", profile=small))
    with ThreadPoolExecutor(1) as threads:
        waiter = threads.submit(pool.handle_request, ask(f"{server.origin}/echo", profile=small))
        while not waiting(pool._books):
            pass
        pool.close()
        answer.close()
        with pytest.raises(UsageError):
            waiter.result()


def test_an_interrupt_frees_the_slot(server, ask, small):
    def interrupted(name, _):
        if name.startswith("http11.receive_response_headers"):
            raise KeyboardInterrupt

    with Pool(environ={}) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.handle_request(ask(f"{server.origin}/echo", profile=small, trace=interrupted))
        after = pool.handle_request(ask(f"{server.origin}/echo", profile=small)).read()

    assert after == b"2 GET /echo"


@BACKENDS
def test_tasks_share_connections_up_to_the_limit_in_their_order(server, ask, backend):
    order = []

    async def main():
        async with AsyncPool(environ={}) as pool, anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(one, pool, number)

    async def one(pool, number):
        answer = await text(pool, ask(f"{server.origin}/echo/{number}", profile=Profile(max_connections=1)))
        order.append((number, answer))

    anyio.run(main, backend=backend)
    # trio starts tasks in any order, so there the line may be another one.
    assert [(number, f"1 GET /echo/{number}") for number in range(40)] == (
        order if backend == "asyncio" else sorted(order)
    )


@BACKENDS
def test_a_cancelled_waiter_leaves_no_hole(server, ask, small, backend):
    async def main():
        async with AsyncPool(environ={}) as pool:
            answer = await pool.handle_async_request(ask(f"{server.origin}/chunked", profile=small))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(text, pool, ask(f"{server.origin}/echo", profile=small))
                await until(lambda: waiting(books_of(pool)))
                tasks.cancel_scope.cancel()
            await answer.aread()
            return await text(pool, ask(f"{server.origin}/after", profile=small))

    assert anyio.run(main, backend=backend) == "1 GET /after"


@BACKENDS
def test_a_waiter_cancelled_as_it_is_served_passes_the_slot_on(server, ask, small, backend):
    async def main():
        async with AsyncPool(environ={}) as pool:
            answer = await pool.handle_async_request(ask(f"{server.origin}/chunked", profile=small))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(text, pool, ask(f"{server.origin}/echo", profile=small))
                await until(lambda: waiting(books_of(pool)))
                books = books_of(pool)
                (slot,) = next(iter(books._origins.values())).waiting
                await answer.aread()
                tasks.cancel_scope.cancel()
            return slot.granted, await text(pool, ask(f"{server.origin}/after", profile=small))

    granted, after = anyio.run(main, backend=backend)
    assert (granted, after.endswith("GET /after")) == (False, True)


@BACKENDS
def test_a_cancelled_request_frees_its_slot(server, ask, small, backend):
    async def main():
        async with AsyncPool(environ={}) as pool:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(text, pool, ask(f"{server.origin}/slow/forever", profile=small))
                await anyio.to_thread.run_sync(server.arrivals.acquire)
                tasks.cancel_scope.cancel()
            return await text(pool, ask(f"{server.origin}/after", profile=small))

    assert anyio.run(main, backend=backend) == "2 GET /after"


@BACKENDS
def test_a_reader_cancelled_halfway_frees_its_slot(server, ask, small, backend):
    async def main():
        async with AsyncPool(environ={}) as pool:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(text, pool, ask(f"{server.origin}/stalled/forever", profile=small))
                await anyio.to_thread.run_sync(server.arrivals.acquire)
                tasks.cancel_scope.cancel()
            return await text(pool, ask(f"{server.origin}/after", profile=small))

    assert anyio.run(main, backend=backend) == "2 GET /after"


def test_a_natively_cancelled_task_frees_its_slot(server, ask, small):
    async def main():
        async with AsyncPool(environ={}) as pool:
            task = asyncio.create_task(text(pool, ask(f"{server.origin}/slow/forever", profile=small)))
            await asyncio.to_thread(server.arrivals.acquire)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await text(pool, ask(f"{server.origin}/after", profile=small))

    assert asyncio.run(main()) == "2 GET /after"


def test_a_request_cancelled_in_the_tls_handshake_leaves_no_socket_open(server, ask, small):
    """The plain server never answers the handshake; an open socket would fail the test with a ResourceWarning."""

    async def main():
        async with AsyncPool(environ={}) as pool:
            shaking = asyncio.Event()

            async def trace(name, _):
                if name == "connection.start_tls.started":
                    shaking.set()

            request = ask(f"https://127.0.0.1:{server.port}/", profile=small, trace=trace)
            task = asyncio.create_task(text(pool, request))
            await shaking.wait()
            # The handshake waits for its answer from the next turn of the loop on.
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return sum(origin.busy for origin in books_of(pool)._origins.values())

    assert asyncio.run(main()) == 0
    gc.collect()


def test_two_runs_after_each_other_use_one_pool(server, ask):
    pool = AsyncPool(environ={})

    async def main():
        await text(pool, ask(f"{server.origin}/echo"))
        return await text(pool, ask(f"{server.origin}/echo"))

    assert [asyncio.run(main()) for _ in range(2)] == ["1 GET /echo", "2 GET /echo"]


def test_the_end_of_a_run_closes_its_connections_and_forgets_the_loop(server, ask):
    pool = AsyncPool(environ={})
    asyncio.run(text(pool, ask(f"{server.origin}/echo")))
    server.closed.acquire()
    gc.collect()

    assert list(pool._loops) == []


# Nothing can close the transport of a loop that is closed already: asyncio itself says so.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_nobody_shut_down_is_dropped_with_the_next_one(server, ask):
    pool, loop = AsyncPool(environ={}), asyncio.new_event_loop()
    loop.run_until_complete(text(pool, ask(f"{server.origin}/echo")))
    loop.close()

    async def main():
        return await text(pool, ask(f"{server.origin}/echo")), list(pool._loops) == [asyncio.get_running_loop()]

    assert asyncio.run(main()) == ("2 GET /echo", True)
    gc.collect()


def test_two_threads_with_a_loop_each_use_one_pool(server, ask):
    pool, both = AsyncPool(environ={}), threading.Barrier(2)

    async def main(name):
        first = await text(pool, ask(f"{server.origin}/echo/{name}"))
        await asyncio.to_thread(both.wait)
        return first[1:], await text(pool, ask(f"{server.origin}/echo/{name}")), len(books_of(pool)._idle)

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda name: asyncio.run(main(name)), "ab"))

    assert [first for first, _, _ in answers] == [" GET /echo/a", " GET /echo/b"]
    assert server.accepted == 2


def test_closing_the_pool_wakes_a_waiting_task(server, ask, small):
    async def main():
        pool = AsyncPool(environ={})
        answer = await pool.handle_async_request(ask(f"{server.origin}/chunked", profile=small))
        waiter = asyncio.create_task(text(pool, ask(f"{server.origin}/echo", profile=small)))
        await until(lambda: waiting(books_of(pool)))
        await pool.aclose()
        await answer.aclose()
        with pytest.raises(UsageError):
            await waiter

    asyncio.run(main())


def test_an_async_client_takes_the_pool(server):
    async def main():
        async with http.AsyncClient(transport=AsyncPool(environ={})) as client:
            async with client.stream("GET", f"{server.origin}/chunked") as answer:
                parts = [part async for part in answer.aiter_raw()]
            return parts, (await client.get(f"{server.origin}/echo")).text

    assert asyncio.run(main()) == ([b"one", b"two"], "1 GET /echo")
