"""Token endpoints that fail, lie, hang or forget, and stores that do: a clear error each, and nothing is lost."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.errors import (
    AuthenticationError,
    NangoError,
    ReauthRequired,
    RemoteError,
    ResponseError,
    StoreError,
    UnknownConnection,
    UnreachableError,
    UsageError,
)
from nango_py.exchange.conversation import RENEWAL_ERROR
from nango_py.testing import ManualClock
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py import Connection
    from tests.servers.faces import Face

BASE = "https://api.example.com"
TOKEN_URL = "https://login.example.com/token"
CLIENT_SECRET = "client-secret-8d00d4f1"
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

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example.com":
            return self._token(request)
        self.seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        return httpx.Response(401 if self.seen[-1] in self.dead else 200, json={})

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


# Answers that are none

UNREADABLE = {
    "HTML": lambda: httpx.Response(200, html="<h1>Sign in</h1>"),
    "empty": lambda: httpx.Response(200),
    "a JSON list": lambda: httpx.Response(200, json=["access_token"]),
    "a JSON text": lambda: httpx.Response(200, json="access_token"),
    "JSON without a token": lambda: httpx.Response(200, json={"token_type": "bearer"}),
    "a null token": lambda: httpx.Response(200, json={"access_token": None}),
    "an empty token": lambda: httpx.Response(200, json={"access_token": ""}),
    "no UTF-8": lambda: httpx.Response(200, content=b"\xff\xfe\x00"),
    "half a JSON": lambda: httpx.Response(200, content=b'{"access_token": "access-1"'),
    "too deep a JSON": lambda: httpx.Response(200, content=b"[" * 200_000),
    "too long an answer": lambda: httpx.Response(200, content=b" " * 2_000_000),
    "broken gzip": lambda: httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
    ),
    "500": lambda: httpx.Response(500, text="no"),
    "503 in HTML": lambda: httpx.Response(503, html="<h1>Later</h1>"),
    "429": lambda: httpx.Response(429, headers={"Retry-After": "1"}),
    "a redirect": lambda: httpx.Response(302, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_answer_is_a_response_error_and_costs_nothing(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(lambda _: UNREADABLE[kind]()) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ResponseError, match="the renewal was answered") as caught:
            account.get()

        assert [] == account.provider.seen
        assert "active" == account.status
        assert FIRST_REFRESH == account.held("refresh_token")
        assert [] == account.told
        assert_silent(chain(caught.value) + caplog.text)

        account.provider.answers = [granted(1)]
        account.clock.advance(COOL_DOWN)
        assert 200 == account.get().status_code
        assert ["access-1"] == account.provider.seen
        assert ("active", ["on_renewed"]) == (account.status, account.told)


@pytest.mark.parametrize("kind", ["500", "503 in HTML"])
def test_a_server_that_fails_is_asked_once_more(kind: str) -> None:
    with opened(lambda _: UNREADABLE[kind](), granted(1)) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert 2 == len(account.provider.asked)


@pytest.mark.parametrize("kind", ["HTML", "429", "a redirect"])
def test_a_server_that_answers_is_asked_once(kind: str) -> None:
    with opened(lambda _: UNREADABLE[kind]()) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ResponseError):
            account.get()

        assert 1 == len(account.provider.asked)


# Refusals (RFC 6749 section 5.2)

HEALING = ["invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"]


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", [*HEALING, "temporarily_unavailable", "something_new"])
def test_a_refusal_that_may_heal_leaves_the_connection_alone(code: str, status: int) -> None:
    with opened(refused(code, status)) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(AuthenticationError, match=f"{code}: said {code}") as caught:
            account.get()

        assert not isinstance(caught.value, ReauthRequired)
        assert ("active", [], 1) == (account.status, account.told, len(account.provider.asked))
        account.provider.answers = [granted(1)]
        account.clock.advance(COOL_DOWN)
        assert 200 == account.get().status_code


@pytest.mark.parametrize("status", [200, 400, 401])
def test_an_invalid_grant_is_final(status: int) -> None:
    with opened(refused("invalid_grant", status)) as account:
        account.clock.advance(LIFETIME)
        for _ in range(3):
            with pytest.raises(ReauthRequired):
                account.get()
            account.clock.advance(COOL_DOWN)

        assert 1 == len(account.provider.asked)
        assert ("reauth_required", ["on_reauth_required"]) == (account.status, account.told)


def test_a_refused_connection_heals_with_new_credentials() -> None:
    with opened(refused("invalid_grant"), granted(2)) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ReauthRequired):
            account.get()
        account.nango.call("update_connection_credentials", "it", "ann", {"refresh_token": "refresh-1"})

        assert 200 == account.get().status_code
        assert ("active", "refresh-1") == (account.status, account.provider.asked[-1]["refresh_token"])


def test_a_provider_s_own_word_for_a_dead_grant_can_be_declared() -> None:
    with opened(refused("bad_refresh_token", 200), auth={"reauth_errors": ["bad_refresh_token"]}) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ReauthRequired):
            account.get()

        assert "reauth_required" == account.status


# No answer


def test_a_refused_connect_is_tried_again() -> None:
    with opened(httpx.ConnectError("no"), httpx.ConnectError("no"), granted(1)) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert [0.2, 1.0] == account.clock.slept


def test_a_server_that_is_away_leaves_the_connection_alone() -> None:
    with opened(httpx.ConnectError("no")) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnreachableError, match="the renewal got no answer"):
            account.get()

        assert (3, "active") == (len(account.provider.asked), account.status)


def test_an_ambiguous_failure_is_sent_once_more() -> None:
    with opened(httpx.ReadError("cut"), granted(1)) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert [FIRST_REFRESH, FIRST_REFRESH] == [form["refresh_token"] for form in account.provider.asked]
        assert "active" == account.status


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_ambiguous_failures_mark_the_connection_until_a_success(backend: str) -> None:
    with opened(httpx.ReadTimeout("late"), httpx.RemoteProtocolError("cut"), granted(1), backend=backend) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnreachableError, match="the renewal got no answer"):
            account.get()
        marked, asked = account.status, len(account.provider.asked)
        account.clock.advance(COOL_DOWN)

        assert ("renewal_uncertain", 2) == (marked, asked)
        assert 200 == account.get().status_code
        assert ("active", "refresh-1") == (account.status, account.held("refresh_token"))


def test_an_ambiguous_failure_that_was_carried_out_asks_for_a_new_grant() -> None:
    with opened(httpx.ReadError("cut"), refused("invalid_grant")) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ReauthRequired):
            account.get()

        assert ("reauth_required", ["on_reauth_required"]) == (account.status, account.told)


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[socket.socket]]]:
    """Accept connections on loopback and hand each to *answer*."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return
                answer(taken[-1])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/token", taken
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in taken:
                each.close()


