"""Several flows at once: in threads, and in tasks of both event loops."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import ContextVar

import anyio
import httpx
import pytest

from nango_py.clock import SystemClock
from nango_py.effects import Call, Gather, Join, Send, Sleep
from nango_py.exchange.drivers import AsyncDriver, Driver
from nango_py.testing import ManualClock

LONG = 3600.0


def sync_driver(clock=None, helpers=128):
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    return Driver(transport=transport, clock=clock or ManualClock(), helpers=threading.Semaphore(helpers))


def run_in_threads(flow):
    return sync_driver().run(flow)


def run_in(backend):
    def run(flow):
        async def main():
            limiter = anyio.CapacityLimiter(8)
            transport = httpx.MockTransport(lambda request: httpx.Response(200))
            driver = AsyncDriver(transport=transport, clock=ManualClock(), limiter=lambda: limiter)
            return await driver.run(flow)

        return anyio.run(main, backend=backend)

    return run


RUNS = pytest.mark.parametrize(
    "run", [run_in_threads, run_in("asyncio"), run_in("trio")], ids=["threads", "asyncio", "trio"]
)


def gather(flows, at_most):
    return (yield Gather(tuple(flows), at_most))


def number(value):
    yield Sleep(0)
    return value


class Crowd:
    """Count how many flows are under way."""

    def __init__(self):
        self.now = self.most = 0
        self.closed = []
        self.lock = threading.Lock()

    def flow(self, value, *, fails=False):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield Send(httpx.Request("GET", "https://api.acme.test"))
            if fails:
                raise LookupError(value)
            yield Sleep(1)
            return value
        finally:
            with self.lock:
                self.now -= 1
                self.closed.append(value)


@RUNS
def test_results_come_in_the_order_of_the_flows(run):
    assert list(range(50)) == run(gather([number(each) for each in range(50)], 7))


@RUNS
def test_nothing_to_do_gives_nothing(run):
    assert [] == run(gather([], 7))


@RUNS
def test_no_more_flows_are_under_way_than_allowed(run):
    crowd = Crowd()
    run(gather([crowd.flow(each) for each in range(40)], 5))
    assert 1 <= crowd.most <= 5
    assert 0 == crowd.now


@RUNS
def test_the_first_failure_is_raised_as_it_is_and_leaves_nothing_under_way(run):
    crowd = Crowd()
    flows = [crowd.flow(each, fails=each == 3) for each in range(40)]
    with pytest.raises(LookupError, match="3"):
        run(gather(flows, 4))
    assert 0 == crowd.now
    assert 40 > len(crowd.closed)


@RUNS
def test_gatherings_may_nest(run):
    inner = [gather([number(10 * row + column) for column in range(9)], 9) for row in range(9)]
    assert [[10 * row + column for column in range(9)] for row in range(9)] == run(gather(inner, 9))


def test_nested_gatherings_end_where_no_thread_helps():
    inner = [gather([number(column) for column in range(5)], 5) for _ in range(5)]
    assert [list(range(5))] * 5 == sync_driver(helpers=0).run(gather(inner, 5))


def test_threads_that_helped_are_given_back():
    driver = sync_driver(helpers=3)
    for _ in range(3):
        driver.run(gather([number(each) for each in range(9)], 9))
    assert [True] * 3 + [False] == [driver.helpers.acquire(blocking=False) for _ in range(4)]


def test_a_gathering_ends_where_no_thread_can_be_started():
    driver = sync_driver(helpers=3)
    usual = threading.stack_size(2**46)  # more than there is
    try:
        results = driver.run(gather([number(each) for each in range(9)], 9))
    finally:
        threading.stack_size(usual)
    assert list(range(9)) == results
    assert [True] * 3 + [False] == [driver.helpers.acquire(blocking=False) for _ in range(4)]


class Meeting:
    """Let a flow wait until another one waits, so that both are under way."""

    def __init__(self, parties):
        self.barrier = threading.Barrier(parties)

    def then(self, effect):
        yield Call(self.barrier.wait)
        yield effect

    def fail(self):
        yield Call(self.barrier.wait)
        raise LookupError


@pytest.mark.parametrize("effect", [Sleep(LONG), Join(Future), Gather((number(1), (n for n in [Sleep(LONG)])), 2)])
def test_a_failure_wakes_those_that_wait(effect):
    meeting = Meeting(2)
    with pytest.raises(LookupError):
        sync_driver(SystemClock()).run(gather([meeting.then(effect), meeting.fail()], 2))


def test_an_answer_that_nobody_will_read_is_closed():
    from nango_py.effects import ReadAnswer

    class Body(httpx.SyncByteStream):
        is_closed = False

        def __iter__(self):
            yield b"x"

        def close(self):
            self.is_closed = True

    sent, failed = threading.Event(), threading.Event()
    answer = httpx.Response(200, stream=Body())

    def reads():
        yield Call(sent.set)
        yield Call(failed.wait)
        yield ReadAnswer(answer)
        yield Sleep(LONG)

    def fails():
        yield Call(sent.wait)
        failed.set()
        raise LookupError

    with pytest.raises(LookupError):
        sync_driver(SystemClock()).run(gather([reads(), fails()], 2))
    assert answer.is_closed


def test_helping_threads_see_the_context_of_the_caller():
    variable = ContextVar("variable", default="default")
    meeting = threading.Barrier(3)

    def look():
        yield Call(meeting.wait)
        return (yield Call(variable.get))

    variable.set("caller's")
    assert ["caller's"] * 3 == sync_driver().run(gather([look() for _ in range(3)], 3))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_is_cancelled_leaves_no_flow_under_way(backend):
    crowd = Crowd()

    class Slow(ManualClock):
        async def asleep(self, seconds):
            started.set()
            await anyio.sleep(LONG)

    async def main():
        nonlocal started
        started = anyio.Event()
        transport = httpx.MockTransport(lambda request: httpx.Response(200))
        driver = AsyncDriver(transport=transport, clock=Slow(), limiter=lambda: None)
        async with anyio.create_task_group() as group:
            group.start_soon(driver.run, gather([crowd.flow(each) for each in range(9)], 3))
            await started.wait()
            group.cancel_scope.cancel()

    started = None
    anyio.run(main, backend=backend)
    assert 0 == crowd.now
    assert 3 == crowd.most
