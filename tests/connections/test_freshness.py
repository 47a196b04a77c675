"""When a token counts as expired, and what becomes of one that is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from nango_py.errors import (
    ReauthRequired,
    ResponseError,
)
from nango_py.exchange.conversation import RENEWAL_ERROR
from tests.connections.faulty import (
    FIRST_ACCESS,
    FIRST_REFRESH,
    LIFETIME,
    Provider,
    granted,
    opened,
)
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.testing import ManualClock

# Freshness


@pytest.mark.parametrize(
    ("lifetime", "declared", "leeway"),
    [
        (3600, None, 300),
        (1_000_000, None, 300),
        (100, None, 10),
        (2, None, 0.2),
        (3600, 60, 60),
        (3600, 0, 0),
        (3600, 900, 360),
    ],
)
def test_a_token_counts_as_expired_a_leeway_before_its_end(
    lifetime: int, declared: int | None, leeway: float
) -> None:
    buffer = {} if declared is None else {"token_expiration_buffer": declared}
    with opened(granted(1), auth=buffer, credentials={"expires_in": lifetime}) as account:
        account.clock.advance(lifetime - leeway - 0.1)
        account.get()
        account.clock.advance(0.1)
        account.get()

        assert [FIRST_ACCESS, "access-1"] == account.provider.seen


def test_a_token_of_half_an_hour_more_is_fresh() -> None:
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME - 1800)
        account.get()

        assert ([FIRST_ACCESS], []) == (account.provider.seen, account.provider.asked)


def test_a_token_without_an_end_is_renewed_on_401_only() -> None:
    with opened(granted(1, expires_in=None), credentials={"expires_in": None}) as account:
        account.clock.advance(1e9)
        account.get()
        account.provider.dead = {FIRST_ACCESS}
        answer = account.get()

        assert 200 == answer.status_code
        assert [FIRST_ACCESS, FIRST_ACCESS, "access-1"] == account.provider.seen
        assert 1 == len(account.provider.asked)


def test_a_lifetime_can_be_declared_where_none_is_stated() -> None:
    auth = {"default_token_lifetime": 1000}
    with opened(granted(1, expires_in=None), granted(2), auth=auth, credentials={"expires_in": None}) as account:
        account.clock.advance(901)
        account.get()
        account.clock.advance(901)
        account.get()

        assert ["access-1", "access-2"] == account.provider.seen


def test_an_expired_token_without_a_refresh_token_is_never_sent() -> None:
    with opened(granted(1), credentials={"refresh_token": None}) as account:
        account.clock.advance(LIFETIME - 1)
        account.get()
        account.clock.advance(1)
        with pytest.raises(ReauthRequired, match="expired and cannot be renewed"):
            account.get()

        assert ([FIRST_ACCESS], []) == (account.provider.seen, account.provider.asked)


def test_the_old_refresh_token_stays_when_none_comes() -> None:
    with opened(granted(1, refresh_token=None), granted(2)) as account:
        account.clock.advance(LIFETIME)
        account.get()
        kept = account.held("refresh_token")
        account.clock.advance(LIFETIME)
        account.get()

        assert FIRST_REFRESH == kept
        assert [FIRST_REFRESH, FIRST_REFRESH] == [form["refresh_token"] for form in account.provider.asked]


@pytest.mark.parametrize("skew", [-600, -120, 120, 600])
def test_a_skewed_clock_does_not_matter_to_a_lifetime(skew: float) -> None:
    with opened(granted(1)) as account:
        account.clock.advance(LIFETIME + skew + 600)
        account.get()
        account.clock.advance(LIFETIME - 301)
        account.get()

        assert 1 == len(account.provider.asked)


def test_a_clock_that_is_behind_finds_a_dead_token_by_its_refusal() -> None:
    with opened(granted(2)) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(LIFETIME - 600)  # the provider's clock is ten minutes ahead

        assert 200 == account.get().status_code
        assert [FIRST_ACCESS, "access-2"] == account.provider.seen


def test_a_clock_that_is_ahead_of_a_stated_moment_still_gets_answers() -> None:
    def issued(_request: httpx.Request) -> httpx.Response:
        there = account.clock.now() - 300
        return granted(len(account.provider.asked), expires_in=None, expires_at=there + 120)

    with opened(issued, credentials={"expires_in": 1}) as account:
        account.clock.advance(2)
        statuses = [account.get().status_code for _ in range(2)]

        assert [200, 200] == statuses
        assert f"access-{len(account.provider.asked)}" == account.provider.seen[-1]


# Refused tokens


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_renewal_on_401_that_fails_leaves_the_answer(backend: str) -> None:
    with opened(httpx.Response(503), backend=backend) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.get()

        assert (401, 1) == (answer.status_code, len(account.provider.seen))
        assert isinstance(answer.extensions[RENEWAL_ERROR], ResponseError)


def test_a_second_401_is_the_answer() -> None:
    with opened(granted(1)) as account:
        account.provider.dead = {FIRST_ACCESS, "access-1"}
        account.clock.advance(11)
        statuses = [account.get().status_code for _ in range(2)]

        assert [401, 401] == statuses
        assert 1 == len(account.provider.asked)
        assert [FIRST_ACCESS, "access-1", "access-1"] == account.provider.seen


class Late(Provider):
    """An API that takes twenty seconds to refuse."""

    clock: ManualClock

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/x":
            self.clock.advance(20)
        return super().__call__(request)


def test_one_request_renews_once_however_long_it_takes() -> None:
    provider = Late(answers=[granted(1), granted(2)], dead={FIRST_ACCESS, "access-1", "access-2"})
    with opened(transport=httpx.MockTransport(provider)) as account:
        provider.clock = account.clock

        assert 401 == account.get().status_code
        assert ([FIRST_ACCESS, "access-1"], 1) == (provider.seen, len(provider.asked))


def test_a_declared_sign_of_a_dead_token_is_a_refusal() -> None:
    auth = {"dead_token": {"path": "error", "values": ["token_expired"]}}
    with opened(granted(1), auth=auth) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.provider.sign = httpx.Response(200, json={"ok": False, "error": "token_expired"})
        account.clock.advance(11)

        assert {} == account.get().json()
        assert [FIRST_ACCESS, "access-1"] == account.provider.seen


def test_another_error_is_no_sign_of_a_dead_token() -> None:
    auth = {"dead_token": {"path": "error", "values": ["token_expired"]}}
    with opened(granted(1), auth=auth) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.provider.sign = httpx.Response(200, json={"ok": False, "error": "not_found"})
        account.clock.advance(11)

        assert "not_found" == account.get().json()["error"]
        assert [] == account.provider.asked


class Leaving(Provider):
    """An API that refuses a token whose connection its user takes away meanwhile."""

    leave: Callable[[], None]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/x" and not self.seen:
            self.leave()
        return super().__call__(request)


def test_a_refusal_of_a_connection_that_is_deleted_meanwhile_is_the_answer() -> None:
    provider = Leaving(answers=[granted(1)], dead={FIRST_ACCESS})
    with opened(transport=httpx.MockTransport(provider)) as account:
        provider.leave = lambda: account.nango.call("delete_connection", "it", "ann")
        account.clock.advance(11)

        assert 401 == account.get().status_code
        assert [] == provider.asked


def test_newer_credentials_are_tried_without_a_renewal() -> None:
    provider = Leaving(answers=[granted(1)], dead={FIRST_ACCESS})
    theirs = {"access_token": "theirs", "expires_in": LIFETIME}
    with opened(transport=httpx.MockTransport(provider)) as account:
        provider.leave = lambda: account.nango.call("update_connection_credentials", "it", "ann", theirs)
        account.clock.advance(11)

        assert 200 == account.get().status_code
        assert ([FIRST_ACCESS, "theirs"], []) == (provider.seen, provider.asked)


def test_a_refused_stream_is_not_sent_twice() -> None:
    with opened(granted(1)) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.nango.send("it", "ann", "POST", "/x", content=iter([b"once"]))

        assert (401, [FIRST_ACCESS]) == (answer.status_code, account.provider.seen)


def test_a_refused_body_is_sent_again() -> None:
    with opened(granted(1)) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.nango.send("it", "ann", "POST", "/x", json={"a": 1})

        assert (200, [FIRST_ACCESS, "access-1"]) == (answer.status_code, account.provider.seen)


def test_many_refusals_at_once_are_one_renewal() -> None:
    ready = threading.Barrier(16)
    with opened(granted(1)) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        statuses: list[int] = []

        def ask() -> None:
            ready.wait(10)
            statuses.append(account.get().status_code)

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [200] * 16 == statuses
        assert 1 == len(account.provider.asked)
