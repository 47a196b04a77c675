"""Verdaccio, an npm registry: its limiter says in epoch seconds when the window begins anew, and lists come by offset."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Verdaccio", "serve"]

LOGIN, PASSWORD = "ann", "registry-4f1c9a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdaccio:
    """A registry with one user, whose own page may be asked for so many times in a window."""

    url: str
    token: str
    calls: int
    window: int
    """In seconds; it begins with the first call."""

    @property
    def limited_url(self) -> str:
        """Answers who the user is, until the calls are used up."""
        return f"{self.url}/-/user/org.couchdb.user:{LOGIN}"


@contextmanager
def serve(folder: Path, *, calls: int = 5, window: int = 3600) -> Iterator[Verdaccio]:
    """Run a registry whose user may be asked about ``calls`` times in ``window`` seconds."""
    node, program = installed("node", "bin", "node"), installed("verdaccio", "node_modules", ".bin", "verdaccio")
    url = f"http://127.0.0.1:{(port := free_port())}"
    config = folder / "config.yaml"
    config.write_text(json.dumps(_settings(folder, calls, window)))  # JSON is YAML
    command = [node, program, "--config", str(config), "--listen", f"127.0.0.1:{port}"]
    with running(command, answers_at=f"{url}/-/ping", folder=folder):
        yield Verdaccio(url=url, token=_register(url), calls=calls, window=window)


def _settings(folder: Path, calls: int, window: int) -> dict[str, Any]:
    return {
        "storage": str(folder / "storage"),
        "auth": {"htpasswd": {"file": str(folder / "htpasswd")}},
        "uplinks": {},
        "packages": {"**": {"access": "$authenticated", "publish": "$authenticated"}},
        "web": {"enable": False},
        "userRateLimit": {"windowMs": window * 1000, "max": calls},
        "log": {"type": "stdout", "format": "json", "level": "warn"},
    }


def _register(url: str) -> str:
    """Make the user."""
    with browse(url) as client:
        user = {"name": LOGIN, "password": PASSWORD}
        answer = client.put(f"/-/user/org.couchdb.user:{LOGIN}", json=user).raise_for_status()
    token: str = answer.json()["token"]
    return token
