"""One renewal at a time, stores that fail, users who change their mind, tokens that die of idleness."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.errors import (
    ReauthRequired,
    StoreError,
    UnknownConnection,
)
from tests.connections.faulty import (
    FIRST_ACCESS,
    LIFETIME,
    Account,
    Provider,
    declared,
    granted,
    opened,
    refused,
)
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face


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


class LoopOnly(httpx.AsyncBaseTransport):
    """A transport of a program's own that serves event loops only."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return self.provider(request)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_token_requests_go_through_a_transport_that_serves_loops_only(backend: str) -> None:
    provider = Provider(answers=[granted(1)])
    with opened(backend=backend, transport=LoopOnly(provider)) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert ["access-1"] == provider.seen


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_requester_that_gives_up_leaves_the_renewal_alone(backend: str) -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_request: httpx.Request) -> httpx.Response:
        asked.set()
        assert go.wait(10)
        return granted(1)

    with opened(slow, backend=backend) as account:
        account.clock.advance(LIFETIME)
        give_up(account, asked)
        go.set()

        assert 200 == account.get().status_code
        assert (["access-1"], 1) == (account.provider.seen, len(account.provider.asked))


def give_up(account: Account, asked: threading.Event) -> None:
    """Ask for credentials, and stop waiting when the token request is under way."""
    nango, portal = account.nango._nango, account.nango._portal  # type: ignore[attr-defined]
    waiting = portal.start_task_soon(nango.credentials, "it", "ann")
    assert asked.wait(10)
    waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.result(10)


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

        told = [(view.user_id, view.status, type(error)) for view, error in first.failed]
        assert [("ann", "reauth_required", ReauthRequired)] == told
        assert ((), ()) == (second.renewed, second.failed)


def test_keep_alive_looks_at_nobody_without_a_declared_lifetime() -> None:
    with opened(granted(1)) as account:
        account.clock.advance(1e9)

        assert () == account.nango.call("keep_alive").renewed
        assert [] == account.provider.asked
