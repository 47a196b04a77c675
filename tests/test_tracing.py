"""Spans for those who trace, and nothing for those who do not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import httpx
import pytest

import nango_py
from nango_py import AsyncNango, Nango, tracing
from nango_py.testing import ManualClock

trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")
exporters = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

CLIENT_SECRET = "cs_topsecret_4711"
TOKEN = "at_topsecret_1"
ACME = {
    "integrations": {
        "acme": {
            "auth": {"auth_mode": "OAUTH2_CC", "token_url": "https://auth.acme.test/token?key=k_topsecret"},
            "requests": {"base_url": "https://api.acme.test:8443/v1/", "params": {"key": "${access_token}"}},
            "rate_limit": [{"limit": 1, "per": 60}],
            "actions": {"get": {"request": {"path": "thing"}}, "lost": {"request": {"path": "lost"}}},
        }
    }
}
CONNECTION = ("acme", "u", {"client_id": "app", "client_secret": CLIENT_SECRET})


def provider(*statuses):
    left = list(statuses)

    def answer(request):
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600})
        if request.url.path.endswith("lost"):
            raise httpx.ConnectError("no route", request=request)
        return httpx.Response(left.pop(0) if left else 200, json={"id": 1})

    return answer


def settings(answer, **options):
    return {
        "source": ACME,
        "store": "memory://",
        "transport": httpx.MockTransport(answer),
        "environ": {},
        "clock": ManualClock(),
        **options,
    }


@pytest.fixture
def spans(monkeypatch):
    """Return what gives the finished spans; the provider of this test only, as a program sets one for itself."""
    exporter = memory.InMemorySpanExporter()
    own = sdk.TracerProvider()
    own.add_span_processor(exporters.SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", own)
    yield exporter.get_finished_spans
    own.shutdown()


def tree(spans):
    """Return each span's name with the names above it, in the order of their beginning."""
    by_id = {span.context.span_id: span for span in spans}

    def path(span):
        above = by_id.get(span.parent.span_id) if span.parent else None
        return (*(path(above) if above else ()), span.name)

    return [path(span) for span in sorted(spans, key=lambda span: span.start_time)]


def the(spans, name):
    (found,) = [span for span in spans if span.name == name]
    return found


def test_an_action_is_a_span_above_those_of_its_attempts_its_renewal_and_its_waits(spans):
    with Nango.load(**settings(provider(503))) as nango:
        nango.register_connection(*CONNECTION)
        nango.trigger_action("acme", "get", "u")

    assert [
        ("acme/get",),
        ("acme/get", "nango.wait"),
        ("acme/get", "nango.wait", "nango.renewal"),
        ("acme/get", "nango.wait", "nango.renewal", "POST"),
        ("acme/get", "GET"),
        ("acme/get", "nango.wait"),
        ("acme/get", "nango.wait"),
        ("acme/get", "GET"),
    ] == tree(spans())
    waits = [span for span in spans() if span.name == "nango.wait"]
    assert ["renewal", "retry", "rate_limit"] == [
        span.attributes["nango.wait.reason"] for span in sorted(waits, key=lambda span: span.start_time)
    ]


def test_an_attempt_says_what_the_semantic_conventions_ask_for(spans):
    with Nango.load(**settings(provider(503))) as nango:
        nango.register_connection(*CONNECTION)
        nango.trigger_action("acme", "get", "u")

    first, second = [span for span in spans() if span.name == "GET"]
    common = {
        "http.request.method": "GET",
        "url.full": "https://api.acme.test:8443/v1/thing",
        "server.address": "api.acme.test",
        "server.port": 8443,
    }
    assert {**common, "http.response.status_code": 503, "error.type": "503"} == dict(first.attributes)
    assert {**common, "http.request.resend_count": 1, "http.response.status_code": 200} == dict(second.attributes)
    assert (trace.SpanKind.CLIENT, trace.StatusCode.ERROR) == (first.kind, first.status.status_code)
    assert trace.StatusCode.UNSET == second.status.status_code


def test_an_action_says_whose_it_is_and_what_it_ended_with(spans):
    found = []
    with Nango.load(**settings(provider())) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.UnreachableError):
            nango.trigger_action("acme", "lost", "u", on_event=found.append)

    span = the(spans(), "acme/lost")
    assert {
        "nango.integration": "acme",
        "nango.action": "lost",
        "nango.user_id": "u",
        "nango.execution_id": found[0].execution_id,
        "error.type": "UnreachableError",
    } == dict(span.attributes)
    assert {"connect"} == {one.attributes["error.type"] for one in spans() if one.name == "GET"}
    assert trace.SpanKind.INTERNAL == span.kind


def test_no_span_holds_a_secret(spans):
    with Nango.load(**settings(provider(503, 404))) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.ResponseError):
            nango.trigger_action("acme", "get", "u")

    assert 6 < len(spans())
    assert "topsecret" not in "".join(span.to_json() for span in spans())


def test_a_credential_in_the_base_url_has_a_stand_in_in_spans(spans):
    bot = {
        "integrations": {
            "bot": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": "https://${api_key}.t.test/bot${api_key}/"},
                "actions": {"get": {"request": {"path": "thing"}}},
            }
        }
    }
    with Nango.load(**settings(provider(), source=bot)) as nango:
        nango.register_connection("bot", "u", {"api_key": "topsecret-4711"})
        nango.trigger_action("bot", "get", "u")

    assert "https://api-key.t.test/botapi-key/thing" == the(spans(), "GET").attributes["url.full"]
    assert "topsecret" not in "".join(span.to_json() for span in spans())


