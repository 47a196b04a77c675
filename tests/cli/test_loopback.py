"""The listener that waits for a browser: what it takes for the callback, and what it does not."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import httpx
import pytest

from nango_py.cli.loopback import Address, Loopback
from nango_py.errors import UsageError

GOOD = "code=c0de&state=st4te"


@pytest.fixture
def loopback():
    with Loopback(Address()) as listener:
        listener.serve(lambda query: query == GOOD)
        yield listener


def ask(url, *, method="GET", **options):
    with httpx.Client(trust_env=False) as client:
        return client.request(method, url, **options)


def raw(listener, head):
    """Send bytes and return the status line that comes back; nothing when the listener just hangs up."""
    with (
        suppress(ConnectionError),
        socket.create_connection(("127.0.0.1", int(listener.redirect_uri.split(":")[2].split("/")[0]))) as sock,
    ):
        sock.sendall(head)
        with sock.makefile("rb") as answer:
            return answer.readline().decode()
    return ""


def test_the_callback_is_what_is_waited_for(loopback):
    answer = ask(f"{loopback.redirect_uri}?{GOOD}")
    assert 200 == answer.status_code
    assert "close this tab" in answer.text
    assert f"{loopback.redirect_uri}?{GOOD}" == loopback.wait(5, time.monotonic)


def test_the_page_holds_nothing_of_the_callback_and_no_way_out(loopback):
    answer = ask(f"{loopback.redirect_uri}?{GOOD}")
    assert not [word for word in ("c0de", "st4te", "<script", "http://", "https://") if word in answer.text]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("no-referrer", "no-store", "nosniff") == tuple(
        answer.headers[name] for name in ("Referrer-Policy", "Cache-Control", "X-Content-Type-Options")
    )
    assert "Server" not in answer.headers


def test_stray_requests_are_answered_and_the_wait_goes_on(loopback):
    home = loopback.redirect_uri.removesuffix("/callback")
    assert [404, 404, 404, 400, 400] == [
        ask(home + path).status_code
        for path in ("/", "/favicon.ico", "/callback/?" + GOOD, "/callback", "/callback?code=x&state=wrong")
    ]
    assert loopback.wait(0.01, time.monotonic) is None
    ask(f"{loopback.redirect_uri}?{GOOD}")
    assert loopback.wait(5, time.monotonic) is not None


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "evil.example:80"])
def test_a_name_that_was_pointed_at_this_machine_is_refused(loopback, host):
    assert 421 == ask(f"{loopback.redirect_uri}?{GOOD}", headers={"Host": host}).status_code
    assert loopback.wait(0.01, time.monotonic) is None


def test_two_host_headers_are_refused(loopback):
    host = loopback.redirect_uri.split("/")[2]
    head = f"GET /callback?{GOOD} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"
    assert " 421 " in raw(loopback, head.encode())


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
def test_other_methods_are_refused(loopback, method):
    answer = ask(f"{loopback.redirect_uri}?{GOOD}", method=method)
    assert (405, "GET") == (answer.status_code, answer.headers["Allow"])
    assert loopback.wait(0.01, time.monotonic) is None


def test_a_request_that_never_ends_is_cut_off(loopback):
    host = loopback.redirect_uri.split("/")[2]
    head = f"GET /callback?{GOOD} HTTP/1.1\r\nHost: {host}\r\n".encode() + b"X-Filler: " + b"a" * 100_000
    assert raw(loopback, head).split()[1:2] in ([], ["431"])
    assert raw(loopback, b"GET /" + b"a" * 100_000).split()[1:2] in ([], ["400"], ["431"])
    assert loopback.wait(0.01, time.monotonic) is None


def test_a_connection_on_which_nothing_comes_does_not_block_the_callback(loopback):
    port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)):
        assert 200 == ask(f"{loopback.redirect_uri}?{GOOD}").status_code


def test_a_port_in_use_is_named(loopback):
    port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
    with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1"):
        Loopback(Address(port=port))


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("http://127.0.0.1:8765/callback", Address(port=8765)),
        ("http://localhost:8765/oauth/back", Address(host="localhost", port=8765, path="/oauth/back")),
        ("http://localhost:8765", Address(host="localhost", port=8765, path="/")),
        ("http://localhost/callback", None),
        ("https://localhost:8765/callback", None),
        ("https://app.example.com/callback", None),
        ("http://127.0.0.1.evil.example:80/callback", None),
        ("http://[::1]:8765/callback", None),
        ("http://[::1", None),
        ("http://localhost:99999/", None),
        ("urn:ietf:wg:oauth:2.0:oob", None),
    ],
)
def test_only_an_address_of_this_machine_is_listened_on(uri, address):
    assert address == Address.of(uri)


def test_a_redirect_uri_on_localhost_is_answered_by_that_name(loopback):
    with Loopback(Address(host="localhost", path="/back")) as listener:
        listener.serve(lambda query: query == GOOD)
        port = listener.redirect_uri.split(":")[2].split("/")[0]
        assert f"http://localhost:{port}/back" == listener.redirect_uri
        url = f"http://127.0.0.1:{port}/back?{GOOD}"
        assert 421 == ask(url).status_code
        assert 200 == ask(url, headers={"Host": f"localhost:{port}"}).status_code
