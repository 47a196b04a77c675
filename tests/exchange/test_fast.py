"""The connection of ``pool="fast"`` against httpcore's: the same bytes out, the same answers and errors in."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import h11
import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py.exchange.pool.fast import FastConnection
from nango_py.exchange.pool.fast_async import AsyncFastConnection
from nango_py.exchange.pool.http11 import head_of
from nango_py.exchange.pool.wire import to_core
from nango_py.http import AsyncByteStream, Request, SyncByteStream

ORIGIN = httpcore.Origin(b"http", b"api.test", 80)
URL = "http://api.test/a/../b/%2e?x='1'&y=|"


class Wire(httpcore.NetworkStream):
    """Hand out the given pieces, then the end."""

    def __init__(self, pieces, *, breaks_after=None):
        self.pieces, self.sent, self.breaks_after = list(pieces), [], breaks_after

    def read(self, max_bytes, timeout=None):
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, buffer, timeout=None):
        if self.breaks_after is not None and len(self.sent) >= self.breaks_after:
            raise httpcore.WriteError("broken pipe")
        self.sent.append(buffer)

    def close(self):
        pass

    def get_extra_info(self, info):
        return bool(self.pieces) if info == "is_readable" else None


class AsyncWire(httpcore.AsyncNetworkStream):
    def __init__(self, wire):
        self.wire = wire

    async def read(self, max_bytes, timeout=None):  # noqa: ASYNC109
        return self.wire.read(max_bytes)

    async def write(self, buffer, timeout=None):  # noqa: ASYNC109
        self.wire.write(buffer)

    async def aclose(self):
        pass

    def get_extra_info(self, info):
        return self.wire.get_extra_info(info)


class Network(httpcore.NetworkBackend):
    def __init__(self, wire):
        self.wire = wire

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return self.wire


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self, wire):
        self.wire = wire

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):  # noqa: ASYNC109
        return AsyncWire(self.wire)


class Parts(SyncByteStream, AsyncByteStream):
    def __init__(self, *parts):
        self.parts = parts

    def __iter__(self):
        yield from self.parts

    async def __aiter__(self):
        for part in self.parts:
            yield part


def told(error):
    """Return the error's type and text; h11's own, which httpcore lets through, counts as httpcore's."""
    kind = httpcore.LocalProtocolError if isinstance(error, h11.LocalProtocolError) else type(error)
    # Where h11 quotes what it received, the fast connection does not.
    return kind, str(error).partition(": bytearray(")[0]


def by_httpcore(wire, requests):
    connection = httpcore.HTTPConnection(ORIGIN, network_backend=Network(wire))
    return [_exchange(connection, to_core(request)) for request in requests]


def by_fast(wire, requests):
    network = Network(wire)
    connection = FastConnection(
        origin=ORIGIN,
        context=None,
        backend=network,
        spare=lambda: httpcore.HTTPConnection(ORIGIN, network_backend=network),
        is_direct=True,
    )
    return [_exchange(connection, request) for request in requests]


def _exchange(connection, request):
    try:
        answer = connection.handle_request(request)
        try:
            body = b"".join(answer.stream)
        finally:
            answer.stream.close()
    except Exception as error:
        return told(error)
    return _seen(answer, body, connection)


def by_async_fast(wire, requests):
    network = AsyncNetwork(wire)
    connection = AsyncFastConnection(
        origin=ORIGIN,
        context=None,
        backend=network,
        spare=lambda: httpcore.AsyncHTTPConnection(ORIGIN, network_backend=network),
        is_direct=True,
    )

    async def main():
        return [await _async_exchange(connection, request) for request in requests]

    return asyncio.run(main())


async def _async_exchange(connection, request):
    try:
        answer = await connection.handle_async_request(request)
        try:
            body = b"".join([part async for part in answer.stream])
        finally:
            await answer.stream.aclose()
    except Exception as error:
        return told(error)
    return _seen(answer, body, connection)


