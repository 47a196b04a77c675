"""An answer's bytes are read while they come, count while they do, and end as any action's errors do."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import httpx
import pytest

from nango_py import (
    AsyncNango,
    AuthenticationError,
    DeadlineError,
    Nango,
    RateLimitedError,
    ResponseError,
    UnreachableError,
    UsageError,
)
from nango_py.testing import ManualClock
from tests.actions.declared import API, Sent, load

ACTION = {"request": {"path": "file"}, "output": {"download": True}}
DATA = b"\x00\xff wren" * 20_000
HEADERS = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="birds.png"'}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Bytes that tell when they are read and closed."""

    def __init__(self, pieces, clock=None):
        self.pieces, self.clock, self.is_closed, self.read = pieces, clock, False, 0

    def __iter__(self):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            self.read += 1
            yield piece

    async def __aiter__(self):
        for piece in self:
            yield piece

    def close(self):
        self.is_closed = True

    async def aclose(self):
        self.is_closed = True


def nango_for(*pieces, status=200, headers=HEADERS, **integration):
    body = Body(pieces or [DATA])
    sent = Sent(lambda _request: httpx.Response(status, headers=headers, stream=body))
    return load(ACTION, sent, **integration), body


def test_bytes_are_not_read_before_they_are_asked_for():
    nango, body = nango_for(b"one", b"two")
    with nango, nango.trigger_action("birds", "act", "u") as download:
        assert (0, False) == (body.read, body.is_closed)
        assert [b"one", b"two"] == list(download)
        assert body.is_closed


def test_answer_is_closed_by_with_though_nobody_read_it():
    nango, body = nango_for()
    with nango:
        with nango.trigger_action("birds", "act", "u"):
            pass
        assert (0, True) == (body.read, body.is_closed)


def test_bytes_are_read_once():
    nango, _ = nango_for()
    with nango, nango.trigger_action("birds", "act", "u") as download:
        download.read()
        with pytest.raises(UsageError, match="a download is read once"):
            download.read()


def test_closed_download_is_not_read():
    nango, _ = nango_for()
    with nango:
        download = nango.trigger_action("birds", "act", "u")
        download.close()
        with pytest.raises(UsageError, match="before it is closed"):
            download.read()


def test_head_tells_of_the_file():
    nango, _ = nango_for(headers={**HEADERS, "Content-Length": str(len(DATA))})
    with nango, nango.trigger_action("birds", "act", "u") as download:
        assert ("birds.png", "image/png", len(DATA)) == (download.filename, download.content_type, download.size)
        assert f"Download(filename='birds.png', content_type='image/png', size={len(DATA)})" == repr(download)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (None, None),
        ("attachment", None),
        ("attachment; filename=a.txt", "a.txt"),
        ("attachment; filename*=UTF-8''gr%C3%BCn.txt", "grün.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        (r'attachment; filename="C:\\windows\\evil.exe"', "evil.exe"),
        ('attachment; filename="/etc/"', None),
        ('attachment; filename=".."', None),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename=". .ssh"', "ssh"),
        ("attachment; filename*=UTF-8''a%0Ab", None),
        ("attachment; filename*=UTF-8''%2e%2e%2fa", "a"),
        ("attachment; filename*=no-such-charset''%ff", "ÿ"),
        ("\x00; ;;=", None),
    ],
)
def test_name_that_the_provider_gives_leads_out_of_no_folder(disposition, name):
    nango, _ = nango_for(headers={} if disposition is None else {"Content-Disposition": disposition})
    with nango, nango.trigger_action("birds", "act", "u") as download:
        assert name == download.filename


def test_saved_file_is_there_when_all_of_it_is(tmp_path):
    nango, _ = nango_for()
    with nango:
        path = nango.trigger_action("birds", "act", "u").save(tmp_path / "x.png")
    assert (tmp_path / "x.png", DATA) == (path, path.read_bytes())
    assert [path] == list(tmp_path.iterdir())


def test_file_may_have_the_longest_of_names(tmp_path):
    nango, _ = nango_for()
    with nango:
        assert DATA == nango.trigger_action("birds", "act", "u").save(tmp_path / ("x" * 255)).read_bytes()


def test_file_gets_the_providers_name_in_a_folder(tmp_path):
    nango, _ = nango_for()
    with nango:
        assert tmp_path / "birds.png" == nango.trigger_action("birds", "act", "u").save(tmp_path)


def test_the_providers_name_replaces_no_file(tmp_path):
    (tmp_path / "birds.png").write_bytes(b"old")
    nango, _ = nango_for()
    with nango, nango.trigger_action("birds", "act", "u") as download:
        with pytest.raises(UsageError, match=r"birds\.png exists already: say its whole path to replace it"):
            download.save(tmp_path)
        assert DATA == download.save(tmp_path / "birds.png").read_bytes()


def test_file_without_a_name_is_refused_in_a_folder(tmp_path):
    nango, _ = nango_for(headers={})
    with nango, nango.trigger_action("birds", "act", "u") as download:
        with pytest.raises(UsageError, match="say its whole path"):
            download.save(tmp_path)


