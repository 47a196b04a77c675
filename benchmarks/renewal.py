"""Print what a renewal costs those who wait for it, and those who do not: ``python -m benchmarks.renewal``."""

from __future__ import annotations

import http.server
import json
import statistics
import threading
import time

from nango_py import Nango

WAITERS, ROUNDS = 64, 15
TOKEN_SECONDS = 0.1
"""What the token endpoint takes: slow beside everything else, so that it can be told from noise."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    renewals = 0

    def do_GET(self):
        self.answer({"ok": True})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).renewals += 1
        time.sleep(TOKEN_SECONDS)
        self.answer({"access_token": f"token-{self.renewals}", "expires_in": 3600})

    def answer(self, data):
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def timed(work):
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def together(works):
    """Return what each of *works* took when all of them begin at once, in milliseconds."""
    took, gate = [], threading.Barrier(len(works))

    def one(work):
        gate.wait()
        took.append(timed(work))

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def ask(nango, user):
    return lambda: nango.trigger_action("crm", "get", user)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket.listen(2 * WAITERS)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    declared = {
        "integrations": {
            "crm": {
                "auth": {"auth_mode": "OAUTH2_CC", "token_url": f"{url}token"},
                "oauth_client_id": "app",
                "oauth_client_secret": "app-secret",
                "requests": {"base_url": url},
                "actions": {"get": {"request": {"path": "thing"}}},
            }
        }
    }
    with Nango.load(declared, store="memory://", environ={}) as nango:
        nango.register_connection("crm", "fresh", {})
        ask(nango, "fresh")()
        together([ask(nango, "fresh")] * WAITERS)
        alone, during, waiting = [], [], []
        for number in range(ROUNDS):
            alone += together([ask(nango, "fresh")] * WAITERS)
            nango.register_connection("crm", f"due-{number}", {})
            before = Handler.renewals
            took = together([ask(nango, f"due-{number}")] * WAITERS)
            waiting += took
            assert before + 1 == Handler.renewals
            nango.register_connection("crm", f"slow-{number}", {})
            slow = threading.Thread(target=ask(nango, f"slow-{number}"))
            slow.start()
            during += together([ask(nango, "fresh")] * WAITERS)
            slow.join()
        usual = statistics.median(alone)
        print(f"{WAITERS} threads at once, a token endpoint that takes {1000 * TOKEN_SECONDS:.0f} ms, medians")
        print(f"a request with a fresh token                           {usual:7.1f} ms")
        print(f"the same while another connection is renewed           {statistics.median(during):7.1f} ms")
        added = statistics.median(waiting) - usual
        print(f"waiting for a renewal, beyond a request                {added:7.1f} ms, one token request for all")
    server.shutdown()


main()
