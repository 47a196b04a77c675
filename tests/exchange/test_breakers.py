from __future__ import annotations

import asyncio
import os
import threading
import warnings

import httpx
import pytest

from nango_py import AsyncNango, NangoError, ResponseError, UnreachableError
from nango_py.exchange.breakers import Breakers
from nango_py.http import URL
from nango_py.policy.breaker import CircuitBreaker
from nango_py.testing import ManualClock
from tests.exchange.scripted import KEY, Script, engine, keys_of

DOWN = (500, {}, {})
FINE = (200, {}, {"id": 7})
ONCE = {"max_attempts": 1}
BREAKER = {"failures": 3, "open_seconds": 20}


def broken(script, clock, **keys):
    nango = engine(script, clock=clock, circuit_breaker=BREAKER, retry=ONCE, **keys)
    for _ in range(3):
        with pytest.raises(ResponseError):
            nango.trigger_action("acme", "get", "u")
    return nango


def test_without_a_word_about_it_nothing_is_left_alone():
    script = Script(DOWN)
    with engine(script, retry=ONCE) as nango:
        for _ in range(20):
            with pytest.raises(ResponseError):
                nango.trigger_action("acme", "get", "u")
    assert 20 == len(script.requests)


def test_an_origin_that_keeps_failing_is_left_alone_and_the_error_says_until_when():
    script, clock = Script(DOWN), ManualClock(1_700_000_000.0)
    with broken(script, clock) as nango:
        clock.advance(5)
        with pytest.raises(
            UnreachableError, match="circuit is open after 3 failures in a row, until 22:13:40 UTC"
        ) as e:
            nango.trigger_action("acme", "get", "u")
    assert 3 == len(script.requests)
    assert ("acme", "get", ()) == (e.value.integration, e.value.action, e.value.attempts)
    assert KEY not in str(e.value)


def test_a_client_raises_an_error_of_ours_since_nothing_was_sent():
    script, clock = Script(DOWN), ManualClock()
    with broken(script, clock) as nango, nango.client("acme", "u") as client:
        with pytest.raises(NangoError, match="was not sent"):
            client.get("thing")
    assert 3 == len(script.requests)


def test_one_line_turns_it_on_with_five_failures():
    script = Script(DOWN)
    with engine(script, retry=ONCE, circuit_breaker=True) as nango, nango.client("acme", "u") as client:
        for _ in range(5):
            assert 500 == client.get("thing").status_code
        with pytest.raises(UnreachableError):
            client.get("thing")


@pytest.mark.parametrize("status", [401, 404, 429])
def test_a_refusal_is_no_failure_of_the_origin(status):
    script = Script((status, {}, {}))
    with engine(script, retry=ONCE, circuit_breaker=True) as nango, nango.client("acme", "u") as client:
        for _ in range(8):
            assert status == client.get("thing").status_code


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ConnectTimeout, httpx.ReadError])
def test_no_answer_is_a_failure(error):
    script = Script(error)
    with engine(script, retry=ONCE, circuit_breaker=BREAKER) as nango, nango.client("acme", "u") as client:
        for _ in range(3):
            with pytest.raises(error):
                client.get("thing")
        with pytest.raises(UnreachableError):
            client.get("thing")


def test_after_the_pause_a_probe_that_goes_well_closes_it():
    script, clock = Script(DOWN, DOWN, DOWN, FINE), ManualClock()
    with broken(script, clock) as nango:
        clock.advance(20)
        for _ in range(5):
            assert {"id": 7} == nango.trigger_action("acme", "get", "u")


def test_after_the_pause_a_probe_that_fails_opens_it_again():
    script, clock = Script(DOWN), ManualClock()
    with broken(script, clock) as nango:
        clock.advance(20)
        for expected in (ResponseError, UnreachableError, UnreachableError):
            with pytest.raises(expected):
                nango.trigger_action("acme", "get", "u")
    assert 4 == len(script.requests)


def test_an_exchange_whose_circuit_opens_ends_with_its_last_answer():
    script, clock = Script(DOWN), ManualClock()
    with engine(script, clock=clock, circuit_breaker=BREAKER, retry={"max_attempts": 9}) as nango:
        with pytest.raises(ResponseError) as caught:
            nango.trigger_action("acme", "get", "u")
    assert 3 == len(script.requests)
    assert "circuit_open" == caught.value.attempts[-1].decision


