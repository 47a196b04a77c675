"""What both pools do, driven by one scenario each."""

from __future__ import annotations

import gc
import weakref

import pytest

from nango_py import http
from nango_py.errors import UsageError
from nango_py.exchange.pool import AsyncPool, Pool, Profile


def test_a_connection_is_used_again(run, server):
    async def scenario(face):
        return [await face.get(f"{server.origin}/echo/{turn}") for turn in range(3)]

    assert run(scenario) == ["1 GET /echo/0", "1 GET /echo/1", "1 GET /echo/2"]
    assert server.accepted == 1


def test_a_request_body_and_headers_arrive(run, server):
    async def scenario(face):
        return await face.get(f"{server.origin}/echo", method="POST", content=b"hello", headers={"x-a": "b"})

    assert run(scenario) == "1 POST /echo hello"
    assert "x-a: b" in server.headers[0]


def test_an_answer_is_a_stream_that_can_be_read_later(run, server, ask):
    async def scenario(face):
        early = await face.send(ask(f"{server.origin}/chunked"))
        other = await face.get(f"{server.origin}/echo")
        return other, await face.read(early), face.lines()

    assert run(scenario) == ("2 GET /echo", b"onetwo", (0, 2))


def test_the_answer_tells_its_http_version(run, server, ask):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/echo"))
        await face.read(answer)
        return answer.status_code, answer.extensions["http_version"], answer.headers["content-length"]

    assert run(scenario) == (200, b"HTTP/1.1", "11")


def test_closing_an_unread_answer_closes_its_connection_and_frees_the_slot(run, server, ask, small):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/chunked", profile=small))
        held = face.lines()
        await face.close(answer)
        return held, face.lines(), await face.get(f"{server.origin}/echo", profile=small)

    assert run(scenario) == ((1, 0), (0, 0), "2 GET /echo")


# Under trio the generators inside httpx and httpcore complain when a reader stops halfway.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_answer_whose_reading_stops_halfway_frees_its_slot(run, server, ask):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/chunked"))
        part = await face.first_part(answer)
        await face.close(answer)
        return part, face.lines()

    assert run(scenario) == (b"one", (0, 0))


def test_an_answer_that_is_dropped_unread_frees_its_slot_for_the_next_request(run, server, ask, small):
    async def scenario(face):
        for _ in range(3):
            await face.send(ask(f"{server.origin}/chunked", profile=small))
            gc.collect()
        return await face.get(f"{server.origin}/echo", profile=small), face.lines()

    assert run(scenario) == ("4 GET /echo", (0, 1))


def test_an_answer_that_was_read_keeps_nothing_of_its_request_which_bears_credentials(run, server, ask):
    async def scenario(face):
        request = ask(f"{server.origin}/echo")
        sent = weakref.ref(request)
        answer = await face.send(request)
        del request
        held = sent() is not None
        await face.read(answer)
        gc.collect()
        return held, sent(), answer.status_code

    assert run(scenario) == (True, None, 200)


def test_closing_an_answer_twice_frees_its_slot_once(run, server, ask):
    async def scenario(face):
        first = await face.send(ask(f"{server.origin}/echo"))
        second = await face.send(ask(f"{server.origin}/echo"))
        await face.read(first)
        await face.close(first)
        held = face.lines()
        await face.close(second)
        return held

    assert run(scenario) == (1, 1)


def test_a_connection_that_the_server_closed_is_replaced(run, server):
    async def scenario(face):
        first = await face.get(f"{server.origin}/close")
        server.closed.acquire()
        return first, await face.get(f"{server.origin}/echo"), face.lines()

    assert run(scenario) == ("1 GET /close", "2 GET /echo", (0, 1))


def test_an_idle_connection_is_closed_when_its_time_is_over(run, serve, clock):
    server, other = serve(), serve()

    async def scenario(face):
        await face.get(f"{server.origin}/echo", profile=Profile(keepalive_seconds=5))
        clock.time = 4.9
        await face.get(f"{other.origin}/echo")
        before = face.lines()
        clock.time = 5.0
        await face.get(f"{other.origin}/echo")
        server.closed.acquire()
        return before, face.lines()

    assert run(scenario, clock=clock) == ((0, 2), (0, 1))


def test_the_longest_idle_connection_makes_room(run, serve):
    servers = [serve() for _ in range(3)]

    async def scenario(face):
        for server in servers:
            await face.get(f"{server.origin}/echo")
        servers[0].closed.acquire()
        return face.lines(), await face.get(f"{servers[2].origin}/echo")

    assert run(scenario, max_idle=2) == ((0, 2), "1 GET /echo")


def test_profiles_do_not_share_connections(run, server):
    async def scenario(face):
        await face.get(f"{server.origin}/echo")
        return await face.get(f"{server.origin}/echo", profile=Profile(verify=False))

    assert run(scenario) == "2 GET /echo"


