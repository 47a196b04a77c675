"""Print what the engine costs, as ratios against raw httpx in the same run: ``python -m benchmarks``."""

from __future__ import annotations

import http.server
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import httpx

import nango_py
from nango_py import Nango

ROUNDS, REQUESTS, CONNECTIONS = 7, 300, 1000
BODY = json.dumps({"id": "1", "name": "x" * 200}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_args):
        pass


def document(url):
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": url},
                "actions": {"get": {"request": {"path": "thing"}}},
            },
            "token": {
                "auth": {"auth_mode": "OAUTH2", "token_url": url + "token"},
                "requests": {"base_url": url},
            },
        }
    }


def timed(work, count):
    began = time.perf_counter()
    work(count)
    return (time.perf_counter() - began) / count


def compare(raw, ours, count):
    """Return the median of ours / raw, measured in turns."""
    raw(20)
    ours(20)
    return statistics.median(timed(ours, count) / timed(raw, count) for _ in range(ROUNDS))


def requests(url):
    raw = httpx.Client(headers={"Authorization": "Bearer k"})
    nango = Nango.load(document(url), store="memory://", environ={})
    nango.register_connection("a", "u", {"api_key": "key-for-the-benchmark"})

    def by_hand(count):
        for _ in range(count):
            raw.get(url + "thing").json()

    yield from one_connection(nango, by_hand)
    yield "a fresh token against a key that never ends", fresh_token(nango), "<= 1.02"
    for number in range(CONNECTIONS):
        nango.register_connection("a", f"u{number}", {"api_key": f"key-for-the-benchmark-{number}"})
    yield "1,000 connections, one request each", many_connections(nango, by_hand), "<= 1.3"
    yield "memory a connection (KB)", memory(nango), "<= 8"
    nango.close()


def one_connection(nango, by_hand):
    client = nango.client("a", "u")

    def by_client(count):
        for _ in range(count):
            client.get("thing").json()

    def by_action(count):
        for _ in range(count):
            nango.trigger_action("a", "get", "u")

    yield "GET through nango.client", compare(by_hand, by_client, REQUESTS), "<= 1.08"
    yield "GET through an action", compare(by_hand, by_action, REQUESTS), "<= 0.85"


def fresh_token(nango):
    """Return what it costs that a token's end has to be watched."""
    tokens = {"access_token": "token-for-the-benchmark", "refresh_token": "r", "expires_in": 36_000}
    nango.register_connection("token", "u", tokens)
    with nango.client("a", "u") as key, nango.client("token", "u") as token:
        return compare(getter(key), getter(token), REQUESTS)


def getter(client):
    def get(count):
        for _ in range(count):
            client.get("thing").json()

    return get


def forget_all(nango):
    """Let every connection be read anew."""
    nango._core.accounts.manager._known.clear()  # noqa: SLF001
    nango._core._sessions.clear()  # noqa: SLF001


def many_connections(nango, by_hand):
    def each_connection(count):
        for number in range(count):
            with nango.client("a", f"u{number}") as one:
                one.get("thing").json()

    ratios = []
    for _ in range(3):
        forget_all(nango)
        ratios.append(timed(each_connection, CONNECTIONS) / timed(by_hand, CONNECTIONS))
    return statistics.median(ratios)


def memory(nango):
    forget_all(nango)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(CONNECTIONS):
        session = nango._core.session("a", f"u{number}")  # noqa: SLF001
        nango._driver.run(session.open())  # noqa: SLF001
    kilobytes = (tracemalloc.get_traced_memory()[0] - before) / CONNECTIONS / 1024
    tracemalloc.stop()
    return kilobytes


BLUEPRINT = """\
name: {name}
versions:
  v0:
    auth: {{auth_mode: API_KEY}}
    requests: {{base_url: "https://{name}.example.com/v1/", headers: {{Accept: application/json}}}}
    retry: {{after: Retry-After}}
    pagination: {{type: cursor, cursor_name_in_request: cursor, cursor_path_in_response: next, response_path: items}}
    verification: {{path: me}}
    actions:
      list:
        description: Things.
        input: {{type: object, properties: {{query: {{type: string}}}}}}
        request: {{path: things, params: {{query: "${{input.query}}"}}}}
        paginate: true
        output: {{map: {{id: "${{item.id}}"}}}}
"""


def loading():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1000):
            (Path(folder) / f"p{number}.yaml").write_text(BLUEPRINT.format(name=f"p{number}"))
        declared = {"integrations": {f"p{n}": {"extends_blueprint": f"p{n}:v0"} for n in range(30)}}

        def load():
            began = time.perf_counter()
            nango = Nango.load(declared, blueprints=[folder], store="memory://", environ={})
            assert not nango.problems
            return (time.perf_counter() - began) * 1000

        load()
        yield "load 30 of 1,000 blueprints (ms)", statistics.median(load() for _ in range(5)), "<= 100"


def started(code):
    def once():
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - began) * 1000

    once()
    return statistics.median(once() for _ in range(9))


def starting(url):
    bare = started("pass")
    yield "import nango_py over bare Python (ms)", started("import nango_py") - bare, "<= 30"
    yield (
        "nango-py --help over bare Python (ms)",
        started("from nango_py.cli import main; main(['--help'])") - bare,
        "<= 100",
    )
    code = (
        f"from nango_py import Nango\nn = Nango.load({document(url)!r}, store='memory://', environ={{}})\n"
        "n.register_connection('a', 'u', {'api_key': 'key'})\nn.client('a', 'u').get('thing').json()"
    )
    yield "process start to first answer (ms)", started(code), "<= 300"


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    print(f"Python {platform.python_version()}, httpx {httpx.__version__}, nango_py {nango_py.__version__}")
    print(f"{'what':40} {'measured':>9}  budget")
    for rows in (requests(url), loading(), starting(url)):
        for what, measured, budget in rows:
            print(f"{what:40} {measured:9.2f}  {budget}")
    server.shutdown()


main()
