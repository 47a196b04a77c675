"""After the first request of a connection nothing that stays the same is worked out again."""

from __future__ import annotations

import asyncio
import base64
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from nango_py import AsyncNango, Nango
from nango_py.connections.manager import CONNECTION_MAX_AGE
from nango_py.connections.memory import MemoryStore
from nango_py.testing import ManualClock

BLUEPRINT = """
name: birds
versions:
  v0:
    auth: {auth_mode: API_KEY}
    credentials: {api_key: {secret: true}}
    connection_config: {region: {title: Region}}
    requests:
      base_url: "https://${connection_config.region}.birds.test/v1/"
      headers: {Accept: application/json, X-Key: "${api_key}", X-Account: "account-${metadata.account}"}
      params: {region: "${connection_config.region}"}
    pagination: {type: cursor, cursor_name_in_request: from, cursor_path_in_response: next, response_path: birds}
    actions:
      list-birds:
        input: {type: object, properties: {colour: {type: string}}, required: [colour]}
        request: {path: birds, params: {colour: "${input.colour}"}}
        paginate: true
        output:
          map: {name: "${item.name}"}
          schema: {type: object, properties: {name: {type: string}}, required: [name]}
      count-birds:
        request: {path: count}
"""
HERE = Path(__file__).resolve().parent.parent / "nango_py"


class CountingStore(MemoryStore):
    """Count who reads the store, and how."""

    def __init__(self):
        super().__init__()
        self.reads = Counter()

    def get(self, integration, user_id):
        self.reads["get"] += 1
        return super().get(integration, user_id)

    def version(self, integration, user_id):
        self.reads["version"] += 1
        row = super().get(integration, user_id)
        return None if row is None else (row.id, row.version)

    def iterate(self, **options):
        self.reads["iterate"] += 1
        return super().iterate(**options)


def answer(request):
    if request.url.path.endswith("count"):
        return httpx.Response(200, json={"count": 2})
    is_last = "from" in request.url.params
    return httpx.Response(200, json={"birds": [{"name": "wren"}], "next": None if is_last else "2"})


@pytest.fixture
def store():
    return CountingStore()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def settings(tmp_path, store, clock):
    (tmp_path / "birds.yaml").write_text(BLUEPRINT, encoding="utf-8")
    return {
        "source": {"integrations": {"birds": {"extends_blueprint": "birds:v0"}}},
        "blueprints": [tmp_path],
        "store": store,
        "clock": clock,
        "transport": httpx.MockTransport(answer),
        "environ": {"NANGO_ENCRYPTION_KEYS": base64.b64encode(bytes(range(32))).decode()},
    }


CONNECTION = ("birds", "u1", {"api_key": "key-4f1c9a"}, {"region": "eu"}, {"account": "7"})


def work(nango):
    """Do each kind of request once."""
    with nango.client("birds", "u1") as client:
        client.get("birds", params={"colour": "red"}).raise_for_status()
    names = nango.trigger_action("birds", "list-birds", "u1", {"colour": "red"})
    counted = nango.trigger_action("birds", "count-birds", "u1")
    walked = list(nango.paginate("birds", "u1", "birds"))
    return names, counted, walked


async def work_async(nango):
    async with nango.client("birds", "u1") as client:
        (await client.get("birds", params={"colour": "red"})).raise_for_status()
    names = await nango.trigger_action("birds", "list-birds", "u1", {"colour": "red"})
    counted = await nango.trigger_action("birds", "count-birds", "u1")
    return names, counted, [bird async for bird in nango.paginate("birds", "u1", "birds")]


WORKED = ([{"name": "wren"}] * 2, {"count": 2}, [{"name": "wren"}] * 2)


@contextmanager
def calls():
    """Count the functions that this process's threads call, by file and name, and what is compiled."""
    counted = Counter()

    def count(frame, event, function):
        if event == "call":
            counted[frame.f_code.co_filename, frame.f_code.co_name] += 1
        elif event == "c_call":
            counted["builtin", function.__name__] += 1

    before = sys.getprofile()
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield counted
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def of(counted, *parts):
    """Return the counts of functions whose file's path holds one of *parts*."""
    return {
        f"{Path(file).stem}.{name}": number
        for (file, name), number in counted.items()
        if any(part in file for part in parts)
    }


def rendered(counted):
    """Return how often placeholders were filled."""
    return sum(number for name, number in of(counted, str(HERE / "template.py")).items() if name == "template.value")


