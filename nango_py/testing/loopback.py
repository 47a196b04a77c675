"""A simulated provider behind a real socket of this machine."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from nango_py.testing.messages import Answered, Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["serve"]


@contextmanager
def serve(answer: Callable[[Asked], Answered], slow_seconds: float) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 and give its base URL; slow answers take real time."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, slow_seconds))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(answer: Callable[[Asked], Answered], slow_seconds: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            url = f"http://{self.headers.get('Host', '')}{self.path}"
            answered = answer(Asked(method=self.command, url=url, headers=headers, content=content))
            if answered.mishap == "slow":
                time.sleep(slow_seconds)
            if answered.mishap == "reset":
                self.close_connection = True
                return
            self._write(answered)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that http.server calls

        def _write(self, answered: Answered) -> None:
            self.send_response(answered.status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            if answered.status != 204:  # noqa: PLR2004 - No Content has no length either
                self.send_header("Content-Length", str(len(answered.content)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if answered.mishap == "truncated":
                self.wfile.write(answered.content[: len(answered.content) // 2])
                self.close_connection = True
                return
            self.wfile.write(answered.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler
