"""What ``on_event`` is told, in both engines."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import logging
import re

import httpx
import pytest

import nango_py
from nango_py import AsyncNango, Nango, events
from nango_py.events import AttemptMade, Event, Finished, PageRead, Progress, Renewed, Started, Waiting
from nango_py.testing import ManualClock

SECRET = "cs_topsecret_4711"
BIRDS = {
    "integrations": {
        "birds": {
            "auth": {
                "auth_mode": "OAUTH2_CC",
                "token_url": "https://auth.birds.test/token",
                "default_token_lifetime": 3600,
            },
            "requests": {"base_url": "https://api.birds.test/v1/"},
            "retry": {"base": 1, "idempotency_key": "Idempotency-Key"},
            "pagination": {
                "type": "cursor", "cursor_name_in_request": "from", "cursor_path_in_response": "next",
                "response_path": "birds",
            },
            "actions": {
                "list-birds": {"request": {"path": "birds"}, "paginate": True},
                "count-birds": {"request": {"path": "count"}},
            },
        }
    }
}  # fmt: skip


class Provider:
    """Give a token, two pages of birds, and the scripted statuses before each count."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "at_topsecret_1", "token_type": "bearer"})
        if request.url.path.endswith("count"):
            status = self.statuses.pop(0) if self.statuses else 200
            return httpx.Response(status, json={"count": 2})
        is_last = "from" in request.url.params
        return httpx.Response(200, json={"birds": ["wren", "tit"], "next": None if is_last else "2"})


def settings(provider, **options):
    return {
        "source": BIRDS,
        "store": "memory://",
        "transport": httpx.MockTransport(provider),
        "environ": {},
        "clock": ManualClock(),
        **options,
    }


CONNECTION = ("birds", "u", {"client_id": "app", "client_secret": SECRET})


def run(action, provider, **options):
    """Return the events of an action and its output, the same under both engines."""
    found = []
    with Nango.load(**settings(provider())) as nango:
        nango.register_connection(*CONNECTION)
        output = nango.trigger_action("birds", action, "u", on_event=found.append, **options)

    async def main():
        heard = []
        async with AsyncNango.load(**settings(provider())) as nango:
            await nango.register_connection(*CONNECTION)
            assert output == await nango.trigger_action("birds", action, "u", on_event=heard.append, **options)
        return heard

    assert [shape(event) for event in found] == [shape(event) for event in asyncio.run(main())]
    return found, output


def shape(event):
    """Return an event without what differs from run to run: its id, and times, since waits are random."""
    facts = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return type(event), {
        name: value for name, value in facts.items() if name != "execution_id" and not is_time(value)
    }


def is_time(value):
    return isinstance(value, float)


def own(event):
    """Return what an event says beside that of every event."""
    common = {field.name for field in dataclasses.fields(Event)}
    facts = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)
        if field.name not in common and field.name != "seconds"
    }
    return type(event), facts


def test_an_action_tells_of_its_renewal_its_attempts_and_its_waits():
    found, output = run("count-birds", lambda: Provider(503))

    request = {"method": "GET", "host": "api.birds.test", "path": "/v1/count", "error": None}
    wait = next(event.seconds for event in found if isinstance(event, Waiting) and event.reason == "retry")
    assert {"count": 2} == output
    assert [
        (Started, {}),
        (Waiting, {"reason": "renewal"}),
        (Renewed, {}),
        (AttemptMade, {**request, "attempt": 1, "status": 503, "reason": "status_code_503", "wait": wait}),
        (Waiting, {"reason": "retry"}),
        (AttemptMade, {**request, "attempt": 2, "status": 200, "reason": "success", "wait": None}),
        (Finished, {"outcome": "success", "error": None}),
    ] == [own(event) for event in found]


def test_every_event_says_which_execution_it_is_about():
    found, _ = run("count-birds", Provider)
    again, _ = run("count-birds", Provider)

    assert {("birds", "count-birds", "u", None)} == {
        (event.integration, event.action, event.user_id, event.parent_id) for event in found
    }
    assert 1 == len({event.execution_id for event in found})
    assert re.fullmatch("[0-9a-f]{32}", found[0].execution_id)
    assert found[0].execution_id != again[0].execution_id


