"""What a provider is told when a connection is deleted (RFC 7009), and that nothing it answers keeps one alive."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.errors import ReauthRequired, UnknownConnection
from tests.connections.faulty import (
    CLIENT_SECRET,
    FIRST_ACCESS,
    FIRST_REFRESH,
    Answer,
    assert_silent,
    opened,
    refused,
)
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from tests.connections.faulty import Account

REVOKES = {"revocation_url": "https://login.example.com/revoke"}


def delete(account: Account) -> None:
    account.nango.call("delete_connection", "it", "ann")


def is_gone(account: Account) -> bool:
    with pytest.raises(UnknownConnection):
        account.connection()
    return True


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_refresh_token_is_revoked(backend: str) -> None:
    with opened(httpx.Response(200), auth=REVOKES, backend=backend) as account:
        delete(account)

        sent = {"token": FIRST_REFRESH, "token_type_hint": "refresh_token"}
        client = {"client_id": "client", "client_secret": CLIENT_SECRET}
        assert [{**sent, **client}] == account.provider.asked
        assert is_gone(account)


def test_an_access_token_without_a_refresh_token_is_revoked() -> None:
    with opened(httpx.Response(200), auth=REVOKES, credentials={"refresh_token": None}) as account:
        delete(account)

        assert [(FIRST_ACCESS, "access_token")] == [
            (form["token"], form["token_type_hint"]) for form in account.provider.asked
        ]


def test_nobody_is_told_where_nothing_is_declared() -> None:
    with opened(httpx.Response(200)) as account:
        delete(account)

        assert ([], True) == (account.provider.asked, is_gone(account))


FAILURES: dict[str, Any] = {
    "refused": refused("invalid_client", 401, f"{CLIENT_SECRET} is wrong for {FIRST_REFRESH}"),
    "503": httpx.Response(503, text=FIRST_REFRESH),
    "HTML": httpx.Response(404, html=f"<p>{FIRST_REFRESH}</p>"),
    "away": httpx.ConnectError("no"),
    "cut": httpx.ReadError(f"while sending {FIRST_REFRESH}"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_revocation_that_fails_is_logged_and_the_connection_is_gone(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    failure: Answer = FAILURES[kind]
    with opened(failure, auth=REVOKES) as account:
        delete(account)

        assert is_gone(account)
        assert "revocation.failed" in caplog.text
        assert_silent(caplog.text)


def test_a_connection_that_needs_its_user_is_revoked_as_well() -> None:
    with opened(refused("invalid_grant"), httpx.Response(200), auth=REVOKES) as account:
        account.clock.advance(3600)
        with pytest.raises(ReauthRequired):
            account.get()
        delete(account)

        assert FIRST_REFRESH == account.provider.asked[-1]["token"]


class Slow(MemoryStore):
    """A store that deletes only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.go = threading.Event(), threading.Event()

    def delete(self, integration: str, user_id: str) -> bool:
        self.is_asked.set()
        assert self.go.wait(60)
        return super().delete(integration, user_id)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_deletion_that_is_cancelled_half_way_is_finished(backend: str) -> None:
    store = Slow()
    with opened(httpx.Response(200), store=store, auth=REVOKES, backend=backend) as account:
        nango, portal = account.nango._nango, account.nango._portal  # type: ignore[attr-defined]
        waiting = portal.start_task_soon(nango.delete_connection, "it", "ann")
        assert store.is_asked.wait(60)
        waiting.cancel()
        store.go.set()
        with pytest.raises(CancelledError):
            waiting.result(60)
        nango._core.accounts.manager.renewals.close()

        assert [FIRST_REFRESH] == [form["token"] for form in account.provider.asked]
        assert is_gone(account)
