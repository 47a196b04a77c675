"""Synapse, a Matrix server: log in for a short-lived token and a refresh token that rotates at an endpoint of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Synapse", "serve"]

LOGIN, PASSWORD = "ann", "matrix-4f1c9a"
REGISTRATION_SECRET = "not-a-secret"
RATE = {"per_second": 100, "burst_count": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Synapse:
    """A Synapse with one user, an administrator."""

    url: str
    login: str
    password: str
    lifetime: int
    """Of access tokens that were asked for with a refresh token, in seconds."""

    @property
    def login_url(self) -> str:
        """``POST``: JSON with the password; ``refresh_token: true`` asks for tokens that end."""
        return f"{self.url}/_matrix/client/v3/login"

    @property
    def refresh_url(self) -> str:
        """``POST``: JSON with ``refresh_token``; the answer holds the next pair and ``expires_in_ms``."""
        return f"{self.url}/_matrix/client/v3/refresh"

    @property
    def resource(self) -> str:
        """Answers whose token it got."""
        return f"{self.url}/_matrix/client/v3/account/whoami"

    @property
    def login_form(self) -> dict[str, Any]:
        """The JSON to log in with."""
        user = {"type": "m.id.user", "user": self.login}
        return {"type": "m.login.password", "identifier": user, "password": self.password, "refresh_token": True}


@contextmanager
def serve(folder: Path, *, lifetime: int = 3600, messages: Mapping[str, int] = RATE) -> Iterator[Synapse]:
    """Run a Synapse whose users may send ``messages``; it takes a few seconds."""
    python, port = installed("synapse", "bin", "python"), free_port()
    url = f"http://127.0.0.1:{port}"
    config = folder / "homeserver.yaml"
    config.write_text(json.dumps(_settings(folder, port, lifetime, messages)))  # JSON is YAML
    (folder / "log.yaml").write_text(json.dumps({"version": 1, "root": {"level": "WARNING"}}))
    # Its own --generate-keys would start Python once more.
    (folder / "signing.key").write_text(f"ed25519 a_key {base64.b64encode(bytes(32)).decode().rstrip('=')}\n")
    command = [python, "-m", "synapse.app.homeserver", "-c", str(config)]
    with running(command, answers_at=f"{url}/_matrix/client/versions", folder=folder):
        _register(url)
        yield Synapse(url=url, login=LOGIN, password=PASSWORD, lifetime=lifetime)


def _settings(folder: Path, port: int, lifetime: int, messages: Mapping[str, int]) -> dict[str, Any]:
    resources = [{"names": ["client"], "compress": False}]
    listener = {"port": port, "type": "http", "tls": False, "bind_addresses": ["127.0.0.1"], "resources": resources}
    return {
        "server_name": "localhost",
        "pid_file": str(folder / "synapse.pid"),
        "listeners": [listener],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "synapse.sqlite")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "log_config": str(folder / "log.yaml"),
        "registration_shared_secret": REGISTRATION_SECRET,
        "macaroon_secret_key": "not-a-secret",
        "form_secret": "not-a-secret",
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "federation_domain_whitelist": [],
        "refreshable_access_token_lifetime": f"{lifetime}s",
        "bcrypt_rounds": 4,  # the slowness of real passwords is not what is tested
        "rc_message": dict(messages),
        "rc_login": {"address": RATE, "account": RATE, "failed_attempts": RATE},
    }


def _register(url: str) -> None:
    """Make the user, as the documentation of the shared-secret registration says."""
    with browse(url) as client:
        nonce = client.get("/_synapse/admin/v1/register").raise_for_status().json()["nonce"]
        said = f"{nonce}\x00{LOGIN}\x00{PASSWORD}\x00admin"
        mac = hmac.new(REGISTRATION_SECRET.encode(), said.encode(), hashlib.sha1).hexdigest()
        user = {"nonce": nonce, "username": LOGIN, "password": PASSWORD, "admin": True, "mac": mac}
        client.post("/_synapse/admin/v1/register", json=user).raise_for_status()
