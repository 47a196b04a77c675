"""A provider on loopback, written for these tests, and the folder of a program that uses it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent

from nango_py import Nango

SECRET = "k3y-that-nobody-sees"
THINGS = [{"id": number, "name": f"Thing {number}", "note": "x" * 100} for number in range(250)]
FILES = {
    "raw": ("application/octet-stream", bytes(range(256))),
    "text": ("text/plain; charset=utf-8", "grüße".encode()),
    "picture": ("image/png", b"\x89PNG"),
    "huge": ("application/octet-stream", b"x" * (10 * 1024 * 1024 + 1)),
}
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


class Provider(BaseHTTPRequestHandler):
    """Things in pages of 50, for who has the key; ``hang`` answers when it is let go."""

    seen: list[tuple[str, str]]
    gone: threading.Event
    arrived: threading.Event

    def do_GET(self):
        self.server.seen.append(("GET", self.path))
        path, _, query = self.path.partition("?")
        if self.headers["X-Key"] != SECRET:
            return self.answer({"error": "who are you?"}, 401)
        if path == "/things":
            page = int(dict(pair.split("=") for pair in query.split("&") if pair).get("page", 1))
            return self.answer({"things": THINGS[page * 50 - 50 : page * 50]})
        if path.startswith("/files/"):
            media_type, data = FILES[path.removeprefix("/files/")]
            return self.send(data, 200, media_type)
        if path == "/hang":
            self.server.arrived.set()
            self.connection.settimeout(60)
            try:
                data = self.connection.recv(1)
            except OSError:
                data = b""
            if not data:
                self.server.gone.set()
            return None
        return self.answer({"error": f"no {path}, and {SECRET} does not help"}, 404)

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/files":
            return self.answer({"id": 1, "size": len(data), "is_same": data == FILES["raw"][1]}, 201)
        body = json.loads(data)
        self.server.seen.append(("POST", self.path))
        return self.answer({"id": 900, **body}, 201)

    def answer(self, document, status=200):
        self.send(json.dumps(document).encode(), status, "application/json")

    def send(self, data, status, media_type):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_words):
        """Write nothing."""


@contextmanager
def providing():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.seen, server.gone, server.arrived = [], threading.Event(), threading.Event()
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_program(folder, port):
    """Write integrations, Python actions and a connection into *folder*; return the environment of its commands."""
    (folder / "integrations.yaml").write_text(
        dedent(f"""\
        integrations:
          acme:
            auth: {{auth_mode: API_KEY}}
            requests:
              base_url: http://127.0.0.1:{port}/
              headers: {{X-Key: "${{api_key}}"}}
            pagination: {{type: page, page_name_in_request: page, response_path: things}}
            actions:
              list-things:
                description: Things, in order.
                request: {{path: things}}
                paginate: true
                output:
                  schema: {{type: object, required: [id], properties: {{id: {{type: integer}}, name: {{type: string}}}}}}
              add-thing:
                description: Add a thing.
                input:
                  type: object
                  properties: {{name: {{type: string}}}}
                  required: [name]
                  additionalProperties: false
                request: {{method: POST, path: things, json: {{name: "${{input.name}}"}}}}
                output: {{schema: {{type: object, required: [id], properties: {{id: {{type: integer}}}}}}}}
              get-file:
                input: {{type: object, properties: {{name: {{type: string}}}}, required: [name]}}
                request: {{path: "files/${{input.name}}"}}
                output: {{download: true}}
              send-file:
                input: {{type: object, properties: {{file: {{type: string, format: binary}}}}, required: [file]}}
                request: {{method: POST, path: files, raw: {{content: "${{input.file}}"}}}}
              get-missing: {{request: {{path: missing}}}}
              hang: {{request: {{path: hang}}}}
        """)
    )
    (folder / "acme").mkdir()
    (folder / "acme" / "count.py").write_text(
        dedent('''\
        """Counts."""
        import sys

        DESCRIPTION = "Count to three."
        ANNOTATIONS = {"read_only": True}


        def run(ctx, input):
            print("what a careless action prints")
            for number in range(1, 4):
                ctx.progress(number, 3, f"{number} of 3")
            return {"counted": 3}
        ''')
    )
    (folder / "acme" / "burst.py").write_text(
        dedent(f'''\
        """Fails."""


        def run(ctx, input):
            raise RuntimeError("the key is {SECRET}")
        ''')
    )
    environ = {
        "NANGO_STORE": f"sqlite:///{folder / 'connections.db'}",
        "NANGO_ENCRYPTION_KEYS": KEY,
    }
    with Nango.load(folder / "integrations.yaml", environ=environ) as nango:
        assert () == nango.problems
        nango.register_connection("acme", "user-1", {"api_key": SECRET})
    return environ
