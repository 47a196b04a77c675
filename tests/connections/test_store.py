"""What every store does alike: in memory, SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from nango_py.connections.store import Row
from nango_py.errors import DuplicateConnection, StoreError

PATIENCE = 20.0


def row(number=1, **changes):
    made = Row(
        id=f"{number:032x}",
        integration="close",
        user_id=f"user-{number}",
        sealed="v1:00000000:c2VhbGVk",
        connection_config='{"region":"eu"}',
        metadata='{"n":"\\u0000"}',
        created_at=1_700_000_000.25,
        updated_at=1_700_000_001.5,
    )
    return replace(made, **changes)


def test_a_row_comes_back_as_it_was_put(store):
    store.put(row())

    assert row() == store.get("close", "user-1")


def test_an_unknown_pair_is_none(store):
    assert (store.get("close", "nobody"), store.version("close", "nobody")) == (None, None)


def test_version_is_id_and_version(store):
    store.put(row())

    assert (row().id, 1) == store.version("close", "user-1")


def test_a_second_row_of_a_pair_is_refused_and_the_first_stays(store):
    store.put(row(1))

    with pytest.raises(DuplicateConnection, match="'close' has a connection for user 'user-1' already"):
        store.put(row(2, user_id="user-1"))
    assert row(1) == store.get("close", "user-1")


@pytest.mark.parametrize("user_id", ["User-1", "user-1 ", "ûser-1", "用户", "a'b\"c;--", "%", "x" * 512])
def test_user_ids_are_compared_to_the_letter(store, user_id):
    store.put(row(1))
    store.put(row(2, user_id=user_id))

    assert row(2, user_id=user_id) == store.get("close", user_id)


def test_swap_replaces_everything_but_identity(store):
    store.put(row())
    new = row(
        sealed="v1:1:x",
        connection_config="{}",
        metadata="{}",
        status="reauth_required",
        created_at=0.0,
        updated_at=9.0,
    )

    assert store.compare_and_swap(new, expected_version=1)
    assert replace(new, created_at=row().created_at, version=2) == store.get("close", "user-1")


def test_swap_of_an_old_version_changes_nothing(store):
    store.put(row())
    store.compare_and_swap(row(sealed="second"), expected_version=1)

    assert not store.compare_and_swap(row(sealed="third"), expected_version=1)
    assert store.get("close", "user-1").sealed == "second"


def test_swap_does_not_reach_a_connection_registered_again(store):
    store.put(row(1))
    store.delete("close", "user-1")
    store.put(row(2, user_id="user-1"))

    assert not store.compare_and_swap(row(1, sealed="stale"), expected_version=1)
    assert row(2, user_id="user-1") == store.get("close", "user-1")


def test_delete_tells_whether_there_was_one(store):
    store.put(row())

    assert (store.delete("close", "user-1"), store.delete("close", "user-1")) == (True, False)
    assert store.get("close", "user-1") is None


@pytest.mark.parametrize("page_size", [1, 3, 7, 500])
def test_iterate_yields_every_row_by_id(store, page_size):
    rows = [row(number) for number in range(1, 8)]
    for one in reversed(rows):
        store.put(one)

    assert rows == list(store.iterate(page_size=page_size))


def test_iterate_filters_by_integration_and_user(store):
    store.put(row(1, integration="close", user_id="a"))
    store.put(row(2, integration="slack", user_id="a"))
    store.put(row(3, integration="slack", user_id="b"))

    def numbers(**filters):
        return [int(found.id, 16) for found in store.iterate(page_size=1, **filters)]

    assert numbers(integration="slack") == [2, 3]
    assert numbers(user_id="a") == [1, 2]
    assert numbers(integration="slack", user_id="a") == [2]


def test_iterate_goes_on_when_rows_come_and_go_between_pages(store):
    for number in (1, 2, 4):
        store.put(row(number))
    walk = store.iterate(page_size=1)
    first = next(walk)
    store.delete("close", "user-1")
    store.compare_and_swap(row(4, sealed="new"), expected_version=1)

    assert [int(found.id, 16) for found in (first, *walk)] == [1, 2, 4]


def test_a_held_lease_is_refused_to_others(store):
    now = time.time()
    end = store.acquire_lease("renew:1", "one", 30)

    assert now + 25 < end < now + 35
    assert store.acquire_lease("renew:1", "two", 30) is None
    assert store.acquire_lease("renew:2", "two", 30) is not None


def test_the_owner_may_take_its_lease_again(store):
    first = store.acquire_lease("renew:1", "one", 30)

    assert first < store.acquire_lease("renew:1", "one", 60)


def test_release_frees_a_lease(store):
    store.acquire_lease("renew:1", "one", 30)

    assert store.release_lease("renew:1", "one")
    assert store.acquire_lease("renew:1", "two", 30) is not None


def test_release_by_another_frees_nothing(store):
    store.acquire_lease("renew:1", "one", 30)

    assert not store.release_lease("renew:1", "two")
    assert store.acquire_lease("renew:1", "two", 30) is None


def test_a_lease_ends_by_itself(store):
    store.acquire_lease("renew:1", "one", 0.1)

    assert _until(lambda: store.acquire_lease("renew:1", "two", 30)) is not None
    assert store.renew_lease("renew:1", "one", 30) is None
    assert not store.release_lease("renew:1", "one")
    assert store.acquire_lease("renew:1", "three", 30) is None


def test_renewal_prolongs_a_lease_for_its_owner_only(store):
    first = store.acquire_lease("renew:1", "one", 30)

    assert first < store.renew_lease("renew:1", "one", 60)
    assert store.renew_lease("renew:1", "two", 60) is None
    assert store.renew_lease("renew:2", "one", 60) is None


def test_an_ended_lease_cannot_be_renewed(store):
    store.acquire_lease("renew:1", "one", -1)

    assert store.renew_lease("renew:1", "one", 30) is None


def test_one_of_many_threads_gets_a_lease(store):
    got = _in_threads(16, lambda number: store.acquire_lease("renew:1", f"owner-{number}", 30))

    assert sum(end is not None for end in got) == 1


def test_waiters_do_not_starve_the_holder(store):
    store.put(row())
    store.acquire_lease("renew:1", "holder", 60)
    swapped = threading.Event()

    def wait(number):
        while not swapped.is_set():
            assert store.acquire_lease("renew:1", f"waiter-{number}", 60) is None
            swapped.wait(0.01)

    waiters = [threading.Thread(target=wait, args=(number,)) for number in range(64)]
    for waiter in waiters:
        waiter.start()
    began = time.monotonic()
    for version in range(1, 6):
        assert store.renew_lease("renew:1", "holder", 60) is not None
        assert store.compare_and_swap(row(), expected_version=version)
    took = time.monotonic() - began
    swapped.set()
    for waiter in waiters:
        waiter.join()

    assert took < PATIENCE
    assert store.release_lease("renew:1", "holder")


def test_an_attempt_is_taken_once(store):
    store.put_attempt("state", "sealed", 200.0, now=100.0)

    assert (store.take_attempt("state", now=150.0), store.take_attempt("state", now=150.0)) == ("sealed", None)


def test_an_attempt_that_is_looked_at_stays(store):
    store.put_attempt("state", "sealed", 200.0, now=100.0)

    assert ["sealed", "sealed", None] == [store.get_attempt("state", now=now) for now in (150.0, 199.0, 200.0)]
    assert store.get_attempt("another", now=150.0) is None
    assert store.take_attempt("state", now=150.0) == "sealed"
    assert store.get_attempt("state", now=150.0) is None


def test_one_of_many_threads_takes_an_attempt(store):
    store.put_attempt("state", "sealed", 200.0, now=100.0)

    assert [got for got in _in_threads(16, lambda _: store.take_attempt("state", now=150.0)) if got] == ["sealed"]


def test_an_expired_attempt_never_comes_back(store):
    store.put_attempt("state", "sealed", 200.0, now=100.0)

    assert store.take_attempt("state", now=200.0) is None
    assert store.take_attempt("state", now=150.0) is None


def test_expired_attempts_are_purged(store):
    store.put_attempt("old", "sealed", 200.0, now=100.0)
    store.put_attempt("new", "sealed", 400.0, now=300.0)

    assert store.take_attempt("old", now=150.0) is None


def test_without_now_attempts_live_by_the_hosts_clock(store):
    store.put_attempt("live", "sealed", time.time() + 600)
    store.put_attempt("dead", "sealed", time.time() - 1)

    assert (store.take_attempt("dead"), store.take_attempt("live")) == (None, "sealed")


def test_a_state_cannot_be_used_twice(store):
    store.put_attempt("state", "mine", 200.0, now=100.0)

    with pytest.raises(StoreError, match="stored already"):
        store.put_attempt("state", "theirs", 200.0, now=100.0)
    assert store.take_attempt("state", now=150.0) == "mine"


def test_a_closed_store_says_so(store):
    store.put(row())
    store.close()
    store.close()

    with pytest.raises(StoreError, match="the store is closed"):
        store.get("close", "user-1")


def test_threads_swap_without_losing_an_update(store):
    store.put(row(metadata="0"))

    def add(_number):
        for _ in range(5):
            while not _add_one(store):
                pass

    _in_threads(8, add)

    assert store.get("close", "user-1").metadata == "40"


def _add_one(store):
    current = store.get("close", "user-1")
    return store.compare_and_swap(
        replace(current, metadata=str(int(current.metadata) + 1)), expected_version=current.version
    )


def _in_threads(count, call):
    results = [None] * count

    def run(number):
        results[number] = call(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _until(call):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (found := call()) is not None:
            return found
        threading.Event().wait(0.01)
    return None
