"""Rate limits through the engine: declared, learnt and stated, from threads and from event loops."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from nango_py import AsyncNango, Nango, RateLimitedError, UnknownConnection
from nango_py.testing import ManualClock

HEAD = {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://a.test/v1/"}}
LIMITED = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}


def engine(answer, limits=(), *, kind=Nango, **keys):
    clock = ManualClock()
    nango = kind.load(
        {"integrations": {"a": {**HEAD, "rate_limit": list(limits), **keys}}},
        store="memory://",
        environ={},
        clock=clock,
        transport=httpx.MockTransport(answer),
    )
    return nango, clock


def ok(_request):
    return httpx.Response(200, json={})


def test_a_declared_limit_is_kept_to_without_a_refused_request():
    nango, clock = engine(ok, [{"limit": 3, "per": 10}])
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            assert [200] * 7 == [client.get("x").status_code for _ in range(7)]

    assert [10.0, 10.0] == clock.slept


def test_each_connection_has_its_own_limit_and_integrations_share_theirs():
    nango, clock = engine(ok, [{"limit": 1, "per": 10}, {"limit": 2, "per": 60, "scope": "integration"}])
    with nango:
        for user in ("u", "v", "w"):
            nango.register_connection("a", user, {})
        for user in ("u", "v"):
            nango.client("a", user).get("x")
        assert [] == clock.slept
        nango.client("a", "w").get("x")

    assert [60.0] == clock.slept


def test_limits_of_some_paths_leave_the_others_alone():
    nango, clock = engine(ok, [{"limit": 1, "per": 10, "paths": ["search/*", "POST leads"]}])
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("search/x")
            client.get("other")
            client.get("leads")
            assert [] == clock.slept
            client.post("leads")

    assert [10.0] == clock.slept


def test_headers_teach_a_limit_before_anything_is_refused():
    left = iter([1, 0, 1, 0])

    def answer(_request):
        return httpx.Response(200, headers={**LIMITED, "X-RateLimit-Remaining": str(next(left))})

    nango, _ = engine(answer, [{"headers": {"remaining": "X-RateLimit-Remaining", "per": 300}}])
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("x")
            client.get("x")
            with pytest.raises(RateLimitedError) as caught:
                client.get("x")

    assert caught.value.retry_after == 300
    assert "nothing was sent" in str(caught.value)


def test_headers_that_are_not_to_be_believed_teach_nothing():
    nango, clock = engine(lambda _: httpx.Response(200, headers=LIMITED), [{"learn": False}])
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("x")
            client.get("x")
        assert () == nango.limits("a", "u")

    assert [] == clock.slept


def test_a_provider_without_limits_costs_nothing_after_its_first_answer():
    nango, _ = engine(ok)
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("x")

        assert nango._core.session("a", "u").limits.is_free


def test_a_refusal_with_a_stated_wait_holds_everybody():
    answers = iter(
        [httpx.Response(200), httpx.Response(429, headers={"Retry-After": "7"}), *[httpx.Response(200)] * 3]
    )
    nango, clock = engine(lambda _: next(answers), retry={"max_attempts": 1})
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            assert [200, 429, 200, 200] == [client.get("x").status_code for _ in range(4)]

    assert [7.0] == clock.slept


def test_a_refusal_of_some_paths_holds_those():
    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), *[httpx.Response(200)] * 3])
    limits = [{"limit": 100, "per": 1, "paths": ["search/*"]}]
    nango, clock = engine(lambda _: next(answers), limits, retry={"max_attempts": 1})
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("search/x")
            client.get("other")
            assert [] == clock.slept
            client.get("search/x")

    assert [7.0] == clock.slept


def test_a_provider_that_counts_kinds_of_requests_apart_is_believed():
    def answer(request):
        kind = "search" if "search" in request.url.path else "core"
        headers = {
            **LIMITED,
            "X-RateLimit-Resource": kind,
            "X-RateLimit-Remaining": "0" if kind == "search" else "70",
        }
        return httpx.Response(200, headers=headers)

    nango, clock = engine(answer, retry={"max_attempts": 1})
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            for path in ("search/x", "repos/x", "repos/y"):
                client.get(path)
            assert [] == clock.slept
            client.get("search/y")
        told = nango.limits("a", "u")

    assert [50.0] == clock.slept
    assert ["x-ratelimit search", "x-ratelimit core"] == [limit.name for limit in told]


def test_a_used_up_kind_of_requests_holds_no_other():
    def answer(request):
        if "search" in request.url.path:
            headers = {**LIMITED, "X-RateLimit-Resource": "search", "Retry-After": "50"}
            return httpx.Response(429, headers=headers)
        return httpx.Response(200)

    nango, clock = engine(answer, retry={"max_attempts": 1})
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            assert [429, 200] == [client.get(path).status_code for path in ("search/x", "repos/x")]

    assert [] == clock.slept


def test_a_wait_longer_than_max_wait_is_an_error_that_says_when():
    nango, clock = engine(
        ok, [{"limit": 1, "per": 3600}], actions={"get": {"request": {"path": "x"}}}, retry={"max_wait": 20}
    )
    with nango:
        nango.register_connection("a", "u", {})
        nango.trigger_action("a", "get", "u")
        with pytest.raises(RateLimitedError) as caught:
            nango.trigger_action("a", "get", "u")

    assert (3600, "a", "get") == (caught.value.retry_after, caught.value.integration, caught.value.action)
    assert [] == clock.slept


def test_an_actions_own_deadline_ends_its_wait():
    nango, _ = engine(ok, [{"limit": 1, "per": 30}], actions={"get": {"request": {"path": "x"}}})
    with nango:
        nango.register_connection("a", "u", {})
        nango.trigger_action("a", "get", "u")
        with pytest.raises(RateLimitedError):
            nango.trigger_action("a", "get", "u", deadline=5)


def test_what_is_left_is_told():
    nango, clock = engine(
        lambda _: httpx.Response(200, headers={**LIMITED, "X-RateLimit-Remaining": "40"}),
        [
            {"limit": 10, "per": 60, "name": "calls"},
            {"concurrency": 4},
            {"limit": 9, "per": 1, "scope": "integration"},
        ],
    )
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("x")
        clock.advance(20)
        told = nango.limits("a", "u")

    assert [
        ("calls", "declared", "connection", 10, 9, 40.0),
        ("4 at once", "declared", "connection", 4, 4, 0.0),
        ("x-ratelimit", "learnt", "connection", 100, 40, 30.0),
        ("9 in 1 s", "declared", "integration", 9, 9, 0.0),
    ] == [(one.name, one.source, one.scope, one.limit, one.left, one.whole_in) for one in told]


def test_a_hold_is_told():
    nango, _ = engine(lambda _: httpx.Response(429, headers={"Retry-After": "700"}))
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            client.get("x")

        assert [("stated", 0, 700.0)] == [(one.source, one.left, one.whole_in) for one in nango.limits("a", "u")]


def test_limits_of_nobody_are_an_error():
    nango, _ = engine(ok)
    with nango, pytest.raises(UnknownConnection):
        nango.limits("a", "nobody")


def test_async_limits_are_told_too():
    async def main():
        nango, _ = engine(ok, [{"limit": 10, "per": 60}], kind=AsyncNango)
        async with nango:
            await nango.register_connection("a", "u", {})
            async with nango.client("a", "u") as client:
                await client.get("x")
            return await nango.limits("a", "u")

    (limit,) = asyncio.run(main())
    assert (9, "10 in 60 s") == (limit.left, limit.name)


def test_a_streamed_answer_holds_its_slot_until_it_is_closed():
    nango, _ = engine(
        lambda _: httpx.Response(200, stream=Parts()),
        [{"concurrency": 1}],
        retry={"deadline": 0.05, "max_attempts": 1},
    )
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            with client.stream("GET", "x"):
                assert [0] == [one.left for one in nango.limits("a", "u")]
            assert [1] == [one.left for one in nango.limits("a", "u")]
            assert b"ab" == client.get("x").content
            assert [1] == [one.left for one in nango.limits("a", "u")]


def test_an_error_frees_its_slot():
    def answer(_request):
        raise httpx.ReadError("lost")

    nango, _ = engine(answer, [{"concurrency": 1}], retry={"max_attempts": 2})
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client, pytest.raises(httpx.ReadError):
            client.get("x")

        assert [1] == [one.left for one in nango.limits("a", "u")]


class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self):
        yield from (b"a", b"b")

    async def __aiter__(self):
        for part in (b"a", b"b"):
            yield part


def test_an_async_answer_holds_its_slot_until_it_is_closed():
    async def main():
        nango, _ = engine(lambda _: httpx.Response(200, stream=Parts()), [{"concurrency": 1}], kind=AsyncNango)
        async with nango:
            await nango.register_connection("a", "u", {})
            async with nango.client("a", "u") as client:
                async with client.stream("GET", "x"):
                    (during,) = await nango.limits("a", "u")
                (after,) = await nango.limits("a", "u")
                return during.left, after.left, (await client.get("x")).content

    assert (0, 1, b"ab") == asyncio.run(main())


def test_a_cancelled_task_leaves_the_line():
    gate = {}

    async def answer(_request):
        gate["count"] = gate.get("count", 0) + 1
        if gate["count"] == 1:
            await gate["open"].wait()
        return httpx.Response(200, json={})

    async def main():
        gate["open"] = asyncio.Event()
        nango, _ = engine(answer, [{"concurrency": 1}], kind=AsyncNango)
        async with nango:
            await nango.register_connection("a", "u", {})
            async with nango.client("a", "u") as client:
                tasks = [asyncio.create_task(client.get("x")) for _ in range(4)]
                # The line has no event that tells of its length.
                while not gate.get("count") or (await nango.limits("a", "u"))[0].waiting < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                tasks[1].cancel()
                tasks[2].cancel()
                gate["open"].set()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                return [type(one).__name__ for one in done], await nango.limits("a", "u")

    kinds, (limit,) = asyncio.run(main())
    assert ["Response", "CancelledError", "CancelledError", "Response"] == kinds
    assert (1, 0) == (limit.left, limit.waiting)


def test_threads_wait_for_the_first_answer_of_an_unknown_limit():
    seen, pause, lock = [], threading.Event(), threading.Lock()
    counts = []

    def answer(request):
        with lock:
            seen.append(request)
            number = len(seen)
        if number == 1:
            ((_, gate),) = nango._core.session("a", "u").limits._own
            while len(gate.queue) < 7:
                pause.wait(0.001)
            counts.append(len(seen))
        return httpx.Response(200, headers={**LIMITED, "X-RateLimit-Remaining": str(90 - number)})

    nango, _ = engine(answer)
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            threads = [threading.Thread(target=client.get, args=("x",)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)

    assert [1] == counts
    assert 8 == len(seen)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([{"limit": 5}], "limit and per belong together"),
        ([{"name": "x"}], "an entry needs limit and per"),
        ([{"concurrency": 2, "burst": 3}], "burst and cost say more"),
        ([{"limit": 5, "per": 1, "cost": {"x": 9}}], "more than may ever come at once"),
        ([{"headers": {"remaining": "X"}, "paths": ["x"]}], "need an entry of their own"),
        ([{"headers": {"remaining": "X"}}, {"headers": {"remaining": "Y"}}], "one entry only"),
    ],
)
def test_a_limit_that_cannot_work_is_a_problem(limits, message):
    nango, _ = engine(ok, limits)
    with nango:
        assert message in "\n".join(map(str, nango.problems))


def test_threads_and_event_loops_stand_in_one_line():
    pause, seen = threading.Event(), []

    def answer(request):
        seen.append(request.url.path)
        if len(seen) == 1:
            ((_, gate),) = nango._core.session("a", "u").limits._own
            while len(gate.queue) < 2:
                pause.wait(0.001)
        return httpx.Response(200, json={})

    async def main():
        beside = AsyncNango(nango._core, httpx.MockTransport(answer))
        async with beside.client("a", "u") as client:
            return (await client.get("task")).status_code

    nango, _ = engine(answer, [{"concurrency": 1}])
    with nango:
        nango.register_connection("a", "u", {})
        with nango.client("a", "u") as client:
            threads = [threading.Thread(target=client.get, args=(f"thread-{number}",)) for number in range(2)]
            for thread in threads:
                thread.start()
            status = asyncio.run(main())
            for thread in threads:
                thread.join(10)

    assert 200 == status
    assert ["/v1/task", "/v1/thread-0", "/v1/thread-1"] == sorted(seen)
