"""Django OAuth Toolkit: a second OAuth 2 server, on oauthlib; rotation with a grace period, hashed secrets."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.browser import walk
from tests.servers.journal import read
from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.servers.journal import TokenEvent

__all__ = ["CALLBACK", "LOGIN", "PASSWORD", "DjangoOAuthToolkit", "authorize", "serve"]

CALLBACK = "http://127.0.0.1/callback"
LOGIN, PASSWORD = "ann", "django-4f1c9a"
SECRET = "dot-secret-2b7e6035c8"
SITE = Path(__file__).with_name("django_oauth_toolkit_site.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoOAuthToolkit:
    """A Django OAuth Toolkit with the clients ``app`` and ``public`` (code), and ``machine`` (client credentials)."""

    url: str
    secret: str
    """Of ``app`` and ``machine``; it may come in HTTP Basic or in the form."""
    login: str
    password: str
    lifetime: int
    """Of access tokens, in seconds."""
    grace: int
    """For how many seconds a rotated refresh token still answers, with the tokens that it was rotated to."""
    journal: Path

    @property
    def authorization_url(self) -> str:
        return f"{self.url}/o/authorize/"

    @property
    def token_url(self) -> str:
        return f"{self.url}/o/token/"

    @property
    def revocation_url(self) -> str:
        return f"{self.url}/o/revoke_token/"

    @property
    def introspection_url(self) -> str:
        return f"{self.url}/o/introspect/"

    @property
    def resource(self) -> str:
        """Wants scope ``read``; answers whose token it got."""
        return f"{self.url}/api/me"

    def events(self, event: str | None = None, *, grant_type: str | None = None) -> tuple[TokenEvent, ...]:
        """Return what the token endpoint did since the start, oldest first; the client only where the form named it."""
        return read(self.journal, event, grant_type)

    def authorize(self, url: str, *, deny: bool = False) -> str:
        """Return the callback URL that the authorization URL ends at when the user agrees (or refuses)."""
        return authorize(url, deny=deny)


def authorize(url: str, *, login: str = LOGIN, password: str = PASSWORD, deny: bool = False) -> str:
    """Return the callback URL that an authorization URL ends at when the user agrees, or refuses."""
    answers = {"username": login, "password": password}
    return walk(url, answers if deny else {**answers, "allow": "Authorize"})


@contextmanager
def serve(
    folder: Path, *, lifetime: int = 3600, grace: int = 0, rotate: bool = True, callbacks: Sequence[str] = (CALLBACK,)
) -> Iterator[DjangoOAuthToolkit]:
    """Run a Django OAuth Toolkit with one user; a callback on a loopback address matches on every port."""
    python, port = installed("django-oauth-toolkit", "bin", "python"), free_port()
    url, journal = f"http://127.0.0.1:{port}", folder / "journal.jsonl"
    settings = {
        "port": port,
        "journal": str(journal),
        "database": str(folder / "django.sqlite"),
        "login": LOGIN,
        "password": PASSWORD,
        "secret": SECRET,
        "lifetime": lifetime,
        "grace": grace,
        "rotate": rotate,
        "callbacks": list(callbacks),
    }
    environ = {"SETTINGS": json.dumps(settings)}
    with running([python, str(SITE)], answers_at=f"{url}/api/me", folder=folder, environ=environ):
        yield DjangoOAuthToolkit(
            url=url, secret=SECRET, login=LOGIN, password=PASSWORD, lifetime=lifetime, grace=grace, journal=journal
        )