def _seen(answer, body, connection):
    extensions = (answer.extensions["http_version"], answer.extensions["reason_phrase"])
    return answer.status, list(answer.headers), body, extensions, connection.is_available()


def agree(pieces, *requests, breaks_after=None):
    """Return what httpcore makes of it, after checking that both others make the same."""
    wires = [Wire(pieces, breaks_after=breaks_after) for _ in range(3)]
    expected, fast, fast_async = (
        way(wire, requests) for way, wire in zip((by_httpcore, by_fast, by_async_fast), wires, strict=True)
    )
    assert (expected, expected) == (fast, fast_async)
    sent = [b"".join(wire.sent) for wire in wires]
    # What is wrong with a body at hand is seen before anything has left.
    failed = isinstance(expected[-1][0], type) and all(sent[0].startswith(each) for each in sent)
    assert failed or [sent[0]] * 2 == sent[1:]
    return expected


def get(method="GET", **options):
    return Request(method, URL, **options)


ANSWERS = {
    "plain": b"HTTP/1.1 200 OK\r\nX-CaSe:  caf\xe9 \t\r\nX:\r\nSet-Cookie: a\r\nset-cookie: b\r\ncontent-length: 2\r\n\r\nok",
    "empty": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    "blank reason": b"HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nok",
    "keep": b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\none\r\n00A \r\n0123456789\r\n0\r\n\r\n",
    "CHUNKED": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\none\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\nabc",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "mixed line ends": b"HTTP/1.1 200 OK\r\ncontent-length: 2\n\r\nok",
    "folded": b"HTTP/1.1 200 OK\r\nfoo: a\r\n b\r\ncontent-length: 0\r\n\r\n",
    "length twice": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
    "lengths differ": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "lengths in one": b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok",
    "length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "other coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok",
    "huge length": b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nok",
    "short": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok",
    "short chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok",
    "bad chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nok\r\n0\r\n\r\n",
    "bad footer": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "nothing": b"",
    "not HTTP": b"this is not HTTP\r\n\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "bad field": b"HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 0\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
    "control": b"HTTP/1.1 200 OK\r\nx: a\x01b\r\ncontent-length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
    "status 0": b"HTTP/1.1 0 Odd\r\ncontent-length: 0\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nxyz",
    "options": b"HTTP/1.1 200 OK\r\nconnection: foo, CLOSE\r\ncontent-length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_mean_what_httpcore_makes_of_them(answer, method):
    if method == "HEAD":
        head, end, _ = answer.partition(b"\r\n\r\n")
        answer = head + end
    agree([answer], get(method))
    agree([answer[at : at + 1] for at in range(len(answer))], get(method))


@pytest.mark.parametrize(
    "answer", [ANSWERS[name] for name in ("plain", "chunked", "early hints", "no content", "keep")]
)
def test_a_connection_serves_many_requests(answer):
    found = agree([answer] * 3, get(), get("POST", content=b"x"), get("DELETE"))

    assert [True] * 3 == [is_available for *_, is_available in found]


FIELD = st.tuples(
    st.sampled_from([b"X-A", b"x-b", b"Set-Cookie", b"Content-Type", b"Link", b"Connection", b"a b", b"X\xe9"]),
    st.sampled_from([b"", b"1", b"close", b"keep-alive", b"a, b", b" x ", b"\xe9", b"x\x0b", b"text/html", b"\tq"]),
)
FRAMES = [
    (b"Content-Length: 5", b"hello"),
    (b"content-length: 3", b"hel"),
    (b"content-length: 05", b"hello"),
    (b"content-length: +5", b"hello"),
    (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
    (b"transfer-encoding: chunked", b"2 \r\nhe\r\n3;q\r\nllo\r\n0\r\nT: 1\r\n\r\n"),
    (b"transfer-encoding: chunked", b"5\r\nhelloX\r\n0\r\n\r\n"),
    (b"X-None: 1", b"hello"),
]


@settings(max_examples=200)
@given(
    status=st.sampled_from([b"200", b"201", b"204", b"304", b"404", b"500", b"100"]),
    version=st.sampled_from([b"1.1", b"1.1", b"1.0"]),
    fields=st.lists(FIELD, max_size=4),
    frame=st.sampled_from(FRAMES),
    line_end=st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]),
    cuts=st.lists(st.integers(0, 300), max_size=5),
    method=st.sampled_from(["GET", "HEAD", "PUT"]),
)
def test_any_answer_in_any_pieces_means_the_same(status, version, fields, frame, line_end, cuts, method):  # noqa: PLR0917
    lines = [b"HTTP/%b %b Text" % (version, status), *(b"%b: %b" % field for field in fields), frame[0]]
    body = b"" if method == "HEAD" or status in (b"204", b"304", b"100") else frame[1]
    answer = line_end.join(lines) + line_end * 2 + body
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(answer)}), len(answer)]
    agree([answer[start:end] for start, end in pairwise(edges)], get(method))


