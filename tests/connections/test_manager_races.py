"""What was written or deleted while somebody read an older state of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py import Nango, UnknownConnection
from nango_py.connections.connection import conceal
from nango_py.connections.memory import MemoryStore
from tests.connections.faulty import LIFETIME, granted, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = {
    "integrations": {"acme": {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": "https://api.acme.test/"}}}
}


class SlowStore(MemoryStore):
    """A store whose next answer to a read takes until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_slow = False
        self.asked, self.go_on = threading.Event(), threading.Event()

    def get(self, integration: str, user_id: str) -> Any:
        row = super().get(integration, user_id)
        if self.is_slow:
            self.is_slow = False
            self.asked.set()
            assert self.go_on.wait(60)
        return row


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def nango(seen: list[str]) -> Iterator[Nango]:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={})

    with Nango.load(SOURCE, store=SlowStore(), transport=httpx.MockTransport(answer), environ={}) as nango:
        yield nango


def ask(nango: Nango) -> None:
    with nango.client("acme", "ann") as client:
        client.get("thing")


def while_it_is_read(nango: Nango, change: Callable[[], object]) -> None:
    """Change the connection after its row was read for a request, and before the reader has it."""
    store: Any = nango._core.accounts.manager.vault.store
    nango._core.accounts.manager._known.clear()
    store.is_slow = True

    def read() -> None:
        with suppress(UnknownConnection):  # a client looks twice, and may see the change
            ask(nango)

    reader = threading.Thread(target=read)
    reader.start()
    assert store.asked.wait(60)
    change()
    store.go_on.set()
    reader.join()


def test_credentials_that_were_updated_meanwhile_sign_the_next_request(nango: Nango, seen: list[str]) -> None:
    nango.register_connection("acme", "ann", {"api_key": "old-key"})
    while_it_is_read(nango, lambda: nango.update_connection_credentials("acme", "ann", {"api_key": "new-key"}))
    ask(nango)

    assert "Bearer new-key" == seen[-1]


def test_a_connection_that_was_deleted_meanwhile_sends_nothing_more(nango: Nango, seen: list[str]) -> None:
    nango.register_connection("acme", "ann", {"api_key": "old-key"})
    while_it_is_read(nango, lambda: nango.delete_connection("acme", "ann"))
    sent = len(seen)
    with pytest.raises(UnknownConnection):
        ask(nango)

    assert sent == len(seen)


def test_a_connection_that_was_replaced_meanwhile_is_the_new_one(nango: Nango, seen: list[str]) -> None:
    def replace() -> None:
        nango.delete_connection("acme", "ann")
        nango.register_connection("acme", "ann", {"api_key": "new-key"})

    nango.register_connection("acme", "ann", {"api_key": "old-key"})
    while_it_is_read(nango, replace)
    ask(nango)

    assert "Bearer new-key" == seen[-1]


class Afterwards(MemoryStore):
    """A store that does something else right after a renewal was written, before anybody hears of that."""

    def __init__(self) -> None:
        super().__init__()
        self.afterwards: list[Callable[[], object]] = []

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        is_swapped = super().compare_and_swap(row, expected_version=expected_version)
        while self.afterwards:
            self.afterwards.pop()()
        return is_swapped


def test_a_connection_that_was_deleted_while_it_was_renewed_sends_nothing_more() -> None:
    store = Afterwards()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.afterwards.append(lambda: in_thread(lambda: account.nango.call("delete_connection", "it", "ann")))
        with suppress(UnknownConnection):  # the request that was under way already
            account.get()
        with pytest.raises(UnknownConnection):
            account.get()


def test_a_connection_that_was_replaced_while_it_was_renewed_is_the_new_one() -> None:
    def replace() -> None:
        account.nango.call("delete_connection", "it", "ann")
        account.register(access_token="theirs")

    store = Afterwards()
    with opened(granted(1), store=store) as account:
        account.clock.advance(LIFETIME)
        store.afterwards.append(lambda: in_thread(replace))
        with suppress(UnknownConnection):
            account.get()
        account.get()

        assert "theirs" == account.provider.seen[-1]


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_the_newer_of_two_reads_that_began_together_is_kept(nango: Nango, seen: list[str]) -> None:
    def change_elsewhere() -> None:
        """Write as another process does, and read it while the slow reader holds what was there before."""
        vault = nango._core.accounts.manager.vault
        vault.replace(old, credentials=conceal({"api_key": "new-key"}))

    nango.register_connection("acme", "ann", {"api_key": "old-key"})
    manager = nango._core.accounts.manager
    old = manager.vault.get("acme", "ann")
    assert old is not None
    manager._known.clear()
    since = manager._remembered(("acme", "ann"))
    change_elsewhere()
    new = manager.vault.get("acme", "ann")
    assert new is not None
    for read in (old, new):
        manager._learn(read, since=since)
    ask(nango)

    assert "Bearer new-key" == seen[-1]


def test_what_a_renewal_brought_between_the_look_and_the_deletion_is_revoked() -> None:
    store = SlowStore()
    revokes = {"revocation_url": "https://login.example.com/revoke"}
    with opened(granted(1), auth=revokes, store=store) as account:
        account.get()
        account.clock.advance(LIFETIME)
        store.is_slow = True
        deleting = threading.Thread(target=account.nango.call, args=("delete_connection", "it", "ann"))
        deleting.start()
        assert store.asked.wait(60)
        account.get()
        store.go_on.set()
        deleting.join()

        assert "refresh-1" == account.provider.asked[-1]["token"]
