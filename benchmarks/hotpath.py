"""Say where the time of one small GET goes: ``python benchmarks/hotpath.py [rounds]``.

Every layer is measured by itself, in turns with the others, and without a profiler, which would cost the most where
functions are small: the transports alone, and httpx and the engine over a transport that answers at once. What counts
is the thread's own processor time, which other programs disturb the least, in the fastest of all rounds; waiting for
the server is no part of it. The time in sockets is measured while whole requests run.
"""

from __future__ import annotations

import asyncio
import sys
import time

import httpcore
import httpx

from benchmarks.loopback import serving
from nango_py import Nango
from nango_py.exchange.pool import Pool

BODY = b'{"id": "1", "name": "' + b"x" * 200 + b'"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
ANSWER = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%s: %s\r\n" % header for header in HEADERS) + b"\r\n" + BODY
COUNT = 100


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def listen(host, port):
    return asyncio.start_server(serve, host, port)


class Network(httpcore.SyncBackend):
    """Sum up the time that sockets take."""

    def __init__(self):
        self.seconds = 0.0

    def connect_tcp(self, *args, **options):
        return Stream(super().connect_tcp(*args, **options), self)


class Stream(httpcore.NetworkStream):
    def __init__(self, inner, network):
        self.inner = inner
        self.network = network

    def timed(self, work, *args):
        began = time.thread_time()
        try:
            return work(*args)
        finally:
            self.network.seconds += time.thread_time() - began

    def read(self, max_bytes, timeout=None):
        return self.timed(self.inner.read, max_bytes, timeout)

    def write(self, buffer, timeout=None):
        self.timed(self.inner.write, buffer, timeout)

    def close(self):
        self.inner.close()

    def get_extra_info(self, info):
        return self.inner.get_extra_info(info)


class Once(httpx.SyncByteStream):
    def __iter__(self):
        yield BODY


class AtOnce(httpx.BaseTransport):
    """Answer without a network."""

    def handle_request(self, _request):
        return httpx.Response(200, headers=HEADERS, stream=Once())


def loaded(url, transport):
    document = {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": url},
                "actions": {"get": {"request": {"path": "thing"}}},
            }
        }
    }
    nango = Nango.load(document, store="memory://", environ={}, transport=transport)
    nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})
    return nango


def raw_transport(network):
    transport = httpx.HTTPTransport()
    transport._pool = httpcore.ConnectionPool(network_backend=network)  # noqa: SLF001 - httpx has no option for it
    return transport


def over(transport, request):
    def work():
        answer = transport.handle_request(request)
        for _ in answer.stream:
            pass
        answer.close()

    return work


def works(url):
    """Yield what is measured: its name, one request, and the network that it uses."""
    headers = {"Authorization": "Bearer k"}
    request = httpx.Request("GET", url + "thing", headers=headers, extensions={"timeout": httpx.Timeout(5).as_dict()})
    network, its_network = Network(), Network()
    raw = httpx.Client(headers=headers, transport=raw_transport(network))
    yield "raw", lambda: raw.get(url + "thing").json(), network
    yield "httpx's transport", over(raw_transport(its_network), request), its_network
    yield from over_pool(url, request, "default")
    yield from over_pool(url, request, "fast")

    still = loaded(url, AtOnce())
    raw_still = httpx.Client(headers=headers, transport=AtOnce())
    joining = httpx.Client(headers=headers, transport=AtOnce(), base_url=url)
    client_still = still.client("a", "u")
    yield "httpx", lambda: raw_still.get(url + "thing").json(), None
    yield "httpx with base_url", lambda: joining.get("thing").json(), None
    yield "client over nothing", lambda: client_still.get("thing").json(), None
    yield "action over nothing", lambda: still.trigger_action("a", "get", "u"), None


def over_pool(url, request, kind):
    """Yield a client, an action, and the pool alone, each over a pool of its own."""
    networks = [Network() for _ in range(3)]
    pools = [Pool(network_backend=network, fast=kind == "fast") for network in networks]
    client, acting = loaded(url, pools[0]).client("a", "u"), loaded(url, pools[1])
    yield f"client, {kind}", lambda: client.get("thing").json(), networks[0]
    yield f"action, {kind}", lambda: acting.trigger_action("a", "get", "u"), networks[1]
    yield f"pool, {kind}", over(pools[2], request), networks[2]


def timed(work, network):
    """Return what one request takes, and how much of that the network took, in microseconds."""
    waited = network.seconds if network else 0.0
    began = time.thread_time()
    for _ in range(COUNT):
        work()
    took = time.thread_time() - began
    return took / COUNT * 1e6, ((network.seconds if network else 0.0) - waited) / COUNT * 1e6


def measured(url, rounds):
    each = list(works(url))
    for _, work, network in each:
        timed(work, network)
    turns = [[timed(work, network) for _, work, network in each] for _ in range(rounds)]
    return {name: min(times) for (name, _, _), times in zip(each, zip(*turns, strict=True), strict=True)}


def show(title, cost, whole, parts):
    took, network = cost[whole]
    print(f"\n{title}: {took:.0f} us, {took / cost['raw'][0]:.2f}x raw httpx")
    parts = [("the kernel: sockets", network), *parts]
    for what, part in [*parts, ("cold caches, and the rest", took - sum(part for _, part in parts))]:
        print(f"  {what:44}{part:6.0f} us {part / took:5.0%}  {'#' * round(max(0.0, part) / took * 40)}")


def main(rounds):
    with serving(listen) as url:
        cost = measured(url, rounds)

    def apart(name, other=None):
        took, network = cost[name]
        return took - network - (cost[other][0] if other else 0.0)

    httpx_client = ("httpx's client: request, answer, cookies", apart("httpx"))
    show(
        "raw httpx", cost, "raw", [("httpx's transport, httpcore and h11", apart("httpx's transport")), httpx_client]
    )
    joined = ("httpx joins base_url and path", apart("httpx with base_url", "httpx"))
    engine = ("nango_py: read, sign, judge, remember", apart("client over nothing", "httpx with base_url"))
    acting = ("nango_py: fill, read, sign, judge, parse", apart("action over nothing"))
    for kind, what in (("default", "our pool, httpcore and h11"), ("fast", "our pool")):
        pool = (what, apart(f"pool, {kind}"))
        show(f"nango.client, {kind} pool", cost, f"client, {kind}", [pool, httpx_client, joined, engine])
        show(f"an action, {kind} pool", cost, f"action, {kind}", [pool, acting])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
