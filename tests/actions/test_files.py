"""Files go where the schema has one: streamed, as often as they can be rewound, and never by a text."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from nango_py import InputError, RateLimitedError
from nango_py.testing import ManualClock
from tests.actions.declared import API, Sent, load, run
from tests.servers.faces import BACKENDS, face

FILE = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
RAW = {"input": FILE, "request": {"method": "PUT", "path": "x", "raw": {"content": "${input.file}"}}}
PART = {"file": "${input.file}"}
PARTS = {"input": FILE, "request": {"method": "POST", "path": "x", "multipart": {"note": "n", "upload": PART}}}
DATA = b"\x00\xff wren" * 20_000


class Pipe(io.RawIOBase):
    """A file that cannot be rewound."""

    def __init__(self, data):
        self._inner = io.BytesIO(data)

    def read(self, size=-1):
        return self._inner.read(size)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "birds.png"
    path.write_bytes(DATA)
    return path


def moved(data):
    file = io.BytesIO(b"skipped" + data)
    file.seek(7)
    return file


def spooled(data):
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115 - the test closes it
    file.write(data)
    file.seek(0)
    return file


MAKERS = {
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "a path": lambda path: path,
    "a file in memory": lambda path: io.BytesIO(path.read_bytes()),
    "a file from where it stands": lambda path: moved(path.read_bytes()),
    "a temporary file": lambda path: spooled(path.read_bytes()),
    "a pipe": lambda path: Pipe(path.read_bytes()),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_raw_body_is_the_files_bytes(backend, make, path):
    sent = Sent()
    file = make(path)
    with over(backend, RAW, sent) as nango:
        nango.call("trigger_action", "birds", "act", "u", {"file": file})
    assert [DATA] == sent.bodies
    told = sent.request.headers.get("Content-Length"), sent.request.headers.get("Transfer-Encoding")
    assert ((None, "chunked") if isinstance(file, Pipe) else (str(len(DATA)), None)) == told
    assert "birds.test" == sent.request.headers["Host"]
    close(file)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_multipart_file_is_the_files_bytes(backend, make, path):
    sent = Sent()
    file = make(path)
    with over(backend, PARTS, sent) as nango:
        nango.call("trigger_action", "birds", "act", "u", {"file": file})
    assert DATA in sent.bodies[0]
    length = sent.request.headers.get("Content-Length")
    assert (None if isinstance(file, Pipe) else len(sent.bodies[0])) == (length and int(length))
    name = b"birds.png" if isinstance(file, Path) else b"upload"
    assert b'name="upload"; filename="%s"' % name in sent.bodies[0]
    close(file)


@pytest.mark.parametrize("action", [RAW, PARTS], ids=["raw", "multipart"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_body_is_sent_again_where_the_file_can_be_rewound(make, action, path):
    answers = [httpx.Response(429), httpx.Response(200, json={})]
    sent = Sent(lambda _request: answers.pop(0))
    file = make(path)
    with load(action, sent, {"clock": ManualClock()}) as nango:
        if isinstance(file, Pipe):
            with pytest.raises(RateLimitedError):
                nango.trigger_action("birds", "act", "u", {"file": file})
        else:
            nango.trigger_action("birds", "act", "u", {"file": file})
    assert [True] * (1 if isinstance(file, Pipe) else 2) == [DATA in body for body in sent.bodies]
    close(file)


TWICE = {"steps": [{"name": name, "request": "the body"} for name in ("first", "second")]}
AT_ONCE = {"steps": [{"name": "each", "for_each": "${input.times}", "concurrency": 4, "request": "the body"}]}


@pytest.mark.parametrize("steps", [TWICE, AT_ONCE], ids=["one after the other", "at once"])
@pytest.mark.parametrize("action", [RAW, PARTS], ids=["raw", "parts"])
def test_each_step_gets_the_whole_file_from_where_it_stood(action, steps):
    numbers = b"".join(b"%07d\n" % number for number in range(40_000))
    steps = [{**step, "request": action["request"]} for step in steps["steps"]]
    sent = Sent()
    schema = {**FILE, "properties": {**FILE["properties"], "times": {"type": "array"}}}
    run({"input": schema, "steps": steps}, {"file": moved(numbers), "times": [*range(8)]}, sent)
    wanted = 8 if "for_each" in steps[0] else 2
    assert [1] * wanted == [body.count(numbers) for body in sent.bodies]


def test_file_that_cannot_be_rewound_goes_into_one_step_only():
    steps = [{**step, "request": RAW["request"]} for step in TWICE["steps"]]
    sent = Sent()
    with pytest.raises(InputError, match="step 'second': a file that cannot be rewound"):
        run({"input": FILE, "steps": steps}, {"file": Pipe(DATA)}, sent)
    assert [DATA] == sent.bodies


def test_filename_and_media_type_are_those_declared():
    part = {"file": "${input.file}", "filename": "${input.name}", "content_type": "text/plain"}
    schema = {"type": "object", "properties": {**FILE["properties"], "name": {"type": "string"}}}
    action = {"input": schema, "request": {"method": "POST", "path": "x", "multipart": {"a": part}}}
    sent = Sent()
    run(action, {"file": b"wren", "name": "list of birds.txt"}, sent)
    assert b'name="a"; filename="list of birds.txt"\r\nContent-Type: text/plain\r\n\r\nwren' in sent.bodies[0]


def test_list_of_files_is_a_part_each():
    files = {"type": "array", "items": FILE["properties"]["file"]}
    schema = {"type": "object", "properties": {"files": files}}
    part = {"file": "${input.files}"}
    action = {"input": schema, "request": {"method": "POST", "path": "x", "multipart": {"a": part}}}
    sent = Sent()
    run(action, {"files": [b"wren", b"tit"]}, sent)
    assert 2 == sent.bodies[0].count(b'name="a"; filename="a"')


NO_FILES = ["/etc/passwd", io.StringIO("text"), 5, None, ["a"], {"a": 1}]


@pytest.mark.parametrize("value", NO_FILES, ids=lambda value: type(value).__name__)
def test_what_is_no_file_is_refused_and_a_text_is_never_a_path(value):
    sent = Sent()
    with pytest.raises(InputError, match="/file: 'file' must be a file"):
        run(RAW, {"file": value}, sent)
    assert [] == sent.requests


ANYTHING = [{}, {"type": "string"}, {"type": "object"}, {"type": ["string", "null"], "format": "date"}]


@pytest.mark.parametrize("schema", ANYTHING, ids=str)
@pytest.mark.parametrize("value", [b"bytes", Path("/etc/passwd"), io.BytesIO(b"file")], ids=["bytes", "path", "file"])
def test_file_is_accepted_where_the_schema_has_one_only(schema, value):
    action = {
        "input": {"type": "object", "properties": {"other": schema}},
        "request": {"method": "POST", "path": "x", "json": {"a": "${input.other}"}},
    }
    sent = Sent()
    with pytest.raises(InputError, match="/other: "):
        run(action, {"other": value}, sent)
    assert [] == sent.requests


@pytest.mark.parametrize("place", ["json", "params", "headers", "form"])
def test_file_has_no_place_outside_of_file_bodies(place):
    action = {"input": FILE, "request": {"method": "POST", "path": "x", place: {"a": "${input.file}"}}}
    sent = Sent()
    with pytest.raises(InputError):
        run(action, {"file": b"wren"}, sent)
    assert [] == sent.requests


@pytest.mark.parametrize("name", ["missing", "."])
def test_path_that_leads_to_no_file_is_refused_before_anything_is_sent(name, tmp_path):
    sent = Sent()
    with pytest.raises(InputError, match=r"the file .+ cannot be read: "):
        run(RAW, {"file": tmp_path / name}, sent)
    assert [] == sent.requests


def test_file_that_gives_text_is_refused(tmp_path):
    class Texts:
        def read(self, _size=-1):
            return "wren"

    with pytest.raises(InputError, match="open it in binary mode"):
        run(RAW, {"file": Texts()})


@pytest.mark.parametrize("action", [RAW, PARTS], ids=["raw", "multipart"])
def test_large_file_is_never_in_memory(action, tmp_path):
    path, size = tmp_path / "large", 64 * 1024 * 1024
    with path.open("wb") as file:
        file.truncate(size)
    counts = []

    class Counting(httpx.BaseTransport):
        def handle_request(self, request):
            counts.append(sum(len(piece) for piece in request.stream))
            return httpx.Response(200, json={})

    with load(action, Sent(), {"transport": Counting()}) as nango:
        tracemalloc.start()
        nango.trigger_action("birds", "act", "u", {"file": path})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size <= counts[0]
    assert size / 8 > peak


@contextmanager
def over(backend, action, sent):
    source = {"integrations": {"birds": {**API, "actions": {"act": action}}}}
    with face(backend, source, {"transport": httpx.MockTransport(sent)}) as nango:
        nango.call("register_connection", "birds", "u", {})
        yield nango


def close(file):
    if hasattr(file, "close"):
        file.close()