def hurry(account: Account, seconds: float) -> None:
    """Give renewals less time than the usual twenty seconds."""
    renewals = account.nango._nango._core.accounts.manager.renewals  # type: ignore[attr-defined]
    renew = renewals.renew
    renewals.renew = lambda integration, connection, *, seconds=seconds, _limit=seconds: renew(
        integration, connection, seconds=min(seconds, _limit)
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_that_hangs_is_left_at_the_deadline(backend: str) -> None:
    with (
        listening(lambda _connection: None) as (url, taken),
        opened(backend=backend, auth={"token_url": url}, transport=None) as account,
    ):
        hurry(account, 0.3)
        account.clock.advance(LIFETIME)
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="the renewal got no answer"):
            account.get()

        assert time.monotonic() - began < 5
        assert taken
        assert "renewal_uncertain" == account.status


def trickle(connection: socket.socket) -> None:
    """Send a header and then a byte now and then, so that no single read takes long."""
    connection.settimeout(0.02)
    with suppress(ConnectionError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Type: application/json\r\n\r\n")
        is_there = True
        while is_there:
            connection.sendall(b" ")
            with suppress(TimeoutError):
                is_there = bool(connection.recv(65_536))


def test_a_server_that_trickles_is_left_at_the_deadline() -> None:
    with (
        listening(trickle) as (url, _taken),
        opened(auth={"token_url": url}, transport=None) as account,
    ):
        hurry(account, 0.3)
        account.clock.advance(LIFETIME)
        began = time.monotonic()
        with pytest.raises(UnreachableError):
            account.get()

        assert time.monotonic() - began < 5


def test_a_server_that_hangs_up_is_ambiguous() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.close()

    with (
        listening(hang_up) as (url, taken),
        opened(auth={"token_url": url}, transport=None) as account,
    ):
        account.clock.advance(LIFETIME)
        with pytest.raises(UnreachableError):
            account.get()

        assert (2, "renewal_uncertain") == (len(taken), account.status)


def test_a_port_that_nobody_listens_on_leaves_the_connection_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/token"
    with opened(auth={"token_url": url}, transport=None) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnreachableError):
            account.get()

        assert ("active", [0.2, 1.0]) == (account.status, account.clock.slept)


