"""A provider on this machine that keeps what a blueprint declares: its auth, its pagination, and a 429 when told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nango_py.model import Integration
    from nango_py.policy.pagination import Pagination

__all__ = ["Seen", "Simulator", "simulate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the provider saw it, and the status it was answered with."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    status: int


@dataclass(slots=True, kw_only=True)
class Simulator:
    """Answer for a provider: *objects* and *lists* by path, to requests that bear the right credentials.

    ``refusals`` are numbers of authorized requests, from 1, that are answered 429 with ``Retry-After``.
    """

    integration: Integration
    credentials: Mapping[str, Any] = field(repr=False)
    objects: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    refusals: frozenset[int] = frozenset()
    retry_after: float = 1
    seen: list[Seen] = field(default_factory=list)
    _authorized: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and JSON body for a request; *headers* have lower-case names."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        with self._lock:
            status, more, body = self._answer(parts.path.strip("/"), query, headers)
            self.seen.append(Seen(method=method, path=parts.path, query=query, headers=headers, status=status))
        return status, more, body

    def _answer(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], Any]:
        if not self._is_authorized(query, headers):
            return 401, {"WWW-Authenticate": "Basic"}, {"error": "The credentials are wrong."}
        self._authorized += 1
        if self._authorized in self.refusals:
            return 429, {"Retry-After": f"{self.retry_after:g}"}, {"error": "Too many requests."}
        if path in self.objects:
            return 200, {}, self.objects[path]
        if path in self.lists and self.integration.pagination is not None:
            return 200, {}, page_body(self.integration.pagination, self.lists[path], query)
        return 404, {}, {"error": "There is nothing here."}

    def _is_authorized(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        place = self.integration.auth.place()
        if place is None:
            return True
        wanted = place.value.render(self.integration.auth.values(self.credentials))
        found = query.get(place.name) if place.where == "query" else headers.get(place.name.lower())
        return found == wanted


def page_body(pagination: Pagination, items: Sequence[Any], query: Mapping[str, str]) -> Any:
    """Return the page of a list that a query asks for, in the shape that the pagination declares."""
    size = int(query.get(pagination.limit_name_in_request or "", 0)) or pagination.limit or 100
    start = _start(pagination, query, size)
    kept = list(items[start : start + size])
    more = start + size < len(items)
    if not pagination.response_path:
        return kept
    body: dict[str, Any] = {}
    _put(body, pagination.response_path, kept)
    if pagination.has_more_path_in_response:
        _put(body, pagination.has_more_path_in_response, more)
    if pagination.cursor_path_in_response and pagination.type == "cursor":
        _put(body, pagination.cursor_path_in_response, str(start + size) if more else None)
    return body


def _start(pagination: Pagination, query: Mapping[str, str], size: int) -> int:
    names = {
        "offset": pagination.offset_name_in_request,
        "page": pagination.page_name_in_request,
        "cursor": pagination.cursor_name_in_request,
    }
    given = query.get(names.get(pagination.type) or "")
    if given is None:
        return 0
    if pagination.type == "page":
        return (int(given) - pagination.page_start_value) * size
    return int(given)


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        body = body.setdefault(name, {})
    body[last] = value


@contextmanager
def simulate(
    integration: Integration,
    credentials: Mapping[str, Any],
    *,
    objects: Mapping[str, Any] | None = None,
    lists: Mapping[str, Sequence[Any]] | None = None,
    refusals: Sequence[int] = (),
    retry_after: float = 1,
) -> Iterator[tuple[str, Simulator]]:
    """Serve a simulated provider on a free port of 127.0.0.1; give its base URL and the simulator.

    Paths of *objects* and *lists* have no slash at either end.
    """
    simulator = Simulator(
        integration=integration,
        credentials=credentials,
        objects=objects or {},
        lists=lists or {},
        refusals=frozenset(refusals),
        retry_after=retry_after,
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(simulator))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", simulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = simulator.answer(self.command, self.path, headers)
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler
