"""What was written or deleted while somebody read an older state of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py import Nango, UnknownConnection
from nango_py.connections.memory import MemoryStore

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
    nango._core.accounts.manager.forget("acme", "ann")
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