# Cool-down


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_failure_cools_down_for_half_a_minute(backend: str) -> None:
    with opened(httpx.Response(429), backend=backend) as account:
        account.clock.advance(LIFETIME)
        for pause in (10, 10, 9, 1):
            with pytest.raises(ResponseError, match="429"):
                account.get()
            assert 1 == len(account.provider.asked)
            account.clock.advance(pause)
        with pytest.raises(ResponseError, match="429"):
            account.get()

        assert 2 == len(account.provider.asked)


def test_new_credentials_end_a_cool_down() -> None:
    with opened(httpx.Response(429), granted(2)) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ResponseError):
            account.get()
        account.nango.call("update_connection_credentials", "it", "ann", {"refresh_token": "refresh-1"})

        assert 200 == account.get().status_code


def test_a_token_inside_its_leeway_is_handed_out_while_the_endpoint_fails() -> None:
    with opened(httpx.Response(503)) as account:
        account.clock.advance(LIFETIME - 200)
        answers = [account.get().status_code for _ in range(3)]
        asked = len(account.provider.asked)
        account.clock.advance(100)
        answers.append(account.get().status_code)

        assert [200] * 4 == answers
        assert [FIRST_ACCESS] * 4 == account.provider.seen
        assert (2, 4) == (asked, len(account.provider.asked))
        account.clock.advance(100)
        with pytest.raises(ResponseError):
            account.get()


def test_a_grant_that_ended_is_told_at_once() -> None:
    with opened(refused("invalid_grant")) as account:
        account.clock.advance(LIFETIME - 200)
        with pytest.raises(ReauthRequired):
            account.get()


# Freshness


@pytest.mark.parametrize(
    ("lifetime", "declared", "leeway"),
    [
        (3600, None, 300),
        (1_000_000, None, 300),
        (100, None, 10),
        (2, None, 0.2),
        (3600, 60, 60),
        (3600, 0, 0),
        (3600, 900, 360),
    ],
)
def test_a_token_counts_as_expired_a_leeway_before_its_end(
    lifetime: int, declared: int | None, leeway: float
) -> None:
    buffer = {} if declared is None else {"token_expiration_buffer": declared}
    with opened(granted(1), auth=buffer, credentials={"expires_in": lifetime}) as account:
        account.clock.advance(lifetime - leeway - 0.1)
        account.get()
        account.clock.advance(0.1)
        account.get()

        assert [FIRST_ACCESS, "access-1"] == account.provider.seen


def test_a_token_of_half_an_hour_more_is_fresh() -> None:
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME - 1800)
        account.get()

        assert ([FIRST_ACCESS], []) == (account.provider.seen, account.provider.asked)


def test_a_token_without_an_end_is_renewed_on_401_only() -> None:
    with opened(granted(1, expires_in=None), credentials={"expires_in": None}) as account:
        account.clock.advance(1e9)
        account.get()
        account.provider.dead = {FIRST_ACCESS}
        answer = account.get()

        assert 200 == answer.status_code
        assert [FIRST_ACCESS, FIRST_ACCESS, "access-1"] == account.provider.seen
        assert 1 == len(account.provider.asked)


def test_a_lifetime_can_be_declared_where_none_is_stated() -> None:
    auth = {"default_token_lifetime": 1000}
    with opened(granted(1, expires_in=None), granted(2), auth=auth, credentials={"expires_in": None}) as account:
        account.clock.advance(901)
        account.get()
        account.clock.advance(901)
        account.get()

        assert ["access-1", "access-2"] == account.provider.seen


def test_an_expired_token_without_a_refresh_token_is_never_sent() -> None:
    with opened(granted(1), credentials={"refresh_token": None}) as account:
        account.clock.advance(LIFETIME - 1)
        account.get()
        account.clock.advance(1)
        with pytest.raises(ReauthRequired, match="expired and cannot be renewed"):
            account.get()

        assert ([FIRST_ACCESS], []) == (account.provider.seen, account.provider.asked)


