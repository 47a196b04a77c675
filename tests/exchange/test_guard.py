"""Both pools, told to connect to public addresses only."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import anyio
import httpcore
import pytest

import nango_py
from nango_py import Nango, http
from nango_py.exchange.pool import Pool, Profile
from nango_py.exchange.pool.guard import AsyncGuard
from nango_py.testing import ManualClock

GUARDED = Profile(allow_private=False)
PUBLIC = "93.184.215.14"
TOLD = (
    " resolves to a private address, and not only the integration has a say in where it goes (an account, an answer or a pack has); "
    "if it is meant to be in a private network, write network.allow_private: true in the integration"
)


class Detour:
    """Note each address that is connected to, and lead there all but the refused ones: to a server on loopback."""

    def __init__(self, port, *, refused=()):
        self.port, self.refused = port, refused
        self.seen = []

    def turn(self, address):
        self.seen.append(address)
        if address in self.refused:
            raise httpcore.ConnectError("refused")
        return "127.0.0.1", self.port

    def sync(self):
        class Backend(httpcore.NetworkBackend):
            def connect_tcp(own, host, port, *rest):  # noqa: N805
                return httpcore.SyncBackend().connect_tcp(*self.turn(host), *rest)

        return Backend()

    def asynchronous(self, kind):
        class Backend(httpcore.AsyncNetworkBackend):
            async def connect_tcp(own, host, port, *rest):  # noqa: N805
                real = httpcore.TrioBackend() if kind == "trio" else httpcore.AnyIOBackend()
                return await real.connect_tcp(*self.turn(host), *rest)

        return Backend()


@pytest.fixture
def world(run, request):
    """Run a scenario with names that resolve as given, and connections that all lead to one server."""
    kind = request.node.callspec.params["run"]

    def start(scenario, names, port, *, refused=(), environ=None):
        detour, looked_up = Detour(port, refused=refused), []

        def resolve(host, port):
            looked_up.append((host, port))
            if isinstance(names[host], Exception):
                raise names[host]
            return names[host]

        async def async_resolve(host, port):
            return resolve(host, port)

        options = (
            {"resolve": resolve, "network_backend": detour.sync()}
            if kind == "sync"
            else {"resolve": async_resolve, "network_backend": detour.asynchronous(kind)}
        )
        result = run(scenario, environ=environ or {}, **options)
        return SimpleNamespace(result=result, seen=detour.seen, looked_up=looked_up)

    return start


def getting(url, profile=GUARDED, **options):
    async def scenario(face):
        return await face.get(url, profile=profile, **options)

    return scenario


def failing(url, error, **options):
    async def scenario(face):
        with pytest.raises(error) as caught:
            await face.get(url, profile=GUARDED, **options)
        return caught.value, face.lines()

    return scenario


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "017700000001", "0x7f.1", "0x7f000001", "127.1", "[::ffff:7f00:1]"],
)
def test_a_host_on_this_machine_is_refused_however_it_is_written(run, server, host):
    error, lines = run(failing(f"http://{host}:{server.port}/echo", http.PrivateAddressError))

    assert (f"{host.strip('[]')}{TOLD}", None, None) == (str(error), error.__cause__, error.__context__)
    assert (0, (0, 0)) == (server.accepted, lines)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "100.64.0.1", "[64:ff9b::a00:1]"])
def test_an_address_of_a_private_network_is_refused_before_anything_is_connected(world, host):
    done = world(failing(f"http://{host}/", http.ConnectError), {host.strip("[]"): [host.strip("[]")]}, 9)

    assert (http.PrivateAddressError, []) == (type(done.result[0]), done.seen)


def test_a_name_is_looked_up_once_and_its_address_connected_to(world, server):
    done = world(getting("http://api.test:81/echo"), {"api.test": [PUBLIC]}, server.port)

    assert ("1 GET /echo", [PUBLIC], [("api.test", 81)]) == (done.result, done.seen, done.looked_up)
    assert "host: api.test:81\r\n" in server.headers[0].lower()


def test_a_name_leads_to_its_public_addresses_only(world, server):
    names = {"api.test": ["10.0.0.1", PUBLIC, "::1", PUBLIC]}
    done = world(getting("http://api.test/echo"), names, server.port)

    assert ("1 GET /echo", [PUBLIC]) == (done.result, done.seen)


def test_a_name_with_private_addresses_only_is_refused(world):
    done = world(failing("http://api.test/", http.PrivateAddressError), {"api.test": ["10.0.0.1", "::1"]}, 9)

    assert (f"api.test{TOLD}", []) == (str(done.result[0]), done.seen)


def test_the_next_address_is_tried_when_one_refuses(world, server):
    names = {"api.test": ["2606:4700::1", PUBLIC]}
    done = world(getting("http://api.test/echo"), names, server.port, refused=["2606:4700::1"])

    assert ("1 GET /echo", ["2606:4700::1", PUBLIC]) == (done.result, done.seen)


def test_a_host_whose_addresses_all_refuse_is_a_connect_error(world):
    names = {"api.test": ["2606:4700::1", PUBLIC]}
    done = world(failing("http://api.test/", http.ConnectError), names, 9, refused=["2606:4700::1", PUBLIC])

    assert (http.ConnectError, "refused") == (type(done.result[0]), str(done.result[0]))
    assert ["2606:4700::1", PUBLIC] == done.seen


@pytest.mark.parametrize(
    "found", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long"), []]
)
def test_a_name_without_address_is_a_connect_error(world, found):
    done = world(failing("http://api.test/", http.ConnectError), {"api.test": found}, 9)

    assert (http.ConnectError, []) == (type(done.result[0]), done.seen)


def test_no_time_left_after_the_look_up_is_a_connect_timeout(world):
    done = world(failing("http://api.test/", http.ConnectTimeout, timeout={"connect": 0}), {"api.test": [PUBLIC]}, 9)

    assert (http.ConnectTimeout, []) == (type(done.result[0]), done.seen)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_look_up_that_hangs_is_given_up_on_a_loop(backend):
    async def never(host, port):
        await anyio.Event().wait()

    async def main():
        guard = AsyncGuard(httpcore.AsyncNetworkBackend(), never)
        with pytest.raises(httpcore.ConnectTimeout):
            await guard.connect_tcp("api.test", 80, timeout=0.01)

    anyio.run(main, backend=backend)


def test_tls_is_spoken_with_the_name_and_not_with_the_address(world, serve, authority):
    names = []
    authority.server.sni_callback = lambda _, name, __: names.append(name)
    server = serve(tls=authority.server)
    profile = Profile(allow_private=False, verify=False)
    try:
        done = world(getting("https://api.test/echo", profile), {"api.test": [PUBLIC]}, server.port)
    finally:
        authority.server.sni_callback = None

    assert ("1 GET /echo", [PUBLIC], ["api.test"]) == (done.result, done.seen, names)


def test_the_certificate_is_checked_against_the_name(world, serve, authority):
    """It is for 127.0.0.1: that is what the URL says, and not what is connected to."""
    server = serve(tls=authority.server)
    profile = Profile(allow_private=False, verify=authority.path)
    names = {"127.0.0.1": [PUBLIC], "other.test": [PUBLIC]}
    done = world(getting("https://127.0.0.1/echo", profile), names, server.port)

    async def other(face):
        with pytest.raises(http.ConnectError):
            await face.get("https://other.test/echo", profile=profile)

    world(other, names, server.port)
    assert ("1 GET /echo", [PUBLIC]) == (done.result, done.seen)


def test_a_connection_that_may_be_private_serves_no_request_that_may_not(run, server):
    async def scenario(face):
        first = await face.get(f"{server.origin}/echo", profile=Profile())
        with pytest.raises(http.PrivateAddressError):
            await face.get(f"{server.origin}/echo", profile=GUARDED)
        return first, await face.get(f"{server.origin}/again", profile=Profile())

    assert ("1 GET /echo", "1 GET /again") == run(scenario)


def test_a_proxy_looks_names_up_itself(world, server):
    profile = Profile(allow_private=False, proxy="http://10.0.0.1:3128")
    done = world(getting("http://api.test/echo", profile), {}, server.port)

    assert ("1 GET http://api.test/echo", ["10.0.0.1"], []) == (done.result, done.seen, done.looked_up)


def test_a_host_that_bypasses_the_proxy_is_checked(world):
    environ = {"http_proxy": "http://10.0.0.1:3128", "no_proxy": "api.test"}
    scenario = failing("http://api.test/", http.PrivateAddressError)
    done = world(scenario, {"api.test": ["10.0.0.2"]}, 9, environ=environ)

    assert [] == done.seen


def test_nothing_is_looked_up_by_us_where_private_networks_are_allowed(world, server):
    done = world(getting("http://api.test/echo", Profile()), {}, server.port)

    assert ("1 GET /echo", ["api.test"], []) == (done.result, done.seen, done.looked_up)


def engine(pool, clock):
    document = {
        "integrations": {
            "it": {
                "auth": {"auth_mode": "API_KEY"},
                "connection_config": {"host": {}},
                "requests": {"base_url": "http://${connection_config.host}/"},
                "actions": {"get": {"request": {"path": "x"}}},
            }
        }
    }
    nango = Nango.load(document, store="memory://", transport=pool, clock=clock, environ={})
    nango.register_connection("it", "u", {"api_key": "secret-key"}, {"host": "intranet.test"})
    return nango


def test_a_refused_address_is_not_tried_again_and_an_action_says_what_to_do():
    clock, looked_up = ManualClock(), []

    def resolve(host, port):
        looked_up.append(host)
        return ["192.168.1.1"]

    with Pool(environ={}, resolve=resolve) as pool, engine(pool, clock) as nango, nango.client("it", "u") as client:
        with pytest.raises(http.PrivateAddressError) as caught:
            client.get("x")
        with pytest.raises(nango_py.UnreachableError) as also:
            nango.trigger_action("it", "get", "u")

    told = f"intranet.test{TOLD}"
    assert told == str(caught.value)
    assert told in str(also.value)
    assert (["intranet.test"] * 2, []) == (looked_up, clock.slept)
    assert ["private"] == [attempt.error for attempt in also.value.attempts]