def test_spans_of_threads_and_tasks_are_below_their_own_callers(spans):
    tracer = trace.get_tracer("the program")
    free = {"integrations": {"acme": {**ACME["integrations"]["acme"], "rate_limit": []}}}

    with Nango.load(**settings(provider(), source=free)) as nango:
        nango.register_connection(*CONNECTION)
        barrier = threading.Barrier(4)

        def work(number):
            with tracer.start_as_current_span(f"thread {number}"):
                barrier.wait()
                nango.trigger_action("acme", "get", "u")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    async def main():
        async with AsyncNango.load(**settings(provider(), source=free)) as nango:
            await nango.register_connection(*CONNECTION)

            async def work(number):
                with tracer.start_as_current_span(f"task {number}"):
                    await nango.trigger_action("acme", "get", "u")

            await asyncio.gather(*(work(number) for number in range(4)))

    asyncio.run(main())
    attempts = sorted(path for path in tree(spans()) if path[-1] == "GET")
    renewals = [path for path in tree(spans()) if path[-1] == "nango.renewal"]
    callers = [f"{kind} {number}" for kind in ("task", "thread") for number in range(4)]
    assert [(caller, "acme/get", "GET") for caller in callers] == attempts
    # One renewal for all that wait for it, below the action that began it.
    assert [("thread", "acme/get", "nango.wait"), ("task", "acme/get", "nango.wait")] == [
        (path[0].split()[0], *path[1:-1]) for path in renewals
    ]


def test_a_python_action_s_own_spans_and_requests_are_below_it(spans):
    tracer = trace.get_tracer("the program")

    @nango_py.action("acme")
    def plain(ctx, given):
        with tracer.start_as_current_span("own"):
            return ctx.http.get("thing").status_code

    @nango_py.action("acme")
    async def beside(ctx, given):
        with tracer.start_as_current_span("own"):
            await ctx.http.get("thing")
        return await ctx.run("plain")

    free = {"integrations": {"acme": {**ACME["integrations"]["acme"], "rate_limit": []}}}
    options = settings(provider(), source=free, actions=[plain, beside])

    async def main():
        async with AsyncNango.load(**options) as nango:
            await nango.register_connection(*CONNECTION)
            return await nango.trigger_action("acme", "beside", "u")

    assert 200 == asyncio.run(main())
    with Nango.load(**options) as nango:
        nango.register_connection(*CONNECTION)
        assert 200 == nango.trigger_action("acme", "beside", "u")

    expected = [
        ("acme/beside",),
        ("acme/beside", "nango.wait"),
        ("acme/beside", "nango.wait", "nango.renewal"),
        ("acme/beside", "nango.wait", "nango.renewal", "POST"),
        ("acme/beside", "own"),
        ("acme/beside", "own", "GET"),
        ("acme/beside", "acme/plain"),
        ("acme/beside", "acme/plain", "own"),
        ("acme/beside", "acme/plain", "own", "GET"),
    ]
    assert expected * 2 == tree(spans())


def test_requests_of_a_client_are_spans_below_the_program_s_own(spans):
    with Nango.load(**settings(provider())) as nango:
        nango.register_connection(*CONNECTION)
        with nango.client("acme", "u") as client, trace.get_tracer("the program").start_as_current_span("own"):
            client.get("thing")

    assert ("own", "GET") in tree(spans())


def test_a_stream_leaves_no_span_behind_in_its_reader(spans):
    with Nango.load(**settings(provider())) as nango:
        nango.register_connection(*CONNECTION)
        stream = nango.stream_action("acme", "get", "u")
        next(stream)
        assert not trace.get_current_span().get_span_context().is_valid
        stream.close()

    assert "GeneratorExit" == the(spans(), "acme/get").attributes["error.type"]


def test_nobody_traces_without_a_provider():
    assert None is tracing.begin("a span", {})


def test_opentelemetry_is_never_imported_for_its_own_sake():
    program = """
import sys, httpx
from nango_py import Nango
api = {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://a.test/"},
       "actions": {"get": {"request": {"path": "thing"}}}}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=1))
with Nango.load({"integrations": {"a": api}}, store="memory://", transport=transport, environ={}) as nango:
    nango.register_connection("a", "u", {})
    assert 1 == nango.trigger_action("a", "get", "u")
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_requests_of_parallel_steps_are_below_their_action(spans):
    api = {
        "auth": {"auth_mode": "NONE"},
        "requests": {"base_url": "https://api.acme.test/"},
        "actions": {
            "one": {"request": {"path": "thing"}},
            "all": {
                "steps": [
                    {"name": "ids", "request": {"path": "ids"}},
                    {"name": "things", "for_each": "${steps.ids}", "concurrency": 3, "action": "one"},
                ]
            },
        },
    }
    barrier = threading.Barrier(3)

    def meet(request):
        if request.url.path == "/ids":
            return httpx.Response(200, json=[1, 2, 3])
        barrier.wait(60)
        return httpx.Response(200, json={})

    async def ameet(request):
        return httpx.Response(200, json=[1, 2, 3] if request.url.path == "/ids" else {})

    source = {"integrations": {"acme": api}}
    with Nango.load(**settings(meet, source=source)) as nango:
        assert () == nango.problems
        nango.register_connection("acme", "u", {})
        assert [{}] * 3 == nango.trigger_action("acme", "all", "u")

    async def main():
        async with AsyncNango.load(**settings(ameet, source=source)) as nango:
            await nango.register_connection("acme", "u", {})
            assert [{}] * 3 == await nango.trigger_action("acme", "all", "u")

    asyncio.run(main())
    of_one = [
        ("acme/all",),
        ("acme/all", "GET"),
        *[("acme/all", "acme/one")] * 3,
        *[("acme/all", "acme/one", "GET")] * 3,
    ]
    assert sorted(of_one * 2) == sorted(tree(spans()))