def test_the_old_refresh_token_stays_when_none_comes() -> None:
    with opened(granted(1, refresh_token=None), granted(2)) as account:
        account.clock.advance(LIFETIME)
        account.get()
        kept = account.held("refresh_token")
        account.clock.advance(LIFETIME)
        account.get()

        assert FIRST_REFRESH == kept
        assert [FIRST_REFRESH, FIRST_REFRESH] == [form["refresh_token"] for form in account.provider.asked]


@pytest.mark.parametrize("skew", [-600, -120, 120, 600])
def test_a_skewed_clock_does_not_matter_to_a_lifetime(skew: float) -> None:
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME + skew + 600)
        account.get()
        account.clock.advance(LIFETIME - 301)
        account.get()

        assert 1 == len(account.provider.asked)


def test_a_clock_that_is_behind_finds_a_dead_token_by_its_refusal() -> None:
    with opened(granted(2)) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(LIFETIME - 600)  # the provider's clock is ten minutes ahead

        assert 200 == account.get().status_code
        assert [FIRST_ACCESS, "access-2"] == account.provider.seen


def test_a_clock_that_is_ahead_of_a_stated_moment_still_gets_answers() -> None:
    def issued(_request: httpx.Request) -> httpx.Response:
        there = account.clock.now() - 300
        return granted(len(account.provider.asked), expires_in=None, expires_at=there + 120)

    with opened(issued, credentials={"expires_in": 1}) as account:
        account.clock.advance(2)
        statuses = [account.get().status_code for _ in range(2)]

        assert [200, 200] == statuses
        assert f"access-{len(account.provider.asked)}" == account.provider.seen[-1]


# Refused tokens


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_renewal_on_401_that_fails_leaves_the_answer(backend: str) -> None:
    with opened(httpx.Response(503), backend=backend) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.get()

        assert (401, 1) == (answer.status_code, len(account.provider.seen))
        assert isinstance(answer.extensions[RENEWAL_ERROR], ResponseError)


def test_a_second_401_is_the_answer() -> None:
    with opened(granted(1)) as account:
        account.provider.dead = {FIRST_ACCESS, "access-1"}
        account.clock.advance(11)
        statuses = [account.get().status_code for _ in range(2)]

        assert [401, 401] == statuses
        assert 1 == len(account.provider.asked)
        assert [FIRST_ACCESS, "access-1", "access-1"] == account.provider.seen


# One renewal


def test_many_threads_renew_once() -> None:
    ready = threading.Barrier(16)
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME)

        def ask() -> None:
            ready.wait(10)
            account.get()

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert ["access-1"] * 16 == account.provider.seen
        assert 1 == len(account.provider.asked)
        assert ["on_renewed"] == account.told


def test_a_hook_that_fails_costs_no_token() -> None:
    def fail(_view: Any) -> None:
        raise RuntimeError("the program's own mistake")

    with opened(granted(1), on_renewed=fail) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert "access-1" == account.held("access_token")


# Stores that fail, and other people