def test_the_target_extension_reaches_the_wire(run, server):
    async def scenario(face):
        return await face.get(f"{server.origin}/echo", method="OPTIONS", target=b"*")

    assert run(scenario) == "1 OPTIONS *"


def test_waiting_for_a_slot_ends_with_a_pool_timeout(run, server, ask, small):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/chunked", profile=small))
        with pytest.raises(http.PoolTimeout) as caught:
            await face.get(f"{server.origin}/echo?key=secret", profile=small, timeout={"pool": 0.01})
        await face.read(answer)
        return str(caught.value), str(caught.value.request.url), await face.get(f"{server.origin}/x", profile=small)

    message, url, after = run(scenario)
    assert f"all 1 connections to {server.origin} were in use for 0.01 s; read or close the answers" == message
    assert f"{server.origin}/echo?key=secret" == url
    assert after == "1 GET /x"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("drop", http.RemoteProtocolError),
        ("halfway", http.RemoteProtocolError),
        ("nonsense", http.RemoteProtocolError),
        ("slow/forever", http.ReadTimeout),
        ("stalled/forever", http.ReadTimeout),
    ],
)
def test_a_failing_answer_raises_the_error_of_httpx_and_frees_its_slot(run, server, path, error):
    async def scenario(face):
        with pytest.raises(error) as caught:
            await face.get(f"{server.origin}/{path}", timeout={"read": 0.05})
        return str(caught.value.request.url), face.lines()

    assert (f"{server.origin}/{path}", (0, 0)) == run(scenario)


def test_a_reused_connection_that_breaks_before_the_answer_is_an_error_of_the_network(run, server):
    async def scenario(face):
        await face.get(f"{server.origin}/echo")
        with pytest.raises(http.RemoteProtocolError):
            await face.get(f"{server.origin}/drop")
        return face.lines()

    assert run(scenario) == (0, 0)
    assert server.log == [(1, "GET /echo"), (1, "GET /drop")]


def test_a_refused_connection_is_a_connect_error(run, serve):
    server = serve()
    server.stop()

    async def scenario(face):
        with pytest.raises(http.ConnectError) as caught:
            await face.get(server.origin)
        return caught.value.request.method, face.lines()

    assert run(scenario) == ("GET", (0, 0))


def test_a_url_of_another_scheme_is_refused(run):
    async def scenario(face):
        with pytest.raises(http.UnsupportedProtocol) as caught:
            await face.get("ftp://example.com/")
        return str(caught.value)

    assert run(scenario) == "the request's URL has to start with http:// or https://"


def test_a_header_that_cannot_be_sent_is_named_but_not_shown(run, server):
    async def scenario(face):
        with pytest.raises(http.LocalProtocolError) as caught:
            await face.get(f"{server.origin}/echo", headers={"Authorization": "Bearer header-secret\n"})
        return caught.value, face.lines()

    error, lines = run(scenario)
    told = "the request's header 'Authorization' cannot be sent: it has a line break, a NUL, or a blank at an end"
    assert (told, None, None, (0, 0)) == (str(error), error.__cause__, error.__context__, lines)


def test_a_hung_origin_does_not_starve_another(run, serve, ask, small):
    hung, well = serve(), serve()

    async def scenario(face):
        answer = await face.send(ask(f"{hung.origin}/stalled/forever", profile=small))
        with pytest.raises(http.PoolTimeout):
            await face.get(f"{hung.origin}/echo", profile=small, timeout={"pool": 0.01})
        text = await face.get(f"{well.origin}/echo", profile=small)
        await face.close(answer)
        return text

    assert run(scenario) == "1 GET /echo"


def test_a_closed_pool_says_so(run, server):
    async def scenario(face):
        await face.get(f"{server.origin}/echo")
        await face.close(face.pool)
        server.closed.acquire()
        with pytest.raises(UsageError) as caught:
            await face.get(f"{server.origin}/echo")
        return str(caught.value)

    assert run(scenario) == "the pool is closed; make a new one, or close it later"


def test_closing_the_pool_closes_connections_in_use_and_their_answers_can_still_be_closed(run, server, ask):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/stalled/forever"))
        await face.close(face.pool)
        with pytest.raises(http.TransportError):
            await face.read(answer)

    run(scenario)


def test_a_trace_extension_hears_what_httpcore_does(server, ask):
    heard = []
    with Pool(environ={}) as pool:
        pool.handle_request(ask(f"{server.origin}/echo", trace=lambda name, _: heard.append(name))).read()

    assert heard[0] == "connection.connect_tcp.started"


def test_the_transports_fit_httpx_clients(server):
    with http.Client(transport=Pool(environ={})) as client:
        assert client.get(f"{server.origin}/echo").text == "1 GET /echo"
        with client.stream("GET", f"{server.origin}/chunked") as answer:
            assert list(answer.iter_raw()) == [b"one", b"two"]


def test_making_a_pool_builds_no_tls_context():
    pools = (Pool(environ={}), AsyncPool(environ={}))

    assert [pool._dialler.contexts._contexts for pool in pools] == [{}, {}]
