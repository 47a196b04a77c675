from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpcore
import pytest

from nango_py import http
from nango_py.errors import UsageError
from nango_py.exchange.pool import DEADLINE_EXTENSION, AsyncPool, OneShot, Pool, Profile
from nango_py.exchange.pool.wire import Recorder
from tests.patience import SPANS

NO_TIMEOUT = {"connect": None, "read": None, "write": None, "pool": None}
LATE = 20


class Dripping:
    """Say *first* to one caller after the other, and then *drop* until the caller goes away; take no more than it must."""

    def __init__(self, first, drop, *, reads=True):
        self.gone = threading.Event()
        self._end = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(first, drop, reads))
        self._thread.start()

    def _serve(self, first, drop, reads):
        with self._listener:
            while not self._end.is_set():
                with suppress(OSError), self._listener.accept()[0] as connection:
                    if reads:
                        connection.recv(65536)
                    connection.sendall(first)
                    while not self._end.wait(0.002):
                        connection.sendall(drop)
                self.gone.set()

    def stop(self):
        self._end.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()


@pytest.fixture
def drip():
    servers = []

    def start(first=b"", drop=b"x", **options):
        servers.append(Dripping(first, drop, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def single(**options):
    return OneShot(environ={}, **options)


def over(transport, request, error):
    """Send the request; return the error that it ends with."""
    with pytest.raises(error) as caught:
        transport.handle_request(request).read()
    return caught.value


def cut_off(error, request, transport=lambda seconds: single(deadline=seconds)):
    """Send the request over a transport that ends it soon; return the error, which has to be *error*."""
    for seconds in SPANS:
        failure = over(transport(seconds), request, http.TimeoutException)
        if type(failure) is error:
            break
    assert error is type(failure)
    return failure


def test_each_request_has_its_own_connection_that_is_closed_with_the_answer(server, ask):
    with single(deadline=LATE) as transport:
        answers = [transport.handle_request(ask(f"{server.origin}/echo")).read() for _ in range(2)]
        for _ in range(2):
            server.closed.acquire()

    assert [b"1 GET /echo", b"2 GET /echo"] == answers


def test_the_answer_is_a_stream_with_its_head(server, ask):
    with single() as transport:
        answer = transport.handle_request(ask(f"{server.origin}/chunked"))
        head = answer.status_code, answer.headers["transfer-encoding"], answer.extensions["http_version"]
        assert ((200, "chunked", b"HTTP/1.1"), [b"one", b"two"]) == (head, list(answer.iter_raw()))
        answer.close()
        answer.close()


def test_an_answer_that_nobody_reads_is_closed(server, ask):
    single(deadline=LATE).handle_request(ask(f"{server.origin}/stalled/forever")).close()
    server.gates["forever"].set()
    server.closed.acquire()


def test_a_body_arrives_whole(server, ask):
    content = b"0123456789" * 100_000
    answer = single(deadline=LATE).handle_request(ask(f"{server.origin}/echo", method="POST", content=content))

    assert b"1 POST /echo " + content == answer.read()


def test_threads_share_it(server, ask):
    transport = single(deadline=LATE)
    with ThreadPoolExecutor(8) as threads:
        urls = [f"{server.origin}/echo/{number}" for number in range(24)]
        answers = list(threads.map(lambda url: transport.handle_request(ask(url)).read().decode(), urls))

    assert [url.rpartition("/")[2] for url in urls] == [answer.rpartition("/")[2] for answer in answers]
    assert 24 == server.accepted


HEAD = b"HTTP/1.1 200 OK\r\n"
BODY = HEAD + b"content-length: 1000000\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"H"),
        (HEAD, b"x"),
        (HEAD, b"x: y\r\n"),
        (BODY, b"x"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1"),
    ],
)
@pytest.mark.parametrize("timeout", [NO_TIMEOUT, dict.fromkeys(NO_TIMEOUT, LATE)])
def test_an_answer_that_drips_is_cut_off(drip, ask, first, drop, timeout):
    server = drip(first, drop)
    request = ask(f"http://127.0.0.1:{server.port}/", timeout=timeout)

    assert request is cut_off(http.ReadTimeout, request).request
    assert server.gone.wait(LATE)


def test_a_request_can_bring_its_own_end(drip, ask):
    request = ask(f"http://127.0.0.1:{drip().port}/")

    cut_off(http.ReadTimeout, request, lambda seconds: ending(request, seconds, single()))


def ending(request, seconds, transport):
    request.extensions[DEADLINE_EXTENSION] = time.monotonic() + seconds
    return transport


def test_the_earlier_end_counts(drip, ask):
    request = ask(f"http://127.0.0.1:{drip().port}/")

    cut_off(http.ReadTimeout, request, lambda seconds: ending(request, seconds, single(deadline=1000)))
    cut_off(http.ReadTimeout, request, lambda seconds: ending(request, 1000, single(deadline=seconds)))


def test_the_requests_own_timeout_still_counts(server, ask):
    request = ask(f"{server.origin}/slow/forever", timeout={"read": 0.02})
    over(single(deadline=1000), request, http.ReadTimeout)


def test_nothing_is_sent_when_the_end_has_passed(server, ask):
    request = ask(f"{server.origin}/echo", **{DEADLINE_EXTENSION: time.monotonic() - 1})
    error = over(single(), request, http.ConnectTimeout)

    assert ("the deadline of the request is over", 0) == (str(error), server.accepted)


def test_a_tls_handshake_that_drips_is_cut_off(drip, ask):
    # A record of 16 KB is announced.
    server = drip(b"\x16\x03\x03\x40\x00", b"\x02")
    # A deadline that is over before there is a connection fails in the same way: this one has more time.
    cut_off(
        http.ConnectTimeout, ask(f"https://127.0.0.1:{server.port}/"), lambda seconds: single(deadline=5 * seconds)
    )

    assert server.gone.wait(LATE)


def test_an_answer_over_tls_that_stalls_is_cut_off(serve, ask, authority):
    server = serve(tls=authority.server)
    request = ask(f"{server.origin}/stalled/forever", profile=Profile(verify=authority.path), timeout=NO_TIMEOUT)

    cut_off(http.ReadTimeout, request)


def test_a_server_that_takes_no_body_is_cut_off(drip, ask):
    server = drip(reads=False)
    request = ask(f"http://127.0.0.1:{server.port}/", method="POST", content=b"x" * 50_000_000, timeout=NO_TIMEOUT)

    cut_off(http.WriteTimeout, request)


def test_a_proxy_that_drips_is_cut_off(drip, ask):
    server = drip(HEAD)
    profile = Profile(proxy=f"http://127.0.0.1:{server.port}")

    cut_off(http.ReadTimeout, ask("https://api.test/", profile=profile))


def test_a_socks_proxy_that_never_answers_is_cut_off(drip, ask):
    profile = Profile(proxy=f"socks5://127.0.0.1:{drip(drop=b'').port}")

    cut_off(http.ReadTimeout, ask("http://api.test/", profile=profile, timeout=NO_TIMEOUT))


def test_proxies_and_tls_are_those_of_the_pool(serve, ask, authority):
    server, proxy = serve(tls=authority.server), serve()
    environ = {"https_proxy": proxy.origin, "SSL_CERT_FILE": authority.path}
    with OneShot(environ=environ, deadline=LATE) as transport:
        text = transport.handle_request(ask(f"{server.origin}/echo")).read()

    assert (b"1 GET /echo", [f"CONNECT 127.0.0.1:{server.port}"]) == (text, [line for _, line in proxy.log])


@pytest.mark.parametrize("kind", [Pool, AsyncPool])
def test_the_contexts_of_a_pool_can_be_shared(serve, ask, authority, kind):
    server = serve(tls=authority.server)
    contexts = kind(environ={"SSL_CERT_FILE": authority.path}).contexts
    text = single(contexts=contexts).handle_request(ask(f"{server.origin}/echo")).read()

    assert (b"1 GET /echo", ssl.SSLContext) == (text, type(contexts.get(verify=True)))


def test_an_unknown_authority_is_a_connect_error(serve, ask, authority):
    server = serve(tls=authority.server)

    over(single(deadline=LATE), ask(f"{server.origin}/echo"), http.ConnectError)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("drop", http.RemoteProtocolError),
        ("nonsense", http.RemoteProtocolError),
        ("halfway", http.RemoteProtocolError),
    ],
)
def test_a_failing_answer_is_an_error_of_httpx(server, ask, path, error):
    request = ask(f"{server.origin}/{path}")

    assert request is over(single(deadline=LATE), request, error).request


