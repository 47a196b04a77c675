"""Receive one callback of a browser on this machine (RFC 8252 section 7.3)."""

from __future__ import annotations

import io
import os
import queue
import socket
import threading
from dataclasses import dataclass
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Address", "Loopback"]

_LOOPBACK = "127.0.0.1"
_LARGEST_REQUEST = 65_536
_IDLE_SECONDS = 5.0
"""Browsers open connections ahead and send nothing on them."""
_NAP = 0.5
"""Seconds: on Windows a wait cannot be interrupted from the keyboard before it ends."""
_HTTP_PORT = 80
_METHOD_NOT_ALLOWED, _NOT_IMPLEMENTED = 405, 501
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
</body>
</html>
"""
_ARRIVED = ("The answer has arrived", "You can close this tab and go back to the terminal.")
_STRAY = ("Nothing is here", "This address waits for the answer of one sign-in, and this request was not it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where callbacks are awaited; port 0 is any free one."""

    host: str = _LOOPBACK
    port: int = 0
    path: str = "/callback"

    @classmethod
    def of(cls, redirect_uri: str) -> Self | None:
        """Return where this machine could listen for *redirect_uri*, or None when it leads elsewhere."""
        try:
            parts = urlsplit(redirect_uri)
            port = parts.port
        except ValueError:
            return None
        if parts.scheme != "http" or parts.hostname not in {_LOOPBACK, "localhost"} or not port:
            return None
        return cls(host=parts.hostname, port=port, path=parts.path or "/")


class Loopback:
    """Listen as soon as it is made, and answer requests after :meth:`serve`.

    Only a GET of the callback's path counts, addressed to this very host and port: the name that a hostile page had
    pointed at this machine is not it.
    """

    def __init__(self, address: Address) -> None:
        try:
            self._server = _Server(address)
        except OSError as error:
            raise UsageError(
                f"port {address.port} of {_LOOPBACK} cannot be listened on: {error.strerror}. Give another port."
            ) from None
        self._thread: threading.Thread | None = None
        self.redirect_uri = f"http://{address.host}:{self._server.server_port}{address.path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def serve(self, is_callback: Callable[[str], bool]) -> None:
        """Answer requests from now on; the first query that *is_callback* takes is the one waited for."""
        self._server.is_callback = is_callback
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait(self, seconds: float, monotonic: Callable[[], float]) -> str | None:
        """Return the callback's URL, or None when none came in time."""
        ends_at = monotonic() + seconds
        while (left := ends_at - monotonic()) > 0:
            try:
                return f"{self.redirect_uri}?{self._server.arrived.get(timeout=min(left, _NAP))}"
            except queue.Empty:
                continue
        return None

    def close(self) -> None:
        """Stop listening."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # A port that a finished run left behind can be used again; Windows would share one that somebody listens on.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: Address) -> None:
        self.path = address.path
        self.is_callback: Callable[[str], bool] = lambda _: False
        self.arrived: queue.Queue[str] = queue.Queue()
        super().__init__((_LOOPBACK, address.port), _Handler)
        self.server_port = self.socket.getsockname()[1]
        self.hosts = {f"{address.host}:{self.server_port}"}
        if self.server_port == _HTTP_PORT:
            self.hosts.add(address.host)

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for the machine's name, which can take seconds.
        if (exclusive := getattr(socket, "SO_EXCLUSIVEADDRUSE", None)) is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _IDLE_SECONDS
    rbufsize = 0
    default_request_version = "HTTP/1.0"  # what is no request at all is answered with a status too

    def setup(self) -> None:
        super().setup()
        self.rfile = _Bounded(self.rfile)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self._answer(421, _STRAY)
        elif path != self.server.path:
            self._answer(404, _STRAY)
        elif not self.server.is_callback(query):
            self._answer(400, _STRAY)
        else:
            self._answer(200, _ARRIVED)
            self.wfile.flush()
            self.server.arrived.put(query)  # last: with it the program may end

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in our words; the standard library's quote the request."""
        del message, explain
        if code == _NOT_IMPLEMENTED:
            self._answer(_METHOD_NOT_ALLOWED, _STRAY, {"Allow": "GET"})
        else:
            self._answer(code, _STRAY)

    def _answer(self, status: int, words: tuple[str, str], more: Mapping[str, str] | None = None) -> None:
        body = _PAGE.format(title=words[0], text=words[1]).encode()
        self.send_response_only(status)
        for name, value in {**_HEADERS, **(more or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: the request line bears the code."""


class _Bounded(io.BufferedReader):
    """Read the head of one request, and no more than a sensible one has."""

    left = _LARGEST_REQUEST

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line.

        Raises:
            LineTooLong: Nothing more is read; the standard library answers so.
        """
        if not self.left:
            raise LineTooLong("head")
        wanted = self.left if size is None or size < 0 else min(size, self.left)
        line = super().readline(wanted)
        self.left -= len(line)
        return line
