"""A program of somebody who mounts the connect pages: its own sign-in, a page with a link, and a server."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.cookies import SimpleCookie
from threading import Thread
from typing import TYPE_CHECKING, Any

import uvicorn

from nango_py import AsyncNango
from nango_py.asgi import connect_app
from nango_py.asgi.calls import live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ConnectSite", "serve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectSite:
    """Where the program is; pages at ``elsewhere`` are another site to a browser."""

    url: str
    elsewhere: str

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/nango/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The program: an ASGI app that hands everything below ``/nango`` on."""

    nango: AsyncNango
    site: ConnectSite
    pages: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            await self.nango.close()
        elif scope["path"].startswith("/nango/"):
            await self.pages({**scope, "root_path": f"{scope['root_path']}/nango"}, receive, send)
        else:
            headers, body = await self.answer(scope)
            headers = [("content-type", "text/html; charset=utf-8"), *headers]
            encoded = [(name.encode(), text.encode()) for name, text in headers]
            await send({"type": "http.response.start", "status": 200, "headers": encoded})
            await send({"type": "http.response.body", "body": body.encode()})

    async def answer(self, scope: Any) -> tuple[list[tuple[str, str]], str]:
        if scope["path"] == "/sign-in":
            user = scope["query_string"].decode()
            return [("set-cookie", f"session={user}; Path=/; HttpOnly; SameSite=Lax")], self.link
        if scope["path"] == "/me":
            async with self.nango.client("calendar", signed_in(scope) or "") as client:
                answer = await client.get("me")
            return [], escape(json.dumps(answer.json()))
        return [], self.link

    @property
    def link(self) -> str:
        return f'<a href="{self.site.url}/nango/connect/calendar">Connect</a>'


def signed_in(scope: Any) -> str | None:
    """Return whose session it is; a real program would look it up."""
    cookies: SimpleCookie = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode())
    return cookies["session"].value if "session" in cookies else None


@contextmanager
def serve(declare: Callable[[ConnectSite], Any], **settings: Any) -> Iterator[ConnectSite]:
    """Run the program; *declare* gets its address, which a provider wants to know first, and returns integrations."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # whoever connects from here on waits for the server
        port = listener.getsockname()[1]
        # Two names of one machine are two sites to a browser; two ports would be one.
        site = ConnectSite(url=f"http://localhost:{port}", elsewhere=f"http://127.0.0.1:{port}")
        nango = AsyncNango.load(declare(site), store="memory://", environ={})
        assert () == nango.problems
        pages = connect_app(nango, identify=signed_in, base_url=f"{site.url}/nango", **settings)
        program = Program(nango=nango, site=site, pages=pages)
        server = uvicorn.Server(uvicorn.Config(program, lifespan="on", ws="none", log_level="warning"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join()
