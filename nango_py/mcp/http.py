"""Streamable HTTP on this machine: a bearer token, and only requests that mean this very address.

The protocol asks for all three (its chapter on transports): listen on loopback, check ``Origin`` against DNS
rebinding, authenticate every connection.
"""

from __future__ import annotations

import hmac
import socket
from typing import TYPE_CHECKING, Any

from mcp.server.transport_security import TransportSecuritySettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server import Server

__all__ = ["PATH", "listen", "serve_http"]

PATH = "/mcp"
_HOST = "127.0.0.1"
_SECONDS_TO_FINISH = 5


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine's loopback interface; port 0 is any free one."""
    return socket.create_server((_HOST, port))


async def serve_http(server: Server[Any], listener: socket.socket, token: str) -> None:
    """Serve until the process is told to stop; who shows no *token* is answered 401."""
    import uvicorn  # noqa: PLC0415 - stdio needs no web server

    port = listener.getsockname()[1]
    hosts = [f"{name}:{port}" for name in (_HOST, "localhost")]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        transport_security=TransportSecuritySettings(
            allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts]
        ),
    )
    config = uvicorn.Config(
        _RequireToken(app, token),
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


class _RequireToken:
    """Answer 401 to every request without the token; lifespan events pass."""

    def __init__(self, app: Callable[..., Awaitable[None]], token: str) -> None:
        self.app = app
        self.wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and not self._is_known(scope):
            await _refuse(send)
            return
        await self.app(scope, receive, send)

    def _is_known(self, scope: Any) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self.wanted)


async def _refuse(send: Any) -> None:
    headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain"), (b"content-length", b"24")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"A bearer token is wanted"})
