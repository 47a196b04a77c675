from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nango_py.connections.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def opened() -> Iterator[tuple[Crew, threading.Event]]:
    """Give a crew, and what the work of a test waits for."""
    crew, go = Crew(), threading.Event()
    try:
        yield crew, go
    finally:
        go.set()
        crew.close()


def test_whoever_asks_meanwhile_gets_the_same_ticket() -> None:
    with opened() as (crew, go):
        first = crew.join("group", "key", lambda: go.wait(10))
        second = crew.join("group", "key", lambda: "another")
        go.set()

        assert first is second
        assert first.result(10)


def test_finished_work_is_begun_anew() -> None:
    with opened() as (crew, _go):
        assert 1 == crew.join("group", "key", lambda: 1).result(10)
        assert 2 == crew.join("group", "key", lambda: 2).result(10)


def test_other_keys_and_groups_do_not_wait() -> None:
    with opened() as (crew, go):
        blocked = [crew.join("slow", str(number), lambda: go.wait(10)) for number in range(40)]

        assert "done" == crew.join("quick", "key", lambda: "done").result(10)
        assert not any(ticket.done() for ticket in blocked)


def test_work_that_fails_fails_for_everybody_and_is_over() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with opened() as (crew, _go):
        with pytest.raises(ZeroDivisionError):
            crew.join("group", "key", fail).result(10)

        assert 1 == crew.join("group", "key", lambda: 1).result(10)


def test_closing_waits_for_what_is_going_on() -> None:
    with opened() as (crew, go):
        ticket = crew.join("group", "key", lambda: go.wait(10))
        closing = threading.Thread(target=crew.close)
        closing.start()
        still_open = closing.is_alive()
        go.set()
        closing.join(10)

        assert (True, True) == (still_open, ticket.done())
