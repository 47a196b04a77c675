"""Python actions under both engines: what they are given, and how they end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import subprocess
import sys
import textwrap
import threading

import httpx
import pytest
import trio

import nango_py
from nango_py import AsyncNango, Nango
from nango_py.events import Finished
from nango_py.testing import ManualClock

API = {
    "auth": {"auth_mode": "API_KEY"},
    "requests": {"base_url": "https://birds.test/v1/"},
    "retry": {"max_attempts": 1},
    "pagination": {
        "type": "page", "page_name_in_request": "page", "limit_name_in_request": "size", "limit": 2,
        "response_path": "birds",
    },
    "actions": {"count": {"request": {"path": "count"}}},
}  # fmt: skip
BIRDS = {"integrations": {"birds": API}}
CONNECTION = ("birds", "u", {"api_key": "k_topsecret_1"})
PAGES = {"1": ["wren", "tit"], "2": ["rook"]}


def answer(request):
    if request.url.path == "/v1/count":
        return httpx.Response(200, json={"count": 3})
    if request.url.path == "/v1/birds":
        return httpx.Response(200, json={"birds": PAGES[request.url.params["page"]]})
    return httpx.Response(404, json={"error": "no such bird"})


def settings(*actions, transport=None, **options):
    return {
        "source": BIRDS,
        "store": "memory://",
        "transport": transport or httpx.MockTransport(answer),
        "environ": {},
        "actions": actions,
        **options,
    }


def run(name, given=None, *, options, **how):
    """Return what an action ends with under both engines, which is the same."""
    with Nango.load(**options) as nango:
        nango.register_connection(*CONNECTION)
        output = nango.trigger_action("birds", name, "u", given, **how)

    async def main():
        async with AsyncNango.load(**options) as nango:
            await nango.register_connection(*CONNECTION)
            return await nango.trigger_action("birds", name, "u", given, **how)

    assert output == asyncio.run(main())
    return output


@nango_py.action("birds")
def look(ctx, given):
    """Look around."""
    return {
        "status": ctx.http.get("nowhere").status_code,
        "birds": list(ctx.paginate("birds")),
        "count": ctx.run("count")["count"],
        "user": ctx.connection.user_id,
        "key": ctx.idempotency_key,
        "input": given,
    }


@nango_py.action("birds")
async def alook(ctx, given):
    return {
        "status": (await ctx.http.get("nowhere")).status_code,
        "birds": [bird async for bird in ctx.paginate("birds")],
        "count": (await ctx.run("count"))["count"],
        "user": ctx.connection.user_id,
        "key": ctx.idempotency_key,
        "input": given,
    }


@pytest.mark.parametrize("name", ["look", "alook"])
def test_an_action_has_a_client_lists_other_actions_and_its_connection(name):
    output = run(name, {"a": 1}, options=settings(look, alook), idempotency_key="once")

    assert {
        "status": 404,
        "birds": ["wren", "tit", "rook"],
        "count": 3,
        "user": "u",
        "key": "once",
        "input": {"a": 1},
    } == output


def test_an_async_action_can_run_a_plain_one_and_the_other_way_round():
    @nango_py.action("birds")
    async def outer(ctx, given):
        return (await ctx.run("look"))["birds"]

    @nango_py.action("birds")
    def outermost(ctx, given):
        return ctx.run("outer")

    assert ["wren", "tit", "rook"] == run("outermost", options=settings(look, outer, outermost))


def test_a_context_shows_no_credentials():
    seen = []

    @nango_py.action("birds")
    def show(ctx, given):
        seen.append(repr(ctx))

    run("show", options=settings(show))
    assert "topsecret" not in "".join(seen)
    assert "user_id='u'" in seen[0]


def test_a_log_line_of_an_action_knows_its_execution_and_hides_secrets(caplog):
    @nango_py.action("birds")
    def talk(ctx, given):
        ctx.log.warning("bird.seen", note="k_topsecret_1")
        return ctx.execution_id

    with Nango.load(**settings(talk)) as nango:
        nango.register_connection(*CONNECTION)
        execution = nango.trigger_action("birds", "talk", "u")

    assert (
        f"event='bird.seen' integration='birds' user_id='u' action='talk' execution_id='{execution}' note='***' "
        "level='warning'"
    ) == caplog.records[0].getMessage()


# Deadline


async def walk(ctx):
    return [bird async for bird in ctx.paginate("birds")]


async def step(ctx):
    ctx.progress(1)


USES = {
    "request": (lambda ctx: ctx.http.get("count"),) * 2,
    "paginate": (lambda ctx: list(ctx.paginate("birds")), walk),
    "run": (lambda ctx: ctx.run("count"),) * 2,
    "progress": (lambda ctx: ctx.progress(1), step),
}


@pytest.mark.parametrize(("use", "ause"), USES.values(), ids=USES)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_is_done_with_a_context_keeps_to_the_deadline(use, ause, is_async):
    clock = ManualClock()
    reached = []

    @nango_py.action("birds")
    def act(ctx, given):
        clock.advance(6)
        reached.append(ctx.time_left())
        use(ctx)
        raise AssertionError("further than its time")

    @nango_py.action("birds", "act")
    async def aact(ctx, given):
        clock.advance(6)
        reached.append(ctx.time_left())
        await ause(ctx)
        raise AssertionError("further than its time")

    with Nango.load(**settings(aact if is_async else act, clock=clock)) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.DeadlineError, match="deadline="):
            nango.trigger_action("birds", "act", "u", deadline=5)

    assert [-1] == reached


def test_a_request_gets_no_more_time_than_is_left():
    timeouts = []

    def remember(request):
        timeouts.append(request.extensions["timeout"])
        return answer(request)

    @nango_py.action("birds")
    def ask(ctx, given):
        ctx.http.get("count")
        clock.advance(4)
        ctx.run("count")

    clock = ManualClock()
    with Nango.load(**settings(ask, clock=clock, transport=httpx.MockTransport(remember))) as nango:
        nango.register_connection(*CONNECTION)
        nango.trigger_action("birds", "ask", "u", deadline=10)

    assert [{10}, {6}] == [set(phases.values()) for phases in timeouts]


def test_a_request_that_was_too_slow_for_the_deadline_is_a_deadline_error():
    clock = ManualClock()

    def slow(request):
        clock.advance(11)
        raise httpx.ReadTimeout("slow", request=request)

    @nango_py.action("birds")
    def ask(ctx, given):
        ctx.http.get("count")

    with Nango.load(**settings(ask, clock=clock, transport=httpx.MockTransport(slow))) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.DeadlineError):
            nango.trigger_action("birds", "ask", "u", deadline=10)
        with pytest.raises(httpx.ReadTimeout):
            nango.trigger_action("birds", "ask", "u")


def test_an_async_action_that_waits_for_something_else_is_ended_by_its_deadline():
    ended = []

    @nango_py.action("birds")
    async def dream(ctx, given):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    # The engine's clock stands still, so that no slow machine is late before the action begins.
    with Nango.load(**settings(dream, clock=ManualClock())) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.DeadlineError):
            nango.trigger_action("birds", "dream", "u", deadline=0.01)
    assert [True] == ended


# Cancellation


def test_a_cancelled_task_cancels_its_async_action():
    ended, found = [], []

    @nango_py.action("birds")
    async def dream(ctx, given):
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main():
        async with AsyncNango.load(**settings(dream)) as nango:
            await nango.register_connection(*CONNECTION)
            task = asyncio.create_task(nango.trigger_action("birds", "dream", "u", on_event=found.append))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    started = asyncio.Event()
    asyncio.run(main())
    assert ["cancelled"] == ended
    assert isinstance(found[-1], Finished)
    assert "cancelled" == found[-1].outcome


def test_trio_cancels_an_async_action_too():
    ended = []

    @nango_py.action("birds")
    async def dream(ctx, given):
        try:
            begun.set()
            await trio.sleep_forever()
        except trio.Cancelled:
            ended.append("cancelled")
            raise

    async def main():
        async with AsyncNango.load(**settings(dream)) as nango:
            await nango.register_connection(*CONNECTION)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(nango.trigger_action, "birds", "dream", "u")
                await begun.wait()
                nursery.cancel_scope.cancel()

    begun = trio.Event()
    trio.run(main)
    assert ["cancelled"] == ended


def test_a_plain_action_of_a_cancelled_task_gets_no_further_than_to_its_next_request():
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()
    sent, errors = [], []

    def remember(request):
        sent.append(request.url.path)
        return answer(request)

    @nango_py.action("birds")
    def work(ctx, given):
        begun.set()
        go.wait(30)
        try:
            ctx.http.get("count")
        except BaseException as error:
            errors.append(type(error))
            raise
        finally:
            ended.set()

    async def main():
        async with AsyncNango.load(**settings(work, transport=httpx.MockTransport(remember))) as nango:
            await nango.register_connection(*CONNECTION)
            task = asyncio.create_task(nango.trigger_action("birds", "work", "u"))
            await asyncio.to_thread(begun.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go.set()
            await asyncio.to_thread(ended.wait, 30)

    asyncio.run(main())
    assert [concurrent.futures.CancelledError] == errors
    assert [] == sent


# Files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "integrations.yaml").write_text("""
integrations:
  birds:
    auth: {auth_mode: API_KEY}
    requests: {base_url: "https://birds.test/v1/"}
    actions: {count: {request: {path: count}}}
