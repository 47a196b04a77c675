"""Tokens that were obtained and could not be stored at once: nobody loses them, whatever others do meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.connections.lease import Lease
from nango_py.connections.renewal import _Unsaved
from nango_py.connections.sqlite import SqliteStore
from nango_py.errors import ReauthRequired, StoreError, UnknownConnection
from tests.connections.faulty import LIFETIME, Provider, declared, granted, opened, refused
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nango_py.connections.renewal import Renewals
    from tests.connections.faulty import Account
    from tests.servers.faces import Face

REVOKES = {"revocation_url": "https://login.example.com/revoke"}
OTHERS = {"access_token": "access-of-ben", "refresh_token": "refresh-of-ben", "expires_in": LIFETIME}


class Disk(SqliteStore):
    """A store that refuses as many writes of rows as *failures* says, and does *meanwhile* during each of them."""

    failures = 0
    prolonged = 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self.meanwhile: Callable[[], None] = lambda: None

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        if self.failures:
            self.failures -= 1
            self.meanwhile()
            raise StoreError(f"{self.path}: the disk is full.")
        return super().compare_and_swap(row, expected_version=expected_version)

    def renew_lease(self, name: str, owner: str, seconds: float) -> float | None:
        self.prolonged += 1
        return super().renew_lease(name, owner, seconds)

    def end_leases(self) -> None:
        """Let every lease be over, as if half a minute had passed."""
        with sqlite3.connect(self.path) as raw:
            raw.execute("DELETE FROM nango_py_leases")
        raw.close()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "connections.db")


@contextmanager
def another_process(account: Account, disk: Disk) -> Iterator[Face]:
    """Open a second engine on the same file; the provider refuses it, for the refresh token that it knows is spent."""
    provider = Provider(answers=[refused("invalid_grant")])
    load = {"store": SqliteStore(disk.path), "clock": account.clock, "transport": httpx.MockTransport(provider)}
    with face("sync", {"integrations": {"it": declared()}}, load) as nango:
        yield nango


def renewals_of(account: Account) -> Renewals:
    renewals: Renewals = account.nango._nango._core.accounts.manager.renewals  # type: ignore[attr-defined]
    return renewals


def fail_to_store(account: Account, disk: Disk, user_id: str = "ann") -> None:
    """Obtain tokens for an account, and let nobody store them."""
    disk.failures = 4
    with pytest.raises(StoreError, match="disk is full"):
        account.nango.send("it", user_id, "GET", "/x")


def be_refused(other: Face) -> None:
    with pytest.raises(ReauthRequired):
        other.send("it", "ann", "GET", "/x")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mark_of_another_process_does_not_win_over_tokens_that_are_stored_late(backend: str, disk: Disk) -> None:
    with opened(granted(1), store=disk, backend=backend) as account, another_process(account, disk) as other:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)
        disk.end_leases()
        be_refused(other)
        account.clock.advance(6)  # what others did is known by now

        assert 200 == account.get().status_code
        assert ("active", "refresh-1", 1) == (
            account.status,
            account.held("refresh_token"),
            len(account.provider.asked),
        )


def test_a_mark_of_another_process_does_not_win_while_the_store_is_tried_again(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account, another_process(account, disk) as other:

        def lose_the_lease() -> None:
            disk.end_leases()
            be_refused(other)

        account.clock.advance(LIFETIME)
        disk.failures, disk.meanwhile = 1, lose_the_lease

        assert 200 == account.get().status_code
        assert ("active", "refresh-1") == (account.status, account.held("refresh_token"))


def test_newer_credentials_of_another_process_win_over_tokens_that_are_stored_late(disk: Disk) -> None:
    theirs = {"access_token": "theirs", "refresh_token": "theirs-too", "expires_in": LIFETIME}
    with opened(granted(1), store=disk) as account, another_process(account, disk) as other:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)
        other.call("update_connection_credentials", "it", "ann", theirs)
        account.clock.advance(6)
        account.get()

        assert (["theirs"], "theirs-too") == (account.provider.seen, account.held("refresh_token"))


def is_free(account: Account, disk: Disk) -> bool:
    return disk.acquire_lease(f"renewal:{account.connection().id}", "somebody", 0.0) is not None


def test_nobody_else_renews_while_tokens_are_not_stored(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)
        before = is_free(account, disk)
        account.get()

        assert (False, True) == (before, is_free(account, disk))


def test_a_lease_that_grows_old_is_prolonged_before_each_try_of_storing(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        renewals, connection = renewals_of(account), account.connection()
        integration = account.nango._nango._core.integration("it")  # type: ignore[attr-defined]
        obtained = renewals.renew(integration, connection, seconds=20)
        lease = Lease(disk, "renewal", "me")
        assert disk.acquire_lease("renewal", "me", 6) is not None

        def age() -> None:
            lease._ends_at -= 24

        age()
        disk.failures, disk.meanwhile = 2, age
        renewals._save(_Unsaved(integration=integration, base=connection, obtained=obtained, lease=lease))

        assert ("access-1", 3, True) == (account.held("access_token"), disk.prolonged, lease.is_young)


def test_a_lease_that_is_lost_is_not_prolonged(disk: Disk) -> None:
    lease = Lease(disk, "renewal", "me")
    lease._ends_at -= 24
    assert disk.acquire_lease("renewal", "somebody", 30) is not None
    lease.prolong()

    assert not lease.is_young


# Config that comes with a token


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_config_that_a_renewal_brings_is_stored_with_its_token(failures: int, disk: Disk) -> None:
    told: list[Any] = []
    auth = {"token_response_metadata": ["instance_url"]}
    answer = granted(1, instance_url="https://eu.example.com")
    with opened(answer, store=disk, auth=auth, on_renewed=told.append) as account:
        account.clock.advance(LIFETIME)
        disk.failures = failures
        account.get()
        config = {"instance_url": "https://eu.example.com"}

        assert ([config], config) == (
            [view.connection_config for view in told],
            account.connection().connection_config,
        )
        assert 2 == account.connection().version


def test_config_of_a_commit_whose_answer_got_lost_is_told_of(disk: Disk) -> None:
    told: list[Any] = []
    auth = {"token_response_metadata": ["instance_url"]}
    answer = granted(1, instance_url="https://eu.example.com")
    with opened(answer, store=disk, auth=auth, on_renewed=told.append) as account:
        swap, account_row = SqliteStore.compare_and_swap, disk.get("it", "ann")
        assert account_row is not None

        def commit() -> None:
            vault = renewals_of(account).vault
            late = next(iter(renewals_of(account)._unsaved.values()))
            made = vault._seal(late.renewed())
            assert swap(disk, made, expected_version=account_row.version)

        account.clock.advance(LIFETIME)
        disk.failures, disk.meanwhile = 1, commit
        account.get()

        assert 1 == len(told)


# Deletion


def test_tokens_that_come_after_the_deletion_are_revoked(disk: Disk) -> None:
    def delete(_request: httpx.Request) -> httpx.Response:
        account.nango.call("delete_connection", "it", "ann")
        return granted(1)

    answers = (delete, httpx.Response(200))
    with opened(*answers, store=disk, auth=REVOKES) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnknownConnection):
            account.get()

        assert "refresh-1" == account.provider.asked[-1]["token"]
        assert {} == renewals_of(account)._unsaved


def test_tokens_that_could_not_be_stored_are_revoked_when_the_connection_is_deleted(disk: Disk) -> None:
    with opened(granted(1), httpx.Response(200), store=disk, auth=REVOKES) as account:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)
        account.nango.call("delete_connection", "it", "ann")

        assert ["refresh-1"] == [form["token"] for form in account.provider.asked[1:]]
        assert {} == renewals_of(account)._unsaved


def test_tokens_of_an_account_that_was_connected_anew_meanwhile_are_left_alone(disk: Disk) -> None:
    """Some providers end everything that a user granted when one token is revoked."""

    def connect_anew(_request: httpx.Request) -> httpx.Response:
        disk.delete("it", "ann")
        account.register(access_token="theirs")
        return granted(1)

    with opened(connect_anew, httpx.Response(200), store=disk, auth=REVOKES) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(UnknownConnection):
            account.get()

        assert 1 == len(account.provider.asked)


# Connections that nobody asks for


def two_late(account: Account, disk: Disk) -> None:
    """Leave the tokens of two accounts without a place."""
    account.nango.call("register_connection", "it", "ben", OTHERS)
    account.clock.advance(LIFETIME)
    fail_to_store(account, disk)
    fail_to_store(account, disk, "ben")


def test_a_store_that_works_again_gets_the_tokens_of_those_who_are_idle_too(disk: Disk) -> None:
    with opened(granted(1), granted(2), store=disk) as account:
        two_late(account, disk)
        account.get()
        renewals_of(account).close()
        row = account.nango.call("get_connection", "it", "ben")

        assert "refresh-2" == row.credentials["refresh_token"].reveal()
        assert {} == renewals_of(account)._unsaved


def test_tokens_of_a_connection_that_another_process_deleted_are_revoked_and_forgotten(disk: Disk) -> None:
    answers = (granted(1), granted(2), httpx.Response(200))
    with opened(*answers, store=disk, auth=REVOKES) as account:
        two_late(account, disk)
        disk.delete("it", "ben")
        account.get()
        renewals_of(account).close()

        assert "refresh-2" == account.provider.asked[-1]["token"]
        assert {} == renewals_of(account)._unsaved


def test_closing_stores_what_the_store_takes_again(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)

    with another_process(account, disk) as other:
        stored = other.call("get_connection", "it", "ann").credentials["refresh_token"].reveal()

    assert "refresh-1" == stored


def test_closing_says_what_the_store_did_not_take(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    with opened(granted(1), store=disk) as account:
        account.clock.advance(LIFETIME)
        fail_to_store(account, disk)
        disk.failures = 1

    lost = [record.getMessage() for record in caplog.records if "renewal.lost" in record.getMessage()]
    assert ["event='renewal.lost' integration='it' user_id='ann' level='warning'"] == lost


def test_tokens_of_a_refused_account_are_stored_by_the_way(disk: Disk) -> None:
    with opened(granted(1), granted(2), store=disk) as account:
        account.nango.call("register_connection", "it", "ben", OTHERS)
        account.clock.advance(60)
        account.provider.dead = {account.held("access_token")}
        disk.failures = 4
        assert 401 == account.get().status_code
        account.provider.dead = {"access-of-ben"}
        assert 200 == account.nango.send("it", "ben", "GET", "/x").status_code
        renewals_of(account)._crew.close()

        assert {} == renewals_of(account)._unsaved
        assert "refresh-1" == account.held("refresh_token")