def test_pages_are_told_with_the_total_so_far():
    found, output = run("list-birds", Provider)

    assert ["wren", "tit"] * 2 == output
    assert [
        (PageRead, {"number": 1, "items": 2, "total": 2}),
        (PageRead, {"number": 2, "items": 2, "total": 4}),
    ] == [own(event) for event in found if isinstance(event, PageRead)]


def test_a_stream_is_told_of_as_it_goes_and_ends_when_its_reader_leaves():
    found = []
    with Nango.load(**settings(Provider())) as nango:
        nango.register_connection(*CONNECTION)
        stream = nango.stream_action("birds", "list-birds", "u", on_event=found.append)
        next(stream)
        stream.close()

    assert (Finished, {"outcome": "cancelled", "error": "GeneratorExit"}) == own(found[-1])
    assert 1 == len([event for event in found if isinstance(event, PageRead)])


def test_an_action_that_its_caller_left_is_cancelled_and_no_error():
    # That is what a context raises when the task that asked for the action waits no longer.
    @nango_py.action("birds")
    def left_alone(ctx, given):
        raise concurrent.futures.CancelledError

    found = []
    with Nango.load(**settings(Provider(), actions=[left_alone])) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(concurrent.futures.CancelledError):
            nango.trigger_action("birds", "left-alone", "u", on_event=found.append)

    assert (Finished, {"outcome": "cancelled", "error": "CancelledError"}) == own(found[-1])


def test_a_stream_beside_a_loop_is_told_of():
    async def main():
        found = []
        async with AsyncNango.load(**settings(Provider())) as nango:
            await nango.register_connection(*CONNECTION)
            birds = [bird async for bird in nango.stream_action("birds", "list-birds", "u", on_event=found.append)]
        return birds, found

    birds, found = asyncio.run(main())
    assert ["wren", "tit"] * 2 == birds
    assert (Finished, {"outcome": "success", "error": None}) == own(found[-1])


def test_a_failed_action_tells_its_error_by_its_kind():
    found = []
    with Nango.load(**settings(Provider(404))) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.ResponseError):
            nango.trigger_action("birds", "count-birds", "u", on_event=found.append)

    assert (Finished, {"outcome": "error", "error": "ResponseError"}) == own(found[-1])


def test_a_wait_for_its_turn_is_told():
    limited = {"integrations": {"birds": {**BIRDS["integrations"]["birds"], "rate_limit": [{"limit": 1, "per": 60}]}}}
    found = []
    with Nango.load(**settings(Provider(), source=limited)) as nango:
        assert () == nango.problems
        nango.register_connection(*CONNECTION)
        nango.trigger_action("birds", "count-birds", "u")
        nango.trigger_action("birds", "count-birds", "u", on_event=found.append)

    assert [("rate_limit", 60.0)] == [(event.reason, event.seconds) for event in found if isinstance(event, Waiting)]


def test_a_mistake_of_whoever_listens_is_logged_and_costs_nothing_else(caplog):
    def stumble(event):
        raise RuntimeError(f"cannot draw {event}")

    with caplog.at_level(logging.ERROR, logger="nango_py"):
        with Nango.load(**settings(Provider())) as nango:
            nango.register_connection(*CONNECTION)
            assert {"count": 2} == nango.trigger_action("birds", "count-birds", "u", on_event=stumble)

    assert {"event='hook.failed'"} == {record.getMessage().split(" ", 1)[0] for record in caplog.records}
    assert "error='RuntimeError'" in caplog.records[0].getMessage()


def test_an_async_listener_is_refused_before_anything_is_sent():
    async def listen(event):
        raise AssertionError(event)

    provider = Provider()
    with Nango.load(**settings(provider)) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.UsageError, match=r"queue\.put_nowait"):
            nango.trigger_action("birds", "count-birds", "u", on_event=listen)
    assert [] == provider.requests


def test_events_hold_no_secret():
    found, _ = run("list-birds", Provider)

    assert "topsecret" not in repr(found)