NAMES = st.sampled_from(
    ["X-API-Key", "accept", "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade"]
)
VALUES = st.sampled_from(
    ["", "1", "0", "chunked", "Chunked", "close", "keep-alive", "a b", "caf\xe9", "x\n", "x\r\ny: z", " x"]
)


@settings(max_examples=200)
@given(
    method=st.sampled_from(["GET", "POST", "patch", "M-SEARCH", "BAD METHOD"]),
    extra=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    body=st.sampled_from([None, b"", b"x", b"hello" * 30_000, ("a", "bc"), ()]),
)
def test_any_request_is_written_the_same(method, extra, body):
    def made():
        content = {} if isinstance(body, tuple) else {"content": body}
        request = Request(method, URL, headers=[(name, value.encode("latin-1")) for name, value in extra], **content)
        if isinstance(body, tuple):
            request.stream = Parts(*(part.encode() for part in body))
        return request

    agree([ANSWERS["plain"]], made())


@pytest.mark.parametrize("declared", [None, "3", "2", "4"])
def test_a_streamed_body_is_framed_as_declared(declared):
    request = get(
        "POST", headers={"Transfer-Encoding": "chunked"} if declared is None else {"Content-Length": declared}
    )
    request.stream = Parts(b"on", b"", b"e")

    (found,) = agree([ANSWERS["plain"]], request)
    assert (declared in (None, "3")) is (found[0] == 200)


@pytest.mark.parametrize("name", ["plain", "close", "chunked", "early hints", "nothing"])
def test_an_answer_to_a_request_that_could_not_be_written_whole_is_read(name):
    request = get("POST", headers={"Content-Length": "2"})
    request.stream = Parts(b"a", b"b")

    (found,) = agree([ANSWERS[name]], request, breaks_after=1)
    assert name == "nothing" or (200, False) == (found[0], found[-1])


def test_bytes_behind_an_answer_end_the_connection():
    """Here httpcore would take them for the next request's answer."""
    for answer in (ANSWERS["plain"], ANSWERS["chunked"], ANSWERS["no content"]):
        (found,) = by_fast(Wire([answer + ANSWERS["plain"]]), [get()])
        assert (found, False) == (found, found[-1])


def test_heads_and_lines_without_end_are_refused():
    agree([b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"y" * 10_000 + b"\r\n"] * 12], get())
    (found,) = by_fast(
        Wire([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *[b"1" * 10_000] * 12]), [get()]
    )
    assert httpcore.RemoteProtocolError is found[0]


def test_an_ordinary_request_is_recognised():
    """Otherwise everything above would pass without a fast connection."""
    for request in (
        get(),
        get("POST", json={"a": 1}),
        get("PUT", files={"f": b"x"}),
        get(headers={"Connection": "close"}),
    ):
        assert head_of(request) is not None


def test_httpcores_debug_log_hears_everything(caplog):
    with caplog.at_level(logging.DEBUG, logger="httpcore"):
        agree([ANSWERS["plain"]], get())

    started = [message for message in caplog.messages if message.startswith("send_request_headers.started")]
    assert len(started) == 3
