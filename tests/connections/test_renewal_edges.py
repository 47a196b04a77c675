"""Renewals where hooks call back, failures repeat, and clocks go backwards."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.errors import ResponseError, StoreError
from tests.connections.faulty import FIRST_ACCESS, LIFETIME, granted, opened
from tests.servers.faces import BACKENDS


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hook_may_ask_for_the_credentials_that_it_is_told_of(backend: str) -> None:
    told: list[Any] = []
    done = threading.Event()

    def hand_on(view: Any) -> None:
        told.append(account.nango.call("credentials", view.integration, view.user_id)["access_token"].reveal())
        done.set()

    with opened(granted(1), backend=backend, on_renewed=hand_on) as account:
        account.clock.advance(LIFETIME)
        asking = threading.Thread(target=account.get, daemon=True)
        asking.start()

        assert done.wait(10)
        asking.join(10)
        assert ["access-1"] == told


def length_of(error: BaseException) -> int:
    count, trace = 0, error.__traceback__
    while trace is not None:
        count, trace = count + 1, trace.tb_next
    return count


def test_a_failure_that_is_repeated_does_not_grow() -> None:
    lengths = []
    with opened(httpx.Response(503)) as account:
        account.clock.advance(LIFETIME)
        for _ in range(20):
            with pytest.raises(ResponseError):
                account.get()
            failures = account.nango._nango._core.accounts.manager.renewals._failures  # type: ignore[attr-defined]
            lengths += [length_of(failure.error) for failure in failures.values()]

    assert 20 == len(lengths)
    assert {0} == set(lengths)


def test_failures_of_connections_that_nobody_uses_any_more_are_forgotten() -> None:
    with opened(httpx.Response(503)) as account:
        renewals = account.nango._nango._core.accounts.manager.renewals  # type: ignore[attr-defined]
        integration = account.nango._nango._core.integration("it")  # type: ignore[attr-defined]
        for number in range(3000):
            account.clock.advance(1)
            renewals._fail(integration, replace(account.connection(), id=str(number)), ResponseError("no"))

    assert len(renewals._failures) < 1100


class Counting(MemoryStore):
    leases = 0

    def acquire_lease(self, name: str, owner: str, seconds: float) -> Any:
        self.leases += 1
        return super().acquire_lease(name, owner, seconds)


def test_no_lease_is_taken_while_a_failure_cools_down() -> None:
    store = Counting()
    with opened(httpx.Response(503), store=store) as account:
        account.clock.advance(LIFETIME)
        for _ in range(5):
            with pytest.raises(ResponseError):
                account.get()

    assert 1 == store.leases


class Stubborn(MemoryStore):
    fails = False

    def release_lease(self, name: str, owner: str) -> None:
        super().release_lease(name, owner)
        if self.fails:
            raise StoreError("memory://: the disk is full.")


def test_a_lease_that_cannot_be_given_back_costs_nobody_the_token() -> None:
    store = Stubborn()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.fails = True

        assert 200 == account.get().status_code


def test_a_token_of_the_future_is_renewed_when_it_is_refused() -> None:
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME)
        account.get()
        account.clock.advance(-2 * LIFETIME)  # the machine's clock was set right
        account.provider.dead = {"access-1"}
        account.provider.answers = [granted(2)]

        assert 200 == account.get().status_code


def spoil(store: MemoryStore, user_id: str) -> None:
    row = store.get("it", user_id)
    assert row is not None
    other = store.get("it", "aaa")
    assert other is not None
    assert store.compare_and_swap(replace(row, sealed=other.sealed, version=2), expected_version=1)


def test_one_connection_that_cannot_be_opened_does_not_keep_the_others_from_being_kept_alive() -> None:
    store = MemoryStore()
    with opened(granted(1), store=store, auth={"refresh_token_idle_lifetime": 1000}) as account:
        tokens = {"access_token": FIRST_ACCESS, "refresh_token": "theirs", "expires_in": LIFETIME}
        for user in ("aaa", "zed"):
            account.nango.call("register_connection", "it", user, tokens)
        spoil(store, "ann")
        account.clock.advance(999)
        kept = account.nango.call("keep_alive")

        assert ["ann"] == [view.user_id for view, _ in kept.failed]
        assert {"aaa", "zed"} == {view.user_id for view in kept.renewed}