def test_a_credential_in_the_base_url_has_a_stand_in_in_events():
    bot = {
        "integrations": {
            "bot": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": "https://${api_key}.t.test/bot${api_key}/"},
                "actions": {"count": {"request": {"path": "count"}}},
            }
        }
    }
    found = []
    with Nango.load(**settings(Provider(), source=bot)) as nango:
        nango.register_connection("bot", "u", {"api_key": "topsecret-4711"})
        nango.trigger_action("bot", "count", "u", on_event=found.append)

    (attempt,) = [event for event in found if isinstance(event, AttemptMade)]
    assert ("api-key.t.test", "/botapi-key/count") == (attempt.host, attempt.path)


def test_every_event_is_frozen_and_has_a_docstring():
    kinds = [getattr(events, name) for name in events.__all__ if name != "OnEvent"]

    for kind in kinds:
        assert kind.__doc__
        assert issubclass(kind, Event)
        assert kind.__dataclass_params__.frozen


def test_a_deadline_is_told_as_the_error_that_it_is():
    clock = ManualClock()
    provider = Provider()

    def slowly(request):
        clock.advance(6)
        return provider(request)

    found = []
    with Nango.load(**settings(slowly, clock=clock)) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.DeadlineError):
            nango.trigger_action("birds", "list-birds", "u", deadline=5, on_event=found.append)

    assert (Finished, {"outcome": "error", "error": "DeadlineError"}) == own(found[-1])


def test_progress_of_a_python_action_reaches_the_listener(tmp_path):
    @nango_py.action("birds")
    def ring(ctx, given):
        for number in range(2):
            ctx.progress(number + 1, 2, f"bird {number}")
        return "rung"

    found = []
    with Nango.load(**settings(Provider(), actions=[ring])) as nango:
        nango.register_connection(*CONNECTION)
        assert "rung" == nango.trigger_action("birds", "ring", "u", on_event=found.append)

    assert [
        (Progress, {"done": 1, "total": 2, "message": "bird 0"}),
        (Progress, {"done": 2, "total": 2, "message": "bird 1"}),
    ] == [own(event) for event in found if isinstance(event, Progress)]


def test_an_action_that_another_runs_has_an_id_of_its_own():
    @nango_py.action("birds")
    def outer(ctx, given):
        return ctx.run("count-birds")

    found = []
    with Nango.load(**settings(Provider(), actions=[outer])) as nango:
        nango.register_connection(*CONNECTION)
        assert {"count": 2} == nango.trigger_action("birds", "outer", "u", on_event=found.append)

    started = {event.action: event for event in found if isinstance(event, Started)}
    assert started["outer"].execution_id == started["count-birds"].parent_id
    assert None is started["outer"].parent_id
    assert ["count-birds", "outer"] == [event.action for event in found if isinstance(event, Finished)]


def test_every_line_of_an_execution_bears_its_id(caplog):
    found = []
    with caplog.at_level(logging.INFO, logger="nango_py"):
        with Nango.load(**settings(Provider(503))) as nango:
            nango.register_connection(*CONNECTION)
            nango.trigger_action("birds", "count-birds", "u", on_event=found.append)

    lines = [record.getMessage() for record in caplog.records]
    assert ["connection.renewed", "attempt.failed", "exchange.finished", "action.finished"] == [
        re.match("event='(.+?)'", line)[1] for line in lines
    ]
    assert [] == [line for line in lines if f"execution_id='{found[0].execution_id}'" not in line]
    assert [] == [line for line in lines if "user_id='u'" not in line or "integration='birds'" not in line]


def test_a_plain_action_beside_a_loop_tells_of_its_progress_from_its_thread():
    @nango_py.action("birds")
    def ring(ctx, given):
        ctx.progress(1, message="rung")
        return ctx.run("count-birds")

    async def main():
        found = asyncio.Queue()
        loop = asyncio.get_running_loop()
        async with AsyncNango.load(**settings(Provider(), actions=[ring])) as nango:
            await nango.register_connection(*CONNECTION)
            await nango.trigger_action(
                "birds", "ring", "u", on_event=lambda event: loop.call_soon_threadsafe(found.put_nowait, event)
            )
            await asyncio.sleep(0)
        return [found.get_nowait() for _ in range(found.qsize())]

    found = asyncio.run(main())
    assert [("ring", Progress), ("count-birds", AttemptMade)] == [
        (event.action, type(event)) for event in found if isinstance(event, Progress | AttemptMade)
    ]
    assert ("ring", Finished) == (found[-1].action, type(found[-1]))