class Failing(MemoryStore):
    """A store that refuses as many writes as *failures* says."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        if self.failures:
            self.failures -= 1
            raise StoreError("memory://: the disk is full.")
        return super().compare_and_swap(row, expected_version=expected_version)


def test_a_store_that_fails_once_is_tried_again() -> None:
    store = Failing()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.failures = 1

        assert 200 == account.get().status_code
        assert ("access-1", 1) == (account.held("access_token"), len(account.provider.asked))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_token_that_cannot_be_stored_is_kept_for_the_next_try(backend: str) -> None:
    store = Failing()
    with opened(granted(1), refused("invalid_grant"), store=store, backend=backend) as account:
        account.clock.advance(LIFETIME)
        store.failures = 10_000
        for _ in range(2):
            with pytest.raises(StoreError, match="disk is full"):
                account.get()
        assert [] == account.provider.seen
        store.failures = 0

        assert 200 == account.get().status_code
        assert ("access-1", 1) == (account.held("access_token"), len(account.provider.asked))
        assert ["on_renewed"] == account.told


def test_a_token_that_cannot_be_stored_gives_way_to_the_user_s() -> None:
    store = Failing()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.failures = 10_000
        with pytest.raises(StoreError):
            account.get()
        store.failures = 0
        theirs = {"access_token": "theirs", "refresh_token": "theirs-too", "expires_in": LIFETIME}
        account.nango.call("update_connection_credentials", "it", "ann", theirs)
        account.get()

        assert ["theirs"] == account.provider.seen
        assert "theirs-too" == account.held("refresh_token")


def test_a_connection_that_is_deleted_meanwhile_is_unknown() -> None:
    def delete(_request: httpx.Request) -> httpx.Response:
        account.nango.call("delete_connection", "it", "ann")
        return granted(1)

    with opened(delete) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnknownConnection):
            account.get()

        assert ([], []) == (account.provider.seen, account.told)
        assert [] == account.nango.call("get_connections_for_user_id", "ann")


@pytest.mark.parametrize("answer", [granted(1), refused("invalid_grant")], ids=["granted", "refused"])
def test_credentials_that_the_user_gives_meanwhile_win(answer: httpx.Response) -> None:
    theirs = {"access_token": "theirs", "refresh_token": "theirs-too", "expires_in": LIFETIME}

    def replace(_request: httpx.Request) -> httpx.Response:
        account.nango.call("update_connection_credentials", "it", "ann", theirs)
        return answer

    with opened(replace) as account:
        account.clock.advance(LIFETIME)
        account.get()

        assert ["theirs"] == account.provider.seen
        assert ("active", "theirs-too", []) == (account.status, account.held("refresh_token"), account.told)


def test_metadata_that_is_changed_meanwhile_survives() -> None:
    def change(_request: httpx.Request) -> httpx.Response:
        account.nango.call("update_metadata", "it", "ann", {"plan": "new"})
        return granted(1)

    with opened(change) as account:
        account.clock.advance(LIFETIME)
        account.get()

        assert {"plan": "new"} == account.connection().metadata
        assert ("access-1", ["access-1"]) == (account.held("access_token"), account.provider.seen)


class Forgetful(MemoryStore):
    """A store that writes once and then says that it failed: the answer of the commit got lost."""

    def __init__(self) -> None:
        super().__init__()
        self.forgets = False

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        swapped = super().compare_and_swap(row, expected_version=expected_version)
        if self.forgets:
            self.forgets = False
            raise StoreError("memory://: the connection to the server was lost.")
        return swapped


def test_a_commit_whose_answer_got_lost_costs_no_token() -> None:
    store = Forgetful()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.forgets = True

        assert 200 == account.get().status_code
        assert ("access-1", "refresh-1") == (account.held("access_token"), account.held("refresh_token"))
        assert 1 == len(account.provider.asked)


def test_what_another_process_renewed_is_taken() -> None:
    store = MemoryStore()
    with opened(granted(1), store=store) as first, second_process(first, store) as (second, provider):
        assert 200 == second.send("it", "ann", "GET", "/x").status_code
        first.clock.advance(LIFETIME)
        first.get()
        second.send("it", "ann", "GET", "/x")

        assert ([FIRST_ACCESS, "access-1"], []) == (provider.seen, provider.asked)


def test_what_another_process_deleted_is_gone_within_five_seconds() -> None:
    store = MemoryStore()
    with opened(granted(1), store=store) as first, second_process(first, store) as (second, provider):
        second.send("it", "ann", "GET", "/x")
        first.nango.call("delete_connection", "it", "ann")
        first.clock.advance(5)
        with pytest.raises(UnknownConnection):
            second.send("it", "ann", "GET", "/x")

        assert [FIRST_ACCESS] == provider.seen


@contextmanager
def second_process(first: Account, store: MemoryStore) -> Iterator[tuple[Face, Provider]]:
    """Open a second engine on the same store, as another process would."""
    provider = Provider(answers=[refused("invalid_grant")])
    load = {"store": store, "clock": first.clock, "transport": httpx.MockTransport(provider)}
    with face("sync", {"integrations": {"it": declared()}}, load) as nango:
        yield nango, provider


# Idle refresh tokens


def test_idle_refresh_tokens_are_used_before_they_die() -> None:
    auth = {"refresh_token_idle_lifetime": 1_000_000}
    with opened(granted(1), auth=auth) as account:
        account.clock.advance(499_999)
        early = account.nango.call("keep_alive")
        account.clock.advance(1)
        late = account.nango.call("keep_alive")
        again = account.nango.call("keep_alive")

        assert ((), (), ()) == (early.renewed, again.renewed, late.failed)
        assert ["ann"] == [view.user_id for view in late.renewed]
        assert "refresh-1" == account.held("refresh_token")


def test_keep_alive_says_who_failed() -> None:
    with opened(refused("invalid_grant"), auth={"refresh_token_idle_lifetime": 1000}) as account:
        account.clock.advance(1000)
        first = account.nango.call("keep_alive")
        second = account.nango.call("keep_alive")

        assert [("ann", ReauthRequired)] == [(view.user_id, type(error)) for view, error in first.failed]
        assert ((), ()) == (second.renewed, second.failed)


def test_keep_alive_looks_at_nobody_without_a_declared_lifetime() -> None:
    with opened(granted(1)) as account:
        account.clock.advance(1e9)

        assert () == account.nango.call("keep_alive").renewed
        assert [] == account.provider.asked


# Secrets


def echo(status: int, form: str) -> Callable[[httpx.Request], httpx.Response]:
    """Return an endpoint that tells what it was sent."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = request.content.decode()
        said = {
            "description": {"error": "invalid_request", "error_description": f"bad request: {body}"},
            "code": {"error": f"bad {body}"},
            "fields": {"error": "invalid_request", "error_description": dict(parse_qsl(body))},
            "object": {"error": {"code": "bad", "message": body}},
            "message": {"error": "bad", "message": f"headers {dict(request.headers)}, body {body}"},
        }
        if form == "html":
            return httpx.Response(status, html=f"<pre>{body}</pre>")
        if form == "type":
            return httpx.Response(status, headers={"Content-Type": f"text/plain; x={body}"}, text="<no>")
        return httpx.Response(status, json=said[form])

    return answer


