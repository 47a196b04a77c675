"""Connections through the vault: encrypted on the way in, opened on the way out, in every store."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nango_py.connections.connection import reveal
from nango_py.connections.keyring import KeyRing, key_id, sealed_with
from nango_py.connections.memory import MemoryStore
from nango_py.connections.rotation import LEASE
from nango_py.connections.vault import Vault
from nango_py.errors import DecryptionError, DuplicateConnection, StoreError, UnknownConnection, UsageError
from nango_py.secret import Secret

OLD, NEW = b"o" * 32, b"n" * 32


def vault_of(store, *keys, now=lambda: 1000.0):
    return Vault(store, KeyRing(lambda: keys or (OLD,)), SimpleNamespace(now=now))


@pytest.fixture
def vault(store):
    return vault_of(store)


@pytest.fixture
def remembered():
    """A vault over a store in memory, for what does not depend on the store."""
    return vault_of(MemoryStore())


def test_a_registered_connection_comes_back(vault):
    made = vault.register(
        "close", "user-1", {"password": "x", "raw": {"n": [1.5, None]}}, {"region": "eu"}, {"a": [1]}
    )

    assert vault.get("close", "user-1") == made
    assert vault.version("close", "user-1") == (made.id, 1)
    assert (made.created_at, made.updated_at, made.version, made.status) == (1000.0, 1000.0, 1, "active")


def test_a_second_registration_is_refused(vault):
    vault.register("close", "user-1", {"password": "x"})

    with pytest.raises(DuplicateConnection):
        vault.register("close", "user-1", {"password": "y"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    credentials=st.dictionaries(st.text(), JSON, max_size=4), metadata=st.dictionaries(st.text(), JSON, max_size=4)
)
def test_every_json_value_survives_the_store(vault, credentials, metadata):
    vault.delete("close", "user-1")
    made = vault.register("close", "user-1", credentials, None, metadata)

    assert vault.get("close", "user-1") == made
    assert reveal(vault.get("close", "user-1").credentials) == credentials


def test_rows_hold_no_plain_credential(vault):
    vault.register("close", "user-1", {"password": "hunter2-in-plain", "raw": {"deep": "hunter2-in-plain"}})

    assert "hunter2" not in repr(vault.store.get("close", "user-1"))


@pytest.mark.parametrize("name", ["", "x" * 513, "a\0b", "a\nb", "\ud800", None, 5])
def test_names_that_no_store_can_keep_are_refused(remembered, name):
    with pytest.raises(UsageError, match="user_id"):
        remembered.register("close", name, {})
    with pytest.raises(UsageError, match="integration"):
        remembered.register(name, "user-1", {})


def test_replace_writes_over_what_others_changed(vault):
    made = vault.register("close", "user-1", {"password": "x"}, None, {"a": 1})
    vault.replace(made, metadata={"a": 2})
    vault.replace(made, credentials={"password": "y"}, status="reauth_required")
    found = vault.get("close", "user-1")

    assert (reveal(found.credentials), dict(found.metadata), found.status, found.version) == (
        {"password": "y"},
        {"a": 2},
        "reauth_required",
        3,
    )


def test_replace_tells_the_time_of_the_change():
    times = iter([1000.0, 2000.0])
    vault = vault_of(MemoryStore(), now=lambda: next(times))
    changed = vault.replace(vault.register("close", "user-1", {}), metadata={"a": 1})

    assert (changed.created_at, changed.updated_at) == (1000.0, 2000.0)
    assert vault.get("close", "user-1") == changed


@pytest.mark.parametrize("again", [False, True])
def test_replace_of_a_deleted_connection_is_refused(remembered, again):
    made = remembered.register("close", "user-1", {})
    remembered.delete("close", "user-1")
    if again:
        remembered.register("close", "user-1", {"password": "new"})

    with pytest.raises(UnknownConnection, match="no longer has this connection"):
        remembered.replace(made, credentials={"password": "old"})
    assert remembered.swap(made, credentials={"password": "old"}) is None


def test_swap_loses_to_changed_credentials(vault):
    made = vault.register("close", "user-1", {"token": "1"})
    vault.replace(made, credentials={"token": "from the user"})

    assert vault.swap(made, credentials={"token": "2"}, status="active") is None
    assert vault.swap(made, status="reauth_required") is None
    assert vault.get("close", "user-1").credentials["token"] == Secret("from the user")


def test_swap_keeps_a_renewed_token_although_metadata_changed_or_keys_were_rotated(store):
    vault = vault_of(store)
    made = vault.register("close", "user-1", {"token": "1"})
    vault.replace(made, metadata={"plan": "pro"})
    newer = vault_of(store, NEW, OLD)
    newer.rotate()
    swapped = newer.swap(made, credentials={"token": "2"})

    assert vault_of(store, NEW).get("close", "user-1") == swapped
    assert (reveal(swapped.credentials), dict(swapped.metadata)) == ({"token": "2"}, {"plan": "pro"})


def test_swap_loses_to_a_change_of_what_it_changes(remembered):
    made = remembered.register("close", "user-1", {}, None, {"n": 1})
    remembered.replace(made, metadata={"n": 2})

    assert remembered.swap(made, metadata={"n": 2}) is None


def test_views_need_no_key(store):
    made = [vault_of(store).register("close", f"user-{number}", {"password": "x"}).view() for number in range(3)]
    keyless = Vault(store, KeyRing(lambda: pytest.fail("no key is needed")), SimpleNamespace(now=lambda: 0.0))

    assert list(keyless.views()) == sorted(made, key=lambda view: view.id)
    assert [view.user_id for view in keyless.views("close", "user-2")] == ["user-2"]
    assert keyless.delete("close", "user-2")


def test_a_sealed_text_moved_to_another_row_does_not_open(vault):
    vault.register("close", "victim", {"password": "x"})
    vault.register("close", "thief", {"password": "y"})
    row = vault.store.get("close", "thief")
    vault.store.compare_and_swap(
        replace(row, sealed=vault.store.get("close", "victim").sealed), expected_version=row.version
    )

    with pytest.raises(DecryptionError, match=f"connection {row.id} .*user 'thief'.*moved here from another row"):
        vault.get("close", "thief")


def test_a_damaged_row_is_named_and_the_others_open(vault):
    vault.register("close", "user-1", {"password": "x"})
    vault.register("close", "user-2", {"password": "y"})
    row = vault.store.get("close", "user-1")
    vault.store.compare_and_swap(replace(row, sealed=row.sealed[:-4]), expected_version=1)

    with pytest.raises(DecryptionError, match=r"user 'user-1'.*is damaged"):
        vault.get("close", "user-1")
    assert vault.get("close", "user-2") is not None


def test_rotate_encrypts_every_row_anew(store):
    made = [vault_of(store).register("close", f"user-{number}", {"password": str(number)}) for number in range(5)]
    newer = vault_of(store, NEW, OLD)
    newer.register("close", "user-new", {"password": "new"})
    seen = []
    counts = newer.rotate(seen.append)

    assert (counts.rotated, counts.current, counts.deleted, counts.failed) == (5, 1, 0, 0)
    assert len(seen) == 6
    assert {sealed_with(row.sealed) for row in store.iterate()} == {key_id(NEW)}
    assert [vault_of(store, NEW).get("close", one.user_id).credentials for one in made] == [
        one.credentials for one in made
    ]


def test_rotate_again_has_nothing_to_do(store):
    vault_of(store).register("close", "user-1", {"password": "x"})
    vault_of(store, NEW, OLD).rotate()
    before = list(store.iterate())

    assert vault_of(store, NEW, OLD).rotate().current == 1
    assert list(store.iterate()) == before


def test_rotate_names_rows_that_cannot_be_opened_and_goes_on(store):
    vault = vault_of(store)
    damaged, lost, whole = (vault.register("close", f"user-{number}", {"password": "x"}) for number in range(3))
    row = store.get("close", "user-0")
    store.compare_and_swap(replace(row, sealed=row.sealed[:-4]), expected_version=1)
    foreign = KeyRing(lambda: (b"f" * 32,)).seal(b"{}", aad=f"connection:{lost.id}")
    store.compare_and_swap(replace(store.get("close", "user-1"), sealed=foreign), expected_version=1)
    counts = vault_of(store, NEW, OLD).rotate()

    assert (counts.rotated, counts.failed, set(counts.failed_ids)) == (1, 2, {damaged.id, lost.id})
    assert vault_of(store, NEW).get("close", "user-2").credentials == whole.credentials


def test_two_rotations_do_not_run_at_once(vault):
    vault.store.acquire_lease(LEASE, "another process", 60)

    with pytest.raises(StoreError, match="another rotation of keys is going on"):
        vault.rotate()


def test_a_rotation_that_lost_its_lease_stops(remembered):
    for number in range(20):
        remembered.register("close", f"user-{number}", {})

    def lose(_counts):
        remembered.store._leases[LEASE] = ("another process", 1e12)

    with pytest.raises(StoreError, match="lost its lease"):
        remembered.rotate(lose)
    assert remembered.store._leases[LEASE] == ("another process", 1e12)


def test_a_stopped_rotation_can_be_started_again(store):
    for number in range(4):
        vault_of(store).register("close", f"user-{number}", {"password": "x"})

    def stop(counts):
        if counts.rotated == 2:
            raise KeyboardInterrupt

    newer = vault_of(store, NEW, OLD)
    with pytest.raises(KeyboardInterrupt):
        newer.rotate(stop)

    assert (newer.rotate().rotated, newer.rotate().current) == (2, 4)


def test_a_change_during_rotation_is_kept():
    store = MemoryStore()
    made = vault_of(store).register("close", "user-1", {"token": "1"})
    newer = vault_of(store, NEW, OLD)
    walk = store.iterate

    def renew_first(**filters):
        for row in walk(**filters):
            vault_of(store).swap(made, credentials={"token": "2"})
            yield row

    store.iterate = renew_first

    assert newer.rotate().rotated == 1
    assert vault_of(store, NEW).get("close", "user-1").credentials["token"] == Secret("2")


def test_an_attempt_comes_back_once(vault):
    expires_at = vault.put_attempt("state", {"verifier": "s3cret", "scopes": ["a"]}, seconds=600)

    assert expires_at == 1600.0
    assert reveal(vault.take_attempt("state")) == {"verifier": "s3cret", "scopes": ["a"]}
    assert vault.take_attempt("state") is None


def test_an_attempt_expires_by_the_clock():
    times = iter([1000.0, 1600.0])
    vault = vault_of(MemoryStore(), now=lambda: next(times))
    vault.put_attempt("state", {}, seconds=600)

    assert vault.take_attempt("state") is None


def test_an_attempt_can_be_no_connection_and_no_other_attempt(remembered):
    store = remembered.store
    remembered.put_attempt("mine", {"password": "x"}, seconds=600)
    [(key, (sealed, expires_at))] = store._attempts.items()
    made = remembered.register("close", "user-1", {})
    store.compare_and_swap(replace(store.get("close", "user-1"), sealed=sealed), expected_version=1)
    remembered.put_attempt("theirs", {}, seconds=600)
    [other] = store._attempts.keys() - {key}
    store._attempts[other] = (sealed, expires_at)

    with pytest.raises(DecryptionError, match=made.id):
        remembered.get("close", "user-1")
    with pytest.raises(DecryptionError):
        remembered.take_attempt("theirs")


def test_states_and_attempts_are_not_stored_in_plain(remembered):
    remembered.put_attempt("the-state", {"verifier": "s3cret"}, seconds=600)

    assert "the-state" not in repr(remembered.store._attempts)
    assert "s3cret" not in repr(remembered.store._attempts)


@pytest.mark.parametrize("state", ["", "\ud800", "\0", "x" * 10_000])
def test_any_state_that_a_callback_brings_is_merely_unknown(vault, state):
    assert vault.take_attempt(state) is None
