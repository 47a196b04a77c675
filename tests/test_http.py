"""The parts of httpx that are made without its constructors have everything that those give them."""

from __future__ import annotations

import httpcore
import httpx

from nango_py.exchange.pool.wire import to_core
from nango_py.http import ByteStream, Headers, bare_request

URL = httpx.URL("https://birds.test/v1/birds?colour=red")
HEADERS = Headers([("Host", "birds.test"), ("X-Kind", "a"), ("x-kind", "b")])
BODY = ByteStream(b"wren")


def shown(request):
    return {**vars(request), "headers": request.headers.raw}


def test_a_bare_request_is_what_httpx_makes_of_its_parts():
    extensions = {"timeout": {"read": 5.0}}
    expected = httpx.Request("put", URL, headers=HEADERS, stream=BODY, extensions=extensions)
    actual = bare_request("put", URL, headers=HEADERS, stream=BODY, extensions=extensions)

    assert shown(expected) == shown(actual)
    assert b"wren" == actual.read() == actual.content


def test_a_bare_request_shares_nothing_that_changes():
    extensions = {"timeout": {"read": 5.0}}
    request = bare_request("GET", URL, headers=HEADERS, stream=BODY, extensions=extensions)
    request.headers["Authorization"] = "Bearer key-4f1c9a"
    request.extensions["nango_profile"] = "another"

    assert "Authorization" not in HEADERS
    assert {"timeout": {"read": 5.0}} == extensions


def test_httpcore_s_form_of_a_request_is_what_httpcore_makes_of_its_parts():
    request = httpx.Request("GET", URL, headers=HEADERS, stream=BODY, extensions={"timeout": {"read": 5.0}})
    url = httpcore.URL(scheme=b"https", host=b"birds.test", port=None, target=URL.raw_path)
    expected = httpcore.Request(
        "GET", url, headers=request.headers.raw, content=BODY, extensions={"timeout": {"read": 5.0}}
    )

    assert vars(expected) == vars(to_core(request))
