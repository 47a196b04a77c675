from __future__ import annotations

import threading

from nango_py.exchange.pool.books import Books, Line


class Connection:
    def __init__(self, *, available=True):
        self.available = available

    def is_available(self):
        return self.available


def line(*, available=True, keepalive=10.0):
    return Line(Connection(available=available), None, keepalive)


def books(**options):
    return Books(event=threading.Event, **options)


def opened(book, key="a", limit=2, **options):
    slot = book.enter(key, limit)
    made = line(**options)
    book.open(slot, made)
    return slot, made


def test_the_connection_that_came_in_last_goes_out_first():
    book = books()
    (first, _), (second, newest) = opened(book), opened(book)
    book.leave(first, 0)
    book.leave(second, 0)

    assert newest is book.enter("a", 2).line


def test_a_slot_under_the_limit_is_granted_without_a_connection():
    slot = books().enter("a", 1)

    assert (slot.granted, slot.line) == (True, None)


def test_waiters_are_served_in_their_order_and_get_the_connection_that_came_in():
    book = books()
    holder, made = opened(book, limit=1)
    first, second = book.enter("a", 1), book.enter("a", 1)
    book.leave(holder, 0)

    assert (True, True, made) == (first.granted, first.event.is_set(), first.line)
    assert (second.granted, second.event.is_set()) == (False, False)


def test_no_newcomer_overtakes_a_waiter():
    book = books()
    holder, _ = opened(book, limit=1)
    waiter = book.enter("a", 1)
    book.leave(holder, 0)

    assert (waiter.granted, book.enter("a", 1).granted) == (True, False)


def test_a_waiter_that_goes_away_leaves_no_hole():
    book = books()
    holder, _ = opened(book, limit=1)
    first, second = book.enter("a", 1), book.enter("a", 1)
    book.leave(first, 0)
    book.leave(holder, 0)

    assert (first.granted, second.granted) == (False, True)


def test_a_waiter_that_goes_away_after_it_was_served_passes_the_slot_on():
    book = books()
    holder, made = opened(book, limit=1)
    first, second = book.enter("a", 1), book.enter("a", 1)
    book.leave(holder, 0)
    book.leave(first, 0)

    assert (True, made) == (second.granted, second.line)


def test_a_broken_connection_has_to_be_closed_and_its_slot_is_free():
    book = books()
    slot, made = opened(book, limit=1, available=False)

    assert [made] == book.leave(slot, 0)
    assert book.enter("a", 1).granted


def test_leaving_twice_frees_the_slot_once():
    book = books()
    (first, _), (_, _) = opened(book), opened(book)
    book.leave(first, 0)
    book.leave(first, 0)

    assert [book.enter("a", 2).granted for _ in range(2)] == [True, False]


def test_a_stale_connection_is_exchanged_for_the_next_one():
    book = books()
    (first, older), (second, _) = opened(book), opened(book)
    book.leave(first, 0)
    book.leave(second, 0)
    slot = book.enter("a", 2)

    assert [older, None] == [book.exchange(slot), book.exchange(slot)]


def test_two_overdue_connections_are_closed_at_every_step():
    book = books()
    slots = [opened(book, key, keepalive=1)[0] for key in "abc"]
    for slot in slots:
        book.leave(slot, 0)
    steps = [book.leave(book.enter("other", 1), 1.0) for _ in range(3)]

    assert [len(closing) for closing in steps] == [2, 1, 0]


def test_the_longest_idle_connection_makes_room_whatever_its_origin():
    book = books(max_idle=1)
    (first, oldest), (second, _) = opened(book, "a"), opened(book, "b")

    assert [[], [oldest]] == [book.leave(first, 0), book.leave(second, 0)]


def test_origins_without_connections_are_forgotten():
    book = books(max_idle=1)
    for number in range(5):
        slot, _ = opened(book, number)
        book.leave(slot, 0)

    assert list(book._origins) == [4]


def test_dissolving_returns_idle_and_busy_connections_and_wakes_the_waiters_empty_handed():
    book = books()
    (busy, one), (idle, two) = opened(book, "a", 1), opened(book, "b", 1)
    book.leave(idle, 0)
    waiter = book.enter("a", 1)

    assert {one, two} == set(book.dissolve())
    assert (waiter.event.is_set(), waiter.granted) == (True, False)
    assert [one] == book.leave(busy, 0)
    assert (book._origins, book.leave(waiter, 0)) == ({}, [])