def check(counted):
    """Whatever was read and compiled at first stays."""
    assert {} == of(counted, str(HERE / "declare"), str(HERE / "document.py"), str(HERE / "schemas"), "yaml")
    assert {} == of(counted, "/jinja2/", str(HERE / "expression.py"))
    templates = of(counted, str(HERE / "template.py"))
    assert {} == {name: templates[name] for name in templates.keys() & {"template.split", "template.tree"}}
    assert {} == {
        name: number
        for name, number in of(counted, "/jsonschema/", str(HERE / "json_schema.py")).items()
        if name.rpartition(".")[2] in {"_validator", "check_schema", "create", "extend"}
    }
    assert {} == of(counted, "/re/_compiler", "/re/_parser", "/jmespath/")
    assert 0 == counted["builtin", "compile"] == counted["builtin", "open"]


def test_the_profile_sees_what_loading_and_the_first_requests_do(settings):
    with calls() as counted, Nango.load(**settings) as nango:
        nango.register_connection(*CONNECTION)
        assert WORKED == work(nango)

    assert rendered(counted) > 0
    assert {} != of(counted, str(HERE / "declare"))
    assert {} != of(counted, str(HERE / "document.py"))


def test_later_requests_render_compile_and_parse_nothing_static(settings):
    with Nango.load(**settings) as nango:
        nango.register_connection(*CONNECTION)
        work(nango)
        with calls() as counted:
            for _ in range(10):
                assert WORKED == work(nango)

    check(counted)


def test_later_requests_on_an_event_loop_render_compile_and_parse_nothing_static(settings):
    async def main():
        async with AsyncNango.load(**settings) as nango:
            await nango.register_connection(*CONNECTION)
            await work_async(nango)
            with calls() as counted:
                for _ in range(10):
                    assert WORKED == await work_async(nango)
        return counted

    check(asyncio.run(main()))


def test_a_client_s_later_requests_fill_no_placeholder(settings):
    with Nango.load(**settings) as nango:
        nango.register_connection(*CONNECTION)
        with nango.client("birds", "u1") as client:
            client.get("birds")
            with calls() as counted:
                sent = [client.get("birds") for _ in range(10)]

    assert 0 == rendered(counted)
    assert [200] * 10 == [each.status_code for each in sent]


def test_what_a_new_version_of_the_connection_changes_is_rendered_anew(settings):
    seen = []

    def remember(request):
        seen.append((request.headers["X-Key"], request.headers["X-Account"], request.url.host))
        return answer(request)

    with Nango.load(**{**settings, "transport": httpx.MockTransport(remember)}) as nango:
        nango.register_connection(*CONNECTION)
        with nango.client("birds", "u1") as client:
            client.get("birds")
            nango.update_connection_credentials("birds", "u1", {"api_key": "key-new"})
            client.get("birds")
            nango.update_metadata("birds", "u1", {"account": "8"})
            client.get("birds")

    assert [
        ("key-4f1c9a", "account-7", "eu.birds.test"),
        ("key-new", "account-7", "eu.birds.test"),
        ("key-new", "account-8", "eu.birds.test"),
    ] == seen


def test_the_store_is_read_once_in_a_connection_s_age(settings, store, clock):
    with Nango.load(**settings) as nango:
        nango.register_connection(*CONNECTION)
        work(nango)
        store.reads.clear()
        for _ in range(20):
            work(nango)
        assert {} == store.reads

        for age in range(1, 4):
            clock.advance(CONNECTION_MAX_AGE)
            for _ in range(20):
                work(nango)
            assert {"version": age} == store.reads


def test_the_store_is_read_once_in_a_connection_s_age_on_an_event_loop(settings, store, clock):
    async def main():
        async with AsyncNango.load(**settings) as nango:
            await nango.register_connection(*CONNECTION)
            await work_async(nango)
            store.reads.clear()
            for age in range(1, 4):
                clock.advance(CONNECTION_MAX_AGE)
                for _ in range(20):
                    await work_async(nango)
                assert {"version": age} == store.reads

    asyncio.run(main())


def test_a_connection_that_another_process_changed_is_read_whole_once(settings, store, clock):
    with Nango.load(**settings) as nango, Nango.load(**settings) as other:
        nango.register_connection(*CONNECTION)
        work(nango)
        other.update_metadata("birds", "u1", {"account": "9"})
        clock.advance(CONNECTION_MAX_AGE)
        store.reads.clear()
        work(nango)
        work(nango)

    assert {"version": 1, "get": 1} == store.reads
