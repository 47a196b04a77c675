"""Authlib's OAuth 1.0a server: three legs, four signature methods, replays refused."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.browser import walk
from tests.servers.keys import rsa_key
from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["METHODS", "OAuth1", "authorize", "serve"]

METHODS = ("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT")
CALLBACK = "http://127.0.0.1:8765/callback"
# Both halves of the signing key are percent-encoded (RFC 5849 section 3.4.2): a secret that needs it.
SECRET = "oauth1 secret/4f1c9a&+%"
SITE = Path(__file__).with_name("oauth1_authlib_site.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth1:
    """An OAuth 1.0a provider with the clients ``consumer`` (a shared secret) and ``consumer-rsa`` (a key pair)."""

    url: str
    secret: str
    """Of ``consumer``, for HMAC and PLAINTEXT."""
    private_key: str
    """Of ``consumer-rsa``, for RSA-SHA1: PEM. That client has no secret."""

    @property
    def request_url(self) -> str:
        return f"{self.url}/oauth/request_token"

    @property
    def authorization_url(self) -> str:
        return f"{self.url}/oauth/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth/access_token"

    @property
    def resource(self) -> str:
        """Answers any signed method with the user, the client, and the query and form that it read (ASCII only)."""
        return f"{self.url}/api/me"

    def authorize(self, url: str, *, deny: bool = False) -> str:
        """Return the callback URL that the authorization URL ends at when the user agrees (or refuses)."""
        return authorize(url, deny=deny)


def authorize(url: str, *, deny: bool = False) -> str:
    """Return the callback URL, with token and verifier, that an authorization URL ends at."""
    return walk(url, {} if deny else {"allow": "Allow"})


@contextmanager
def serve(folder: Path, *, methods: Sequence[str] = METHODS) -> Iterator[OAuth1]:
    """Run an OAuth 1.0a provider that takes these signature methods; the client names its callback itself."""
    python, port = installed("oauth1-authlib", "bin", "python"), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "port": port,
        "secret": SECRET,
        "rsa_public_key": rsa_key().public_pem,
        "methods": list(methods),
        "callback": CALLBACK,
        "login": "ann",
    }
    # Authlib refuses plain HTTP otherwise.
    environ = {"SETTINGS": json.dumps(settings), "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with running([python, str(SITE)], answers_at=f"{url}/api/me", folder=folder, environ=environ):
        yield OAuth1(url=url, secret=SECRET, private_key=rsa_key().private_pem)
