"""Token endpoints that fail, lie, hang or refuse: a clear error each, and nothing is lost."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from nango_py.errors import (
    AuthenticationError,
    ReauthRequired,
    ResponseError,
    UnreachableError,
)
from tests.connections.faulty import (
    COOL_DOWN,
    FIRST_ACCESS,
    FIRST_REFRESH,
    LIFETIME,
    Account,
    assert_silent,
    chain,
    granted,
    opened,
    refused,
)
from tests.patience import patiently
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    def check(span: float) -> None:
        with (
            listening(lambda _connection: None) as (url, taken),
            opened(backend=backend, auth={"token_url": url}, transport=None) as account,
        ):
            hurry(account, span)
            account.clock.advance(LIFETIME)
            with pytest.raises(UnreachableError, match="the renewal got no answer"):
                account.get()

            assert taken
            assert "renewal_uncertain" == account.status

    patiently(check)


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
        with pytest.raises(UnreachableError):
            account.get()


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