""")
    (tmp_path / "birds").mkdir()
    return tmp_path


def write(path, text):
    path.write_text(textwrap.dedent(text), encoding="utf-8")


def load(folder):
    return settings(source=folder / "integrations.yaml")


def test_a_file_may_hold_dataclasses_and_late_annotations(folder):
    write(
        folder / "birds" / "make.py",
        """
        from __future__ import annotations
        import dataclasses
        from typing import ClassVar
        from nango_py import Context

        @dataclasses.dataclass
        class Bird:
            name: str
            kinds: ClassVar[int] = 1

        def run(ctx: Context, input: dict) -> dict:
            return dataclasses.asdict(Bird(input["name"]))
        """,
    )
    assert {"name": "wren"} == run("make", {"name": "wren"}, options=load(folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def other(ctx, given): ...", "it defines no function run(ctx, input)."),
        ("def run(ctx): ...", "it defines no function run(ctx, input)."),
        ("def run(ctx, input):\n    yield 1", "an action returns its output, and does not yield: return a list."),
        (
            "async def run(ctx, input):\n    yield 1",
            "an action returns its output, and does not yield: return a list.",
        ),
        ("SCOPES = 'read'\ndef run(ctx, input): ...", "SCOPES is a list of texts."),
        ("INPUT = {'type': 'thing'}\ndef run(ctx, input): ...", "INPUT is no JSON Schema"),
        (
            "OUTPUT = {'items': {'pattern': '['}}\ndef run(ctx, input): ...",
            "OUTPUT has no regular expression at /items/pattern: unterminated character set",
        ),
        ("ANNOTATIONS = {'fast': True}\ndef run(ctx, input): ...", "ANNOTATIONS is a mapping of some of read_only"),
        ("1/0", "it cannot be loaded: ZeroDivisionError: division by zero."),
        ("def run(:", "it cannot be loaded: SyntaxError"),
    ],
)
def test_a_file_that_is_no_action_says_why(folder, text, message):
    write(folder / "birds" / "bad.py", text)
    with Nango.load(**load(folder)) as nango:
        nango.register_connection(*CONNECTION)
        with pytest.raises(nango_py.ConfigError) as caught:
            nango.trigger_action("birds", "bad", "u")
    assert str(caught.value).startswith(f"{folder / 'birds' / 'bad.py'}:1:1: {message}")


def test_a_changed_file_is_not_loaded_again(folder):
    write(folder / "birds" / "say.py", "def run(ctx, input):\n    return 'old'\n")
    with Nango.load(**load(folder)) as nango:
        nango.register_connection(*CONNECTION)
        assert "old" == nango.trigger_action("birds", "say", "u")
        write(folder / "birds" / "say.py", "def run(ctx, input):\n    return 'the new one'\n")
        write(folder / "birds" / "late.py", "def run(ctx, input): ...\n")
        assert "old" == nango.trigger_action("birds", "say", "u")
        with pytest.raises(nango_py.UnknownAction):
            nango.trigger_action("birds", "late", "u")


def test_typed_contexts_are_what_a_type_checker_knows(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(
        textwrap.dedent(
            """
            from typing import Any
            import nango_py
            from nango_py import AsyncContext, Context

            @nango_py.action("birds", input={"type": "object"}, scopes=["read"])
            def look(ctx: Context, input: dict[str, Any]) -> int:
                ctx.progress(1, 2, "half")
                for bird in ctx.paginate("birds"):
                    ctx.log.info("bird.seen", bird=bird)
                return ctx.http.get("count").status_code

            async def alook(ctx: AsyncContext, input: dict[str, Any]) -> int:
                async for bird in ctx.paginate("birds"):
                    print(bird)
                await ctx.run("count", {"a": 1})
                return (await ctx.http.get("count")).status_code

            def wrong(ctx: Context, input: dict[str, Any]) -> str:
                return ctx.http.get("count").status_code

            def awrong(ctx: AsyncContext, input: dict[str, Any]) -> None:
                ctx.http.get("count").status_code

            reveal_type(look)
            """
        ),
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        str(tmp_path / "cache"),
        "typed.py",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110)

    found = [line.split(": ", 1)[1] for line in done.stdout.splitlines()]
    assert [
        'error: Incompatible return value type (got "int", expected "str")  [return-value]',
        'error: "Coroutine[Any, Any, Response]" has no attribute "status_code"  [attr-defined]',
        'note: Maybe you forgot to use "await"?',
        'note: Revealed type is "def (ctx: nango_py.actions.context.Context, input: dict[str, Any]) -> int"',
    ] == [line.replace("builtins.", "") for line in found]


# Scopes


@pytest.mark.parametrize(("granted", "missing"), [("read", ("write or admin",)), ("read admin", None), (None, None)])
def test_scopes_are_checked_before_the_action_begins(granted, missing):
    begun = []

    @nango_py.action("birds", scopes=["read", ["write", "admin"]])
    def change(ctx, given):
        begun.append(True)

    oauth = {
        "auth": {
            "auth_mode": "OAUTH2",
            "authorization_url": "https://auth.birds.test/authorize",
            "token_url": "https://auth.birds.test/token",
        },
        "requests": {"base_url": "https://birds.test/v1/"},
        "oauth_client_id": "app",
    }
    with Nango.load(**settings(change, source={"integrations": {"birds": oauth}})) as nango:
        token = {"access_token": "at_1"} | ({} if granted is None else {"scope": granted})
        nango.register_connection("birds", "u", token)
        if missing is None:
            nango.trigger_action("birds", "change", "u")
        else:
            with pytest.raises(nango_py.MissingScopes) as caught:
                nango.trigger_action("birds", "change", "u")
            assert missing == caught.value.missing
    assert ([] if missing else [True]) == begun