def test_other_origins_of_an_integration_are_still_asked():
    script, clock = Script(DOWN), ManualClock()
    other = {"requests": {"base_url": "https://api.acme.test/v1/", "allowed_origins": ["https://files.acme.test"]}}
    with broken(script, clock, **other) as nango, nango.client("acme", "u") as client:
        assert 500 == client.get("https://files.acme.test/x").status_code


def test_threads_share_one_circuit_and_one_probe():
    script, clock = Script(DOWN, DOWN, DOWN, FINE), ManualClock()
    entered, go = threading.Event(), threading.Event()

    def provider(request):
        answer = script(request)
        if answer.status_code == 200:
            entered.set()
            assert go.wait(20)
        return answer

    results = []

    def ask(nango):
        try:
            results.append(nango.trigger_action("acme", "get", "u")["id"])
        except UnreachableError as error:
            results.append("probe" in str(error))

    with broken(provider, clock) as nango:
        clock.advance(20)
        first = threading.Thread(target=ask, args=(nango,))
        first.start()
        assert entered.wait(20)
        others = [threading.Thread(target=ask, args=(nango,)) for _ in range(6)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join()
        go.set()
        first.join()
    assert [True] * 6 + [7] == results
    assert 4 == len(script.requests)


def test_a_cancelled_probe_leaves_the_way_free():
    clock, answers = ManualClock(), [500, 500, 500, None]

    async def main():
        asked = asyncio.Event()

        async def provider(request):
            status = answers.pop(0) if answers else 200
            if status is None:
                asked.set()
                await asyncio.Event().wait()
            return httpx.Response(status, json={"id": 7})

        document = {"integrations": {"acme": keys_of(circuit_breaker=BREAKER, retry=ONCE)}}
        transport = httpx.MockTransport(provider)
        async with AsyncNango.load(
            document, store="memory://", transport=transport, clock=clock, environ={}
        ) as nango:
            await nango.register_connection("acme", "u", {"api_key": KEY})
            for _ in range(3):
                with pytest.raises(ResponseError):
                    await nango.trigger_action("acme", "get", "u")
            clock.advance(20)
            probe = asyncio.create_task(nango.trigger_action("acme", "get", "u"))
            await asked.wait()
            probe.cancel()
            with pytest.raises(asyncio.CancelledError):
                await probe
            return await nango.trigger_action("acme", "get", "u")

    assert {"id": 7} == asyncio.run(main())


def test_only_origins_that_have_failed_are_remembered():
    breakers, breaker = Breakers(ManualClock()), CircuitBreaker()
    for number in range(100):
        circuit = breakers.of(breaker, URL(f"https://tenant-{number}.acme.test/"))
        circuit.settle(circuit.admit(), "good" if number else "bad")
    assert 1 == len(breakers.circuits)


def test_equal_origins_are_one_and_other_breakers_another():
    breakers, breaker = Breakers(ManualClock()), CircuitBreaker(failures=1)
    one = breakers.of(breaker, URL("https://api.acme.test/a"))
    one.settle(one.admit(), "bad")

    assert not breakers.of(breaker, URL("https://api.acme.test/b?c")).admit().is_granted
    assert breakers.of(breaker, URL("http://api.acme.test/a")).admit().is_granted
    assert breakers.of(breaker, URL("https://api.acme.test:8443/a")).admit().is_granted
    assert breakers.of(CircuitBreaker(failures=2), URL("https://api.acme.test/a")).admit().is_granted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_wait_for_the_lock_of_a_thread_that_it_does_not_have():
    breakers = Breakers(ManualClock())
    circuit = breakers.of(CircuitBreaker(), URL("https://api.acme.test/"))
    with breakers.lock, warnings.catch_warnings():
        # Newer Pythons warn of threads at a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if child == 0:
            os._exit(0 if circuit.admit().is_granted else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_opening_and_closing_are_logged_without_secrets(caplog):
    script, clock = Script(DOWN, DOWN, DOWN, FINE), ManualClock()
    with caplog.at_level("INFO", logger="nango_py"), broken(script, clock) as nango:
        clock.advance(20)
        nango.trigger_action("acme", "get", "u")
    assert "circuit.opened" in caplog.text
    assert "circuit.closed" in caplog.text
    assert KEY not in caplog.text
