"""Say what an action costs: ``python benchmarks/actions.py``.

The time of a declarative action is compared with that of the same request by raw httpx, in turns, over a server that
answers at once; that of checking an input and an output with jsonschema's for the same two objects of ten fields.
"""

from __future__ import annotations

import asyncio
import platform
import time

import httpx
import jsonschema

import nango_py
from benchmarks.loopback import serving
from nango_py import Nango
from nango_py.actions.inputs import check_input
from nango_py.json_schema import Schema

FIELDS = {f"text{n}": {"type": "string", "maxLength": 100} for n in range(5)}
FIELDS |= {f"count{n}": {"type": "integer", "minimum": 0} for n in range(3)}
FIELDS |= {"kind": {"enum": ["wren", "tit"]}, "tags": {"type": "array", "items": {"type": "string"}}}
SCHEMA = {"type": "object", "properties": FIELDS, "required": list(FIELDS), "additionalProperties": False}
BIRD = {f"text{n}": "a text of some length" for n in range(5)} | {f"count{n}": n for n in range(3)}
BIRD |= {"kind": "wren", "tags": ["a", "b", "c"]}
BODY = b'{"id": "1", "name": "' + b"x" * 200 + b'"}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
COUNT = 100
ROUNDS = 20
PAGE = [BIRD] * 100
PAGES = 200


async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    await reader.readexactly(int(line.partition(b":")[2]))
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def listen(host, port):
    return asyncio.start_server(serve, host, port)


def timed(work, count=COUNT):
    """Return the microseconds that one call takes."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - began) / count * 1e6


def compare(raw, ours):
    """Return our time over the raw one, and our time: of each the fastest round, which others disturbed the least."""
    timed(raw), timed(ours)
    others, own = zip(*((timed(raw), timed(ours)) for _ in range(ROUNDS)), strict=True)
    return min(own) / min(others), min(own)


def declared(url):
    output = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
    body = {name: f"${{input.{name}}}" for name in FIELDS}
    actions = {
        "get": {"request": {"path": "thing"}},
        "post": {
            "input": SCHEMA,
            "request": {
                "method": "POST",
                "path": "birds/${input.kind}",
                "params": {"n": "${input.count1}"},
                "json": body,
            },
            "output": {"map": {"id": "${item.id}", "name": "${item.name}"}, "schema": output},
        },
    }
    integration = {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": url}, "actions": actions}
    return {"integrations": {"birds": integration}}


def over_a_server(url):
    with (
        Nango.load(declared(url), store="memory://", environ={}) as nango,
        httpx.Client(headers={"Authorization": "Bearer k"}) as raw,
    ):
        nango.register_connection("birds", "u", {"api_key": "key-for-the-benchmark"})
        get = compare(lambda: raw.get(url + "thing").json(), lambda: nango.trigger_action("birds", "get", "u"))
        post = compare(
            lambda: raw.post(url + "birds/wren", params={"n": 1}, json=BIRD).json(),
            lambda: nango.trigger_action("birds", "post", "u", BIRD),
        )
    yield "GET action over raw httpx", get[0], "<= 0.85"
    yield "POST action, ten fields checked in and out", post[0], ""


def checking():
    with Nango.load(declared("https://birds.test/"), store="memory://", environ={}) as nango:
        action = nango._core.action(nango._core.integration("birds"), "post")  # noqa: SLF001
    output = Schema(SCHEMA)

    def ours():
        check_input(action, BIRD, who="")
        list(output.violations(BIRD))

    validator = jsonschema.Draft202012Validator(SCHEMA)

    def theirs():
        list(validator.iter_errors(BIRD))
        list(validator.iter_errors(BIRD))

    ratio, took = compare(theirs, ours)
    yield "input and output of ten fields checked (us)", took, "<= 60"
    yield "  over jsonschema", ratio, ""


def streaming():
    """Yield what a streamed item costs, mapped and checked, where pages come at once."""
    walk = {"type": "page", "page_name_in_request": "page", "response_path": "items"}
    each = {name: f"${{item.{name}}}" for name in FIELDS}
    list_birds = {"request": {"path": "x"}, "paginate": walk, "output": {"map": each, "schema": SCHEMA}}
    api = {
        "auth": {"auth_mode": "NONE"},
        "requests": {"base_url": "https://birds.test/"},
        "actions": {"list": list_birds},
    }

    def answer(request):
        number = int(request.url.params["page"])
        items = [{**bird, "count0": number} for bird in PAGE] if number <= PAGES else []
        return httpx.Response(200, json={"items": items})

    transport = httpx.MockTransport(answer)
    with Nango.load({"integrations": {"birds": api}}, store="memory://", environ={}, transport=transport) as nango:
        nango.register_connection("birds", "u", {})
        began = time.perf_counter()
        count = sum(1 for _ in nango.stream_action("birds", "list", "u"))
        yield "an item of ten fields, streamed and mapped (us)", (time.perf_counter() - began) / count * 1e6, ""


def main():
    with serving(listen) as url:
        print(f"Python {platform.python_version()}, httpx {httpx.__version__}, nango_py {nango_py.__version__}")
        print(f"{'what':50} {'measured':>9}  budget")
        for rows in (over_a_server(url), checking(), streaming()):
            for what, measured, budget in rows:
                print(f"{what:50} {measured:9.2f}  {budget}", flush=True)


if __name__ == "__main__":
    main()
