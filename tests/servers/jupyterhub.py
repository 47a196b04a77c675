"""JupyterHub: an application that is an OAuth 2 server of its own, with an API of pages behind it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.servers.browser import walk
from tests.servers.launch import START_SECONDS, browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CALLBACK", "CLIENT_ID", "LOGIN", "PASSWORD", "JupyterHub", "authorize", "serve"]

CALLBACK = "http://127.0.0.1:8765/callback"
CLIENT_ID = "service-app"
LOGIN, PASSWORD = "ann", "hub-4f1c9a"
SECRET = "hub-secret-2b7e6035c8d00d4f"
TOKEN = "hub-token-d00d4f1c9a2b7e60"
USERS = (LOGIN, *(f"user-{number}" for number in range(7)))
CONFIG = Path(__file__).with_name("jupyterhub_config.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class JupyterHub:
    """A JupyterHub with eight users, a service with a static token, and an OAuth client."""

    url: str
    token: str
    """Of a service that may read all users; sent as ``Authorization: token ...`` or ``Bearer ...``."""
    client_id: str
    secret: str
    """Of the OAuth client; it must come in the form, not in HTTP Basic."""
    callback: str
    """The one redirect URI of the OAuth client, port and all."""
    login: str
    password: str
    lifetime: int
    """Of access tokens, in seconds; there are no refresh tokens."""
    users: tuple[str, ...]
    """The users' names, in the order in which the API lists them."""

    @property
    def authorization_url(self) -> str:
        return f"{self.url}/hub/api/oauth2/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.url}/hub/api/oauth2/token"

    @property
    def api_url(self) -> str:
        """``/user`` says whose token it got, ``/users?offset=&limit=`` lists."""
        return f"{self.url}/hub/api"

    def authorize(self, url: str) -> str:
        """Return the callback URL that the authorization URL ends at when the user agrees."""
        return authorize(url)


def authorize(url: str, *, login: str = LOGIN, password: str = PASSWORD) -> str:
    """Return the callback URL that an authorization URL ends at when the user logs in and agrees."""
    return walk(url, {"username": login, "password": password})


@contextmanager
def serve(folder: Path, *, lifetime: int = 3600, callback: str = CALLBACK) -> Iterator[JupyterHub]:
    """Run a JupyterHub behind its proxy; it takes a few seconds."""
    hub = installed("jupyterhub", "bin", "jupyterhub")
    proxy = installed(
        "configurable-http-proxy", "node_modules", "configurable-http-proxy", "bin", "configurable-http-proxy"
    )
    url, hub_url, proxy_url = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
    settings = {
        "url": url,
        "hub_url": hub_url,
        "proxy_url": proxy_url,
        "proxy": [installed("node", "bin", "node"), proxy],
        "folder": str(folder),
        "client_id": CLIENT_ID,
        "callback": callback,
        "secret": SECRET,
        "token": TOKEN,
        "login": LOGIN,
        "password": PASSWORD,
        "users": USERS,
        "lifetime": lifetime,
    }
    environ = {"SETTINGS": json.dumps(settings)}
    with running([hub, "-f", str(CONFIG)], answers_at=f"{url}/hub/api", folder=folder, environ=environ):
        users = _listed(f"{url}/hub/api/users")
        yield JupyterHub(
            url=url,
            token=TOKEN,
            client_id=CLIENT_ID,
            secret=SECRET,
            callback=callback,
            login=LOGIN,
            password=PASSWORD,
            lifetime=lifetime,
            users=users,
        )


def _listed(url: str) -> tuple[str, ...]:
    """Wait until the proxy, which answers first, knows the way to the hub."""
    end = time.monotonic() + START_SECONDS
    with browse(headers={"Authorization": f"token {TOKEN}"}) as client:
        while (answer := client.get(url)).status_code != httpx.codes.OK:
            assert time.monotonic() < end, answer.text
            time.sleep(0.05)
    return tuple(user["name"] for user in answer.json())