@pytest.mark.parametrize("method", ["post", "basic"])
@pytest.mark.parametrize("form", ["description", "code", "fields", "object", "message", "html", "type"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_endpoint_that_echoes_shows_no_secret(
    status: int, form: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with opened(echo(status, form), auth={"token_request_auth_method": method}) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(RemoteError) as caught:
            account.get()

        assert_silent(chain(caught.value) + caplog.text)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client"])
def test_a_refusal_on_401_shows_no_secret(code: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(refused(code, 400, f"{FIRST_REFRESH} of {CLIENT_SECRET}")) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.get()
        error = answer.extensions[RENEWAL_ERROR]

        assert "renewal.failed" in caplog.text
        assert_silent(chain(error) + repr(answer) + repr(answer.request.headers.raw) + caplog.text)


def test_a_network_error_that_quotes_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(httpx.ReadError(f"while sending refresh_token={FIRST_REFRESH}")) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(NangoError) as caught:
            account.get()

        assert_silent(chain(caught.value) + caplog.text)


@pytest.mark.parametrize("picked", ["refresh_token", "access_token", "again", "nested.token"])
def test_a_token_never_becomes_connection_config(picked: str) -> None:
    answer = granted(1, again="refresh-1", nested={"token": "access-1"}, team="T1", scope="read")
    auth = {"token_response_metadata": [picked, "team", "scope"]}
    with opened(answer, auth=auth) as account:
        account.clock.advance(LIFETIME)
        account.get()

        assert {"team": "T1", "scope": "read"} == account.connection().view().connection_config


@pytest.mark.parametrize("form", ["{}\u2603", "-----BEGIN KEY-----\n{}\n-----END KEY-----"])
def test_a_token_that_fits_no_header_is_not_shown_by_an_error(form: str) -> None:
    with opened(granted(1), credentials={"access_token": form.format(FIRST_ACCESS.replace("-", ""))}) as account:
        with pytest.raises(UsageError, match="'Authorization' cannot: only printable ASCII") as caught:
            account.get()

        assert FIRST_ACCESS.replace("-", "") not in chain(caught.value) + repr(caught.value.__context__)


def test_nothing_that_is_held_shows_its_secrets() -> None:
    with opened(granted(1)) as account:
        nango = account.nango._nango  # type: ignore[attr-defined]
        shown = (nango, nango._core, nango._core.accounts.manager, nango._core.accounts.manager.renewals)

        assert_silent("".join(repr(each) for each in (*shown, account.connection(), account.connection().view())))


@pytest.mark.parametrize("token", ["two\r\nX-Evil: 1", "nul\0", "snow\u2603man"])
def test_a_token_that_is_no_header_value_is_refused(token: str) -> None:
    with opened(granted(1, access_token=token)) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ResponseError, match="no header can hold") as caught:
            account.get()

        assert [] == account.provider.seen
        assert token not in chain(caught.value)
