"""An account whose provider and token endpoint answer as a test says, all of it in one transport."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx

from nango_py.testing import ManualClock
from tests.servers.faces import face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py import Connection
    from tests.servers.faces import Face


__all__ = [
    "BASE",
    "CLIENT_SECRET",
    "COOL_DOWN",
    "FIRST_ACCESS",
    "FIRST_REFRESH",
    "LIFETIME",
    "TOKEN_URL",
    "Account",
    "Answer",
    "Provider",
    "assert_silent",
    "chain",
    "declared",
    "granted",
    "opened",
    "refused",
]

BASE = "https://api.example.com"
TOKEN_URL = "https://login.example.com/token"
CLIENT_SECRET = "client-secret-8d00d4f1c9a2b7e6035c"
FIRST_ACCESS, FIRST_REFRESH = "access-0-4f1c9a2b", "refresh-0-7e6035c8"
LIFETIME = 3600
COOL_DOWN = 30


def granted(number: int, **more: Any) -> httpx.Response:
    tokens = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": LIFETIME}
    return httpx.Response(200, json={name: value for name, value in {**tokens, **more}.items() if value is not None})


def refused(code: str, status: int = 400, description: str | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": code, "error_description": description or f"said {code}"})


Answer = httpx.Response | Exception


@dataclass(slots=True, kw_only=True)
class Provider:
    """An API and a token endpoint in one transport; *answers* are the token endpoint's, in order, the last for ever."""

    answers: list[Answer | Callable[[httpx.Request], Answer]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The forms that the token endpoint got."""
    seen: list[str] = field(default_factory=list)
    """The access tokens that the API got."""
    dead: set[str] = field(default_factory=set)
    sign: httpx.Response | None = None
    """How the API answers a dead token, in place of 401."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example.com":
            return self._token(request)
        self.seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.seen[-1] in self.dead:
            return self.sign or httpx.Response(401, json={})
        return httpx.Response(200, json={})

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(parse_qsl(request.content.decode())))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of one integration, ``it``, and the few calls that the tests make."""

    nango: Face
    clock: ManualClock
    provider: Provider
    told: list[str]

    def get(self) -> httpx.Response:
        return self.nango.send("it", "ann", "GET", "/x")

    def connection(self) -> Connection:
        connection: Connection = self.nango.call("get_connection", "it", "ann")
        return connection

    @property
    def status(self) -> str:
        return self.connection().status

    def held(self, name: str) -> Any:
        return self.connection().credentials[name].reveal()

    def register(self, **credentials: Any) -> None:
        tokens = {"access_token": FIRST_ACCESS, "refresh_token": FIRST_REFRESH, "expires_in": LIFETIME}
        given = {name: value for name, value in {**tokens, **credentials}.items() if value is not None}
        self.nango.call("register_connection", "it", "ann", given)


def declared(**auth: Any) -> dict[str, Any]:
    keys = {"auth_mode": "OAUTH2", "authorization_url": f"{BASE}/authorize", "token_url": TOKEN_URL, **auth}
    return {
        "auth": keys,
        "requests": {"base_url": BASE},
        "retry": {"max_attempts": 1},
        "oauth_client_id": "client",
        "oauth_client_secret": CLIENT_SECRET,
    }


@contextmanager
def opened(
    *answers: Answer | Callable[[httpx.Request], Answer],
    backend: str = "sync",
    store: Any = "memory://",
    auth: dict[str, Any] | None = None,
    credentials: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Account]:
    provider, clock, told = Provider(answers=list(answers)), ManualClock(), list[str]()
    load = {
        "store": store,
        "transport": httpx.MockTransport(provider),
        "clock": clock,
        "on_renewed": lambda _view: told.append("on_renewed"),
        "on_reauth_required": lambda _view: told.append("on_reauth_required"),
        **options,
    }
    with face(backend, {"integrations": {"it": declared(**(auth or {}))}}, load) as nango:
        account = Account(nango=nango, clock=clock, provider=provider, told=told)
        account.register(**(credentials or {}))
        yield account


def chain(error: BaseException) -> str:
    """Return everything that a traceback, a log or a debugger would show of an error."""
    return "".join((*traceback.format_exception(error), str(error), repr(error), repr(vars(error))))


SECRETS = (FIRST_ACCESS, FIRST_REFRESH, CLIENT_SECRET)


def assert_silent(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