def test_download_that_breaks_off_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    nango, body = nango_for(b"new", httpx.ReadError("gone"))
    with nango, pytest.raises(UnreachableError, match=r"action 'act': GET .*/file was not answered to the end: gone"):
        nango.trigger_action("birds", "act", "u").save(tmp_path / "x")
    assert ([tmp_path / "x"], b"old", True) == (
        list(tmp_path.iterdir()),
        (tmp_path / "x").read_bytes(),
        body.is_closed,
    )


def test_compressed_answer_is_unpacked_and_of_unknown_size():
    packed = gzip.compress(DATA)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    nango, _ = nango_for(packed, headers=headers)
    with nango, nango.trigger_action("birds", "act", "u") as download:
        assert (None, DATA) == (download.size, download.read())


def test_response_limit_holds_while_bytes_come():
    nango, body = nango_for(b"x" * 60, b"x" * 60, response_limit=100)
    with nango, nango.trigger_action("birds", "act", "u") as download:
        with pytest.raises(ResponseError, match="larger than response_limit, 100 bytes"):
            download.read()
        assert body.is_closed


@pytest.mark.parametrize(("status", "error"), [(404, ResponseError), (401, AuthenticationError)])
def test_error_status_is_read_as_usual(status, error):
    nango, body = nango_for(b'{"message": "no such bird"}', status=status)
    with nango, pytest.raises(error, match="no such bird"):
        nango.trigger_action("birds", "act", "u")
    assert body.is_closed


def test_answer_of_good_status_that_a_reaction_refuses_is_an_error():
    reaction = {"path": "ok", "value": False, "reaction": "fail", "message": "${body.why}"}
    headers = {"Content-Type": "application/json"}
    nango, _ = nango_for(b'{"ok": false, "why": "no such bird"}', headers=headers, retry={"reactions": [reaction]})
    with nango, pytest.raises(ResponseError, match="no such bird"):
        nango.trigger_action("birds", "act", "u")


def test_retry_happens_before_the_bytes_come():
    answers = [httpx.Response(503), httpx.Response(200, content=b"wren")]
    with load(ACTION, Sent(lambda _request: answers.pop(0)), {"clock": ManualClock()}) as nango:
        assert b"wren" == nango.trigger_action("birds", "act", "u").read()


def test_slot_is_taken_until_the_download_is_closed():
    nango, _ = nango_for(rate_limit=[{"concurrency": 1}], retry={"deadline": 0})
    with nango:
        with nango.trigger_action("birds", "act", "u"):
            with pytest.raises(RateLimitedError, match="its turn does not come"):
                nango.trigger_action("birds", "act", "u")
        nango.trigger_action("birds", "act", "u").close()


def test_deadline_ends_a_download():
    clock = ManualClock()
    sent = Sent(lambda _request: httpx.Response(200, stream=Body([b"a", httpx.ReadTimeout("slow")])))
    with load(ACTION, sent, {"clock": clock}) as nango:
        download = nango.trigger_action("birds", "act", "u", deadline=5)
        clock.advance(6)
        with pytest.raises(DeadlineError, match="the time given by deadline= is over"):
            download.read()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_download_is_the_same(backend, tmp_path):
    async def main():
        body = Body([DATA])
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, headers=HEADERS, stream=body))
        source = {"integrations": {"birds": {**API, "actions": {"act": ACTION}}}}
        async with AsyncNango.load(source, store="memory://", transport=transport, environ={}) as nango:
            await nango.register_connection("birds", "u", {})
            async with await nango.trigger_action("birds", "act", "u") as download:
                assert 0 == body.read
                assert DATA == await download.read()
            assert body.is_closed
            saved = await (await nango.trigger_action("birds", "act", "u")).save(tmp_path)
            assert (tmp_path / "birds.png", DATA) == (saved, saved.read_bytes())
            assert [saved] == list(tmp_path.iterdir())

    anyio.run(main, backend=backend)


class Provider(BaseHTTPRequestHandler):
    """Answer with a part of what is promised, and wait for *go* before the rest."""

    def __init__(self, go, *args):
        self.go = go
        super().__init__(*args)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"wren")
        self.wfile.flush()
        self.go.wait(30)
        self.wfile.write(b"song")

    def log_message(self, *_args):
        pass


@contextmanager
def provider():
    go = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Provider, go))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", go
    finally:
        go.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("pool", ["default", "fast"])
def test_first_bytes_are_there_while_the_server_still_works_on_the_rest(pool):
    with provider() as (url, go):
        source = {"integrations": {"birds": {**API, "requests": {"base_url": url}, "actions": {"act": ACTION}}}}
        with Nango.load(source, store="memory://", environ={}, pool=pool) as nango:
            nango.register_connection("birds", "u", {})
            with nango.trigger_action("birds", "act", "u") as download:
                pieces = iter(download)
                assert b"wren" == next(pieces)
                go.set()
                assert b"song" == b"".join(pieces)
