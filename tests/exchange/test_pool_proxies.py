from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress

import pytest

from nango_py import http
from nango_py.errors import UsageError
from nango_py.exchange.pool import Profile, proxy_for

PROXIES = {"HTTP_PROXY": "http://plain:1", "HTTPS_PROXY": "http://secure:2", "ALL_PROXY": "socks5://all:3"}


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("http://a.test", {}, None),
        ("http://a.test", PROXIES, "http://plain:1"),
        ("https://a.test", PROXIES, "http://secure:2"),
        ("https://a.test", {"ALL_PROXY": "socks5://all:3"}, "socks5://all:3"),
        ("https://a.test", {"HTTP_PROXY": "http://plain:1"}, None),
        ("http://a.test", {"HTTP_PROXY": "plain:1"}, "http://plain:1"),
        ("http://a.test", {**PROXIES, "http_proxy": "http://lower:9"}, "http://lower:9"),
        ("http://a.test", {"HTTP_PROXY": "http://plain:1", "http_proxy": ""}, None),
        ("http://a.test", {"HTTP_PROXY": "http://plain:1", "REQUEST_METHOD": "GET"}, None),
        ("http://a.test", {"http_proxy": "http://plain:1", "REQUEST_METHOD": "GET"}, "http://plain:1"),
        ("http://a.test", {"HTTP_PROXY": ""}, None),
    ],
)
def test_the_proxy_comes_from_the_variable_of_the_scheme(url, environ, expected):
    assert expected == proxy_for(http.URL(url), environ)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("*", "https://a.test", True),
        ("other.test,*", "https://a.test", True),
        ("a.test", "https://a.test", True),
        ("A.Test", "https://a.test", True),
        ("a.test", "https://www.a.test", True),
        ("a.test", "https://wwwa.test", False),
        ("a.test", "https://a.test.evil", False),
        (".a.test", "https://www.a.test", True),
        (".a.test", "https://a.test", False),
        ("*.a.test", "https://www.a.test", True),
        (" b.test , a.test ", "https://a.test", True),
        (",,", "https://a.test", False),
        ("a.test:8080", "https://a.test:8080", True),
        ("a.test:8080", "https://a.test", False),
        ("a.test:443", "https://a.test", True),
        ("localhost", "http://localhost:5000", True),
        ("127.0.0.1", "http://127.0.0.1:5000", True),
        ("127.0.0.1:5000", "http://127.0.0.1:5000", True),
        ("127.0.0.1:5000", "http://127.0.0.1:5001", False),
        ("127.0.0.1", "http://1.127.0.0.1.test", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.0.0.0/8", "http://a.test", False),
        ("::1", "http://[::1]:80", True),
        ("[::1]", "http://[::1]", True),
        ("[::1]:80", "http://[::1]", True),
        ("[::1]:81", "http://[::1]", False),
        ("fe80::/10", "http://[fe80::1]", True),
        ("https://a.test", "https://a.test", True),
        ("https://a.test", "http://a.test", False),
        ("all://a.test", "http://www.a.test", False),
        ("all://*a.test", "http://www.a.test", True),
        ("xn--bcher-kva.test", "https://bücher.test", True),
        ("bücher.test", "https://bücher.test", True),
    ],
)
def test_no_proxy_names_hosts_ports_and_networks(no_proxy, url, direct):
    environ = {"ALL_PROXY": "http://proxy:1", "NO_PROXY": no_proxy}

    assert direct is (proxy_for(http.URL(url), environ) is None)


def test_plain_requests_are_forwarded_with_the_credentials_of_the_proxy_url(run, serve):
    credentials = base64.b64encode(b"user:pa:ss").decode()
    proxy = serve(credentials=credentials)
    environ = {"HTTP_PROXY": f"http://user:pa%3Ass@127.0.0.1:{proxy.port}"}

    async def scenario(face):
        return [await face.get("http://nowhere.test/echo?a=b") for _ in range(2)]

    # The proxy answers by itself.
    assert run(scenario, environ=environ) == ["1 GET http://nowhere.test/echo?a=b"] * 2


