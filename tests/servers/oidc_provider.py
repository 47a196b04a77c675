"""oidc-provider: a certified OAuth 2 server with every usual client authentication, rotation, and a device flow."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.browser import visit, walk
from tests.servers.journal import read
from tests.servers.keys import rsa_key
from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.servers.journal import TokenEvent

__all__ = ["CALLBACK", "LOGIN", "OidcProvider", "approve_device", "authorize", "serve"]

CALLBACK = "http://127.0.0.1/callback"
LOGIN = "ann"
SECRET = "oidc-secret-4f1c9a2b7e6035c8d00d4f1c9a2b7e60"  # long enough to sign HS256 with
ODD_SECRET = "100% a+b/c:d&e=f~?0123456789abcdef"
KEY_ID = "key-1"
CONFIG = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """An oidc-provider whose clients are named after the way in which they authenticate."""

    url: str
    """The issuer."""
    secret: str
    """Of the clients ``client_secret_basic``, ``client_secret_post`` and ``client_secret_jwt``."""
    odd_secret: str
    """Of the client ``odd``: characters that must be percent-encoded before HTTP Basic."""
    private_key: str
    """Of the client ``private_key_jwt``: RSA, as PEM; the server knows its public half as ``key_id``."""
    key_id: str
    lifetime: int
    """Of access tokens, in seconds."""
    journal: Path

    @property
    def authorization_url(self) -> str:
        return f"{self.url}/auth"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    @property
    def device_authorization_url(self) -> str:
        return f"{self.url}/device/auth"

    @property
    def revocation_url(self) -> str:
        return f"{self.url}/token/revocation"

    @property
    def introspection_url(self) -> str:
        return f"{self.url}/token/introspection"

    @property
    def registration_url(self) -> str:
        return f"{self.url}/reg"

    @property
    def userinfo_url(self) -> str:
        """Wants a token of a user with scope ``openid`` that was asked for without ``resource``."""
        return f"{self.url}/me"

    @property
    def resource(self) -> str:
        """The protected resource: every living token may read it; also the value of ``resource`` in requests."""
        return f"{self.url}/api"

    def events(self, event: str | None = None, *, grant_type: str | None = None) -> tuple[TokenEvent, ...]:
        """Return what the token endpoint did since the start, oldest first."""
        return read(self.journal, event, grant_type)

    def authorize(self, url: str, *, deny: bool = False) -> str:
        """Return the callback URL that the authorization URL ends at when ``ann`` agrees (or refuses)."""
        return authorize(url, deny=deny)

    def approve_device(self, user_code: str, *, deny: bool = False) -> None:
        """Enter the code of a device and agree, as ``ann``."""
        approve_device(f"{self.url}/device", user_code, deny=deny)


def authorize(url: str, *, login: str = LOGIN, deny: bool = False) -> str:
    """Return the callback URL that an authorization URL ends at when the user agrees, or refuses."""
    return walk(url, {"login": login, "password": "any"}, press="/abort" if deny else None)


def approve_device(url: str, user_code: str, *, login: str = LOGIN, deny: bool = False) -> None:
    """Enter a user code at the verification page and agree, or refuse."""
    answers = {"user_code": user_code, "login": login, "password": "any", **({"abort": "yes"} if deny else {})}
    wanted = "request was interrupted" if deny else "Sign-in Success"
    end = visit(url, answers, until=wanted)
    assert wanted in end.text, end.text


@contextmanager
def serve(
    folder: Path,
    *,
    lifetime: int = 3600,
    refresh_lifetime: int = 86400,
    rotate: bool = True,
    pkce: bool = True,
    callbacks: Sequence[str] = (CALLBACK,),
    default_resource: bool = False,
) -> Iterator[OidcProvider]:
    """Run an oidc-provider whose access tokens live for ``lifetime`` seconds.

    A callback on a loopback address matches on every port. With ``default_resource`` tokens are for ``resource``
    even when the request names none; the user-info endpoint refuses such tokens.
    """
    node, port = installed("node", "bin", "node"), free_port()
    package = installed("oidc-provider", "node_modules", "oidc-provider", "lib", "index.js")
    url, journal = f"http://127.0.0.1:{port}", folder / "journal.jsonl"
    settings = {
        "port": port,
        "journal": str(journal),
        "secret": SECRET,
        "odd": ODD_SECRET,
        "jwk": _public_jwk(),
        "lifetime": lifetime,
        "refresh_lifetime": refresh_lifetime,
        "rotate": rotate,
        "pkce": pkce,
        "callbacks": list(callbacks),
        "default_resource": f"{url}/api" if default_resource else None,
    }
    environ = {"SETTINGS": json.dumps(settings), "OIDC_PROVIDER": package}
    with running([node, str(CONFIG)], answers_at=f"{url}/jwks", folder=folder, environ=environ):
        yield OidcProvider(
            url=url,
            secret=SECRET,
            odd_secret=ODD_SECRET,
            private_key=rsa_key().private_pem,
            key_id=KEY_ID,
            lifetime=lifetime,
            journal=journal,
        )


def _public_jwk() -> dict[str, str]:
    return {"kty": "RSA", "kid": KEY_ID, "alg": "RS256", "use": "sig", "n": rsa_key().n, "e": rsa_key().e}
