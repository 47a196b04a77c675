from __future__ import annotations

import asyncio
import gzip
import zlib

import httpx
import pytest

from nango_py import AsyncNango, OutputError, ResponseError, http
from nango_py.http import TooLargeError
from tests.exchange.scripted import KEY, engine, keys_of

LIMIT = 1000
ZEROS = bytes(50_000_000)


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Parts, counted as they are taken."""

    def __init__(self, parts):
        self.parts = parts
        self.taken = 0
        self.is_closed = False

    def __iter__(self):
        for part in self.parts:
            self.taken += 1
            yield part

    async def __aiter__(self):
        for part in self:
            yield part

    def close(self):
        self.is_closed = True

    async def aclose(self):
        self.is_closed = True


def answering(body, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(200, headers=names, stream=body)


def parts_of(data, size=100):
    return [data[start : start + size] for start in range(0, len(data), size)]


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODED = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    ("aws-chunked", bytes),
]


@pytest.mark.parametrize(("coding", "pack"), CODED)
@pytest.mark.parametrize("size", [2, 7, 100_000])
def test_an_answer_within_the_limit_arrives_whole(coding, pack, size):
    data = b'{"id": "' + b"a" * 900 + b'"}'
    body = Body(parts_of(pack(data), size))
    with engine(answering(body, Content_Encoding=coding), response_limit=LIMIT) as nango:
        with nango.client("acme", "u") as client:
            assert data == client.get("thing").content
    assert body.is_closed


@pytest.mark.parametrize(("coding", "pack"), [*CODED[:4], ("identity", bytes)])
def test_a_bomb_is_never_unpacked(coding, pack):
    body = Body(parts_of(pack(ZEROS), 10_000))
    with engine(answering(body, Content_Encoding=coding), response_limit=LIMIT) as nango:
        with nango.client("acme", "u") as client, pytest.raises(TooLargeError, match="response_limit, 1,000 bytes"):
            client.get("thing")
    assert body.is_closed
    assert body.taken <= 2


def test_the_wire_counts_as_well_as_what_is_unpacked():
    # Empty members of a stream cost nothing when unpacked.
    packed = b"".join(gzip.compress(b"") for _ in range(100))
    body = Body(parts_of(packed))
    with engine(answering(body, Content_Encoding="gzip"), response_limit=LIMIT) as nango:
        with nango.client("acme", "u") as client, pytest.raises(TooLargeError):
            client.get("thing")


def test_a_stated_length_is_enough():
    body = Body([b"x"])
    with engine(answering(body, Content_Length="1001"), response_limit=LIMIT) as nango:
        with nango.client("acme", "u") as client, pytest.raises(TooLargeError) as caught:
            client.get("thing")
    assert (0, True) == (body.taken, body.is_closed)
    assert isinstance(caught.value, httpx.TransportError)
    assert "https://api.acme.test/v1/thing" == str(caught.value.request.url)


def test_the_length_of_what_a_head_request_left_out_is_none():
    with engine(lambda _: httpx.Response(200, headers={"Content-Length": "9999"}), response_limit=LIMIT) as nango:
        with nango.client("acme", "u") as client:
            assert 200 == client.head("thing").status_code


def test_a_stream_ends_where_it_grows_too_large():
    body, read = Body([b"x" * 400] * 9), []
    with engine(answering(body), response_limit=LIMIT) as nango, nango.client("acme", "u") as client:
        with client.stream("GET", "thing") as answer, pytest.raises(TooLargeError):
            read.extend(answer.iter_bytes())
    assert [400, 400] == [len(part) for part in read]
    assert body.is_closed


@pytest.mark.parametrize("headers", [{"Content_Length": "5000"}, {}])
def test_an_action_says_that_the_answer_is_too_large(headers):
    body = Body([b"x" * 400] * 9)
    with engine(answering(body, **headers), response_limit=LIMIT) as nango:
        with pytest.raises(ResponseError, match="larger than response_limit, 1,000 bytes") as caught:
            nango.trigger_action("acme", "get", "u")
    assert body.is_closed
    assert [("too_large", "not_retryable")] == [(one.error, one.decision) for one in caught.value.attempts]


def test_an_answer_that_is_in_memory_already_is_measured_too():
    with engine(lambda _: httpx.Response(200, json="x" * LIMIT), response_limit=LIMIT) as nango:
        with pytest.raises(ResponseError, match="response_limit"):
            nango.trigger_action("acme", "get", "u")


def test_codings_that_hide_their_size_are_neither_asked_for_nor_taken():
    asked = []

    def provider(request):
        asked.append(request.headers["Accept-Encoding"])
        return answering(Body([b"x"]), Content_Encoding="br")(request)

    with engine(provider, response_limit=LIMIT) as nango, nango.client("acme", "u") as client:
        with pytest.raises(TooLargeError, match="'br' hides"):
            client.get("thing")
        with pytest.raises(ResponseError, match="'br' hides"):
            nango.trigger_action("acme", "get", "u")
    assert ["gzip, deflate", "gzip, deflate"] == asked


def test_a_damaged_body_is_the_same_error_with_and_without_a_limit():
    for limit in ({}, {"response_limit": LIMIT}):
        body = Body([b"this is no gzip"])
        with engine(answering(body, Content_Encoding="gzip"), **limit) as nango, nango.client("acme", "u") as client:
            with pytest.raises(http.DecodingError):
                client.get("thing")
            with pytest.raises(OutputError, match="cannot be unpacked"):
                nango.trigger_action("acme", "get", "u")


def test_without_a_limit_there_is_none():
    body = Body([b"x" * 100_000])
    with engine(answering(body)) as nango, nango.client("acme", "u") as client:
        assert 100_000 == len(client.get("thing").content)


def test_event_loops_are_held_to_it_too():
    async def main():
        document = {"integrations": {"acme": keys_of(response_limit=LIMIT)}}
        bodies = []

        async def provider(_):
            bodies.append(Body(parts_of(gzip.compress(ZEROS), 10_000)))
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=bodies[-1])

        transport = httpx.MockTransport(provider)
        async with AsyncNango.load(document, store="memory://", transport=transport, environ={}) as nango:
            await nango.register_connection("acme", "u", {"api_key": KEY})
            with pytest.raises(ResponseError):
                await nango.trigger_action("acme", "get", "u")
            async with nango.client("acme", "u") as client:
                with pytest.raises(TooLargeError):
                    await client.get("thing")
        return [body.is_closed for body in bodies]

    assert [True, True] == asyncio.run(main())