def test_secure_requests_go_through_a_tunnel(run, serve, authority):
    proxy, server = serve(), serve(tls=authority.server)
    environ = {"HTTPS_PROXY": proxy.origin, "SSL_CERT_FILE": authority.path}

    async def scenario(face):
        return [await face.get(f"{server.origin}/echo") for _ in range(2)]

    assert run(scenario, environ=environ) == ["1 GET /echo", "1 GET /echo"]
    assert [(1, f"CONNECT 127.0.0.1:{server.port}")] == proxy.log


def test_no_proxy_goes_straight(run, serve):
    proxy, server = serve(), serve()

    async def scenario(face):
        return await face.get(f"{server.origin}/echo")

    assert run(scenario, environ={"HTTP_PROXY": proxy.origin, "NO_PROXY": "127.0.0.0/8"}) == "1 GET /echo"
    assert proxy.log == []


def test_a_profile_overrides_the_environment(run, serve):
    proxy, server = serve(), serve()

    async def scenario(face):
        straight = await face.get(f"{server.origin}/echo", profile=Profile(proxy=""))
        return straight, await face.get("http://nowhere.test/echo", profile=Profile(proxy=proxy.origin))

    assert run(scenario, environ={"HTTP_PROXY": "http://127.0.0.1:1"}) == (
        "1 GET /echo",
        "1 GET http://nowhere.test/echo",
    )


def test_a_refusing_proxy_is_a_proxy_error_without_its_credentials(run, serve):
    proxy = serve(credentials="others")
    environ = {"HTTPS_PROXY": f"http://user:proxy-secret@127.0.0.1:{proxy.port}"}

    async def scenario(face):
        with pytest.raises(http.ProxyError) as caught:
            await face.get("https://nowhere.test/", profile=Profile(verify=False))
        return caught.value, face.lines()

    error, lines = run(scenario, environ=environ)
    assert (str(error), lines) == ("407 Proxy Authentication Required", (0, 0))
    assert "proxy-secret" not in repr(error) + repr(error.__cause__)


@pytest.mark.parametrize("proxy", ["ftp://user:proxy-secret@host", "http://user:proxy-secret@:x", "http://"])
def test_an_impossible_proxy_is_refused_without_quoting_it(run, proxy):
    async def scenario(face):
        with pytest.raises(UsageError) as caught:
            await face.get("http://nowhere.test/", profile=Profile(proxy=proxy))
        return str(caught.value), face.lines()

    message = "proxy: not the URL of a proxy; write http://, https://, socks5://, socks5h:// and a host"
    assert (message, (0, 0)) == run(scenario)


def test_a_profile_does_not_show_its_proxy():
    assert "proxy-secret" not in repr(Profile(proxy="http://user:proxy-secret@host"))


class Socks:
    """A SOCKS5 proxy (RFC 1928, RFC 1929) for one connection after another."""

    def __init__(self, *, password):
        self._password = password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._serve(connection)

    def _serve(self, connection):
        connection.recv(3)
        connection.sendall(b"\x05\x02")
        login = connection.recv(512)
        if not login.endswith(self._password):
            connection.sendall(b"\x01\x01")
            connection.recv(1)
            return
        connection.sendall(b"\x01\x00")
        order = connection.recv(512)
        with socket.create_connection(("127.0.0.1", int.from_bytes(order[-2:]))) as other:
            connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            other.sendall(connection.recv(65536))
            connection.sendall(other.recv(65536))
            connection.recv(1)


@pytest.fixture
def socks():
    proxies = []

    def start(**options):
        proxies.append(Socks(**options))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.stop()


def test_a_socks_proxy_is_used_with_its_credentials(run, server, socks):
    pytest.importorskip("socksio")
    proxy = socks(password=b"pass")

    async def scenario(face):
        return await face.get(f"{server.origin}/echo")

    assert run(scenario, environ={"ALL_PROXY": f"socks5://user:pass@127.0.0.1:{proxy.port}"}) == "1 GET /echo"


def test_a_refused_socks_login_is_a_proxy_error_that_leaves_no_socket_open(run, server, socks):
    pytest.importorskip("socksio")
    proxy = socks(password=b"other")

    async def scenario(face):
        with pytest.raises(http.ProxyError) as caught:
            await face.get(f"{server.origin}/echo")
        return str(caught.value), face.lines()

    environ = {"ALL_PROXY": f"socks5://user:proxy-secret@127.0.0.1:{proxy.port}"}
    assert run(scenario, environ=environ) == ("Invalid username/password", (0, 0))