def test_a_refused_connection_is_a_connect_error(serve, ask):
    server = serve()
    server.stop()

    over(single(deadline=LATE), ask(server.origin), http.ConnectError)


def test_an_impossible_proxy_and_an_impossible_scheme_are_told(ask):
    with pytest.raises(UsageError):
        single().handle_request(ask("http://api.test/", profile=Profile(proxy="ftp://proxy.test")))
    over(single(), ask("ftp://api.test/"), http.UnsupportedProtocol)


def test_a_private_address_is_refused(server, ask):
    request = ask(f"{server.origin}/echo", profile=Profile(allow_private=False))
    error = over(single(deadline=LATE), request, http.PrivateAddressError)

    assert (True, 0) == (str(error).startswith("127.0.0.1 resolves to a private address"), server.accepted)


class Noting(httpcore.NetworkBackend):
    """Note the address and the seconds of each connect, and fail it."""

    def __init__(self):
        self.seen = []

    def connect_tcp(self, host, port, timeout=None, *rest):
        self.seen.append((host, timeout))
        raise httpcore.ConnectTimeout("no answer")


@pytest.mark.parametrize("profile", [Profile(), Profile(allow_private=False)])
def test_the_addresses_of_a_host_share_the_time(ask, profile):
    backend, addresses = Noting(), {"api.test": ["2606:4700::1", "93.184.215.14"]}
    transport = single(deadline=20, network_backend=backend, resolve=lambda host, _: addresses.get(host, [host]))
    over(transport, ask("http://api.test/", profile=profile, timeout=NO_TIMEOUT), http.ConnectTimeout)

    (first, short), (second, rest) = backend.seen
    assert (["2606:4700::1", "93.184.215.14"], True, True) == ([first, second], 4 < short <= 5, 19 < rest <= 20)


def test_each_operation_gets_what_is_left_or_its_own_timeout():
    given = []

    class Stream(httpcore.NetworkStream):
        def read(self, max_bytes, timeout=None):
            given.append(timeout)
            return b""

        def write(self, buffer, timeout=None):
            given.append((len(buffer), timeout))

        def get_extra_info(self, info):
            return info

    class Backend(httpcore.NetworkBackend):
        def connect_tcp(self, host, port, timeout=None, *rest):
            given.append(timeout)
            return Stream()

    recorder = Recorder(Backend())
    recorder.ends_at = time.monotonic() + 1000
    stream = recorder.connect_tcp("x", 1, 5)
    stream.read(1, 6)
    stream.write(b"x" * 5000, 7)
    stream.write(b"")
    stream.read(1)

    assert [5, 6, (4096, 7), (904, 7)] == given[:4]
    assert (5, True, "socket") == (len(given), 990 < given[4] <= 1000, stream.get_extra_info("socket"))
