"""Attempts whose grant cannot be stored at once, that are given up half-way, or that the wrong people finish."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.auth.grant import Obtained
from nango_py.connections.sqlite import SqliteStore
from nango_py.errors import AccessDenied, CallbackError, StoreError
from nango_py.oauth.attempt import Attempt
from nango_py.oauth.late import LateGrants
from nango_py.testing import ManualClock
from tests.connections.faulty import BASE, FIRST_ACCESS, assert_silent, chain, granted, opened
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nango_py import AuthorizationRequest
    from tests.connections.faulty import Account

CALLBACK = "https://app.example.com/callback"
TRIES = 4
DEVICE = {"device_authorization_url": "https://login.example.com/device"}
OAUTH1 = {
    "auth_mode": "OAUTH1",
    "request_url": "https://login.example.com/request",
    "authorization_url": f"{BASE}/authorize",
    "token_url": "https://login.example.com/token",
}


class Disk(SqliteStore):
    """A store that refuses as many writes of connections as *failures* says, and takes attempts when it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures = 0
        self.meanwhile: list[Callable[[], object]] = []
        self.is_taken, self.go = threading.Event(), threading.Event()
        self.go.set()

    def put(self, row: Any) -> None:
        self._refuse()
        super().put(row)

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        self._refuse()
        return super().compare_and_swap(row, expected_version=expected_version)

    def take_attempt(self, state: str, *, now: float | None = None) -> str | None:
        taken = super().take_attempt(state, now=now)
        self.is_taken.set()
        assert self.go.wait(60)
        return taken

    def _refuse(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop()()
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full.")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "connections.db")


def begin(account: Account, user_id: str = "ben") -> AuthorizationRequest:
    begun: AuthorizationRequest = account.nango.call("oauth.begin", "it", user_id, redirect_uri=CALLBACK)
    return begun


def finish(account: Account, begun: AuthorizationRequest, **changes: Any) -> Any:
    callback = f"{CALLBACK}?code=c0de&state={begun.state}"
    return account.nango.call("oauth.finish", callback, **{"binding": begun.binding, **changes})


def fail_to_finish(account: Account, disk: Disk, begun: AuthorizationRequest) -> None:
    disk.failures = TRIES
    with pytest.raises(StoreError, match=r"disk is full.*finish once more"):
        finish(account, begun)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("user_id", ["ben", "ann"], ids=["new", "connected anew"])
def test_a_grant_that_could_not_be_stored_is_stored_when_it_is_finished_again(
    user_id: str, backend: str, disk: Disk
) -> None:
    with opened(granted(1), store=disk, backend=backend) as account:
        begun = begin(account, user_id)
        fail_to_finish(account, disk, begun)
        made = finish(account, begun)

        stored = account.nango.call("get_connection", "it", user_id)
        assert "refresh-1" == made.credentials["refresh_token"].reveal()
        assert (made, 1) == (stored, len(account.provider.asked))
        with pytest.raises(CallbackError, match="used up"):
            finish(account, begun)


@pytest.mark.parametrize("failures", [1, 3])
def test_a_store_that_fails_for_a_moment_delays_a_sign_in_only(failures: int, disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        begun = begin(account)
        disk.failures = failures

        assert "active" == finish(account, begun).status
        assert failures == len(account.clock.slept)


def test_a_grant_that_waits_to_be_stored_can_wait_longer(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        begun = begin(account)
        for _ in range(3):
            fail_to_finish(account, disk, begun)

        assert "active" == finish(account, begun).status
        assert 1 == len(account.provider.asked)


def test_a_device_whose_grant_could_not_be_stored_is_finished_again(disk: Disk) -> None:
    code = {"user_code": "AB-CD", "verification_uri": "https://v.example.com", "device_code": "d", "expires_in": 60}
    with opened(httpx.Response(200, json=code), granted(1), store=disk, auth=DEVICE) as account:
        device = account.nango.call("oauth.begin_device", "it", "ben")
        disk.failures = TRIES
        with pytest.raises(StoreError, match="finish once more"):
            account.nango.call("oauth.finish_device", device)
        account.clock.advance(60)  # the code is over, and was entered before

        made = account.nango.call("oauth.finish_device", device)
        assert ("refresh-1", 2) == (made.credentials["refresh_token"].reveal(), len(account.provider.asked))


def test_an_oauth_1_token_that_could_not_be_stored_is_stored_when_it_is_finished_again(disk: Disk) -> None:
    pytest.importorskip("oauthlib", reason="OAUTH1 needs the extra oauth1")
    temporary = httpx.Response(200, text="oauth_token=t1&oauth_token_secret=s1&oauth_callback_confirmed=true")
    token = httpx.Response(200, text="oauth_token=t2&oauth_token_secret=s2")
    names = ("access_token", "refresh_token", "expires_in")
    theirs = {**dict.fromkeys(names), "oauth_token": "t0", "oauth_token_secret": "s0"}
    with opened(temporary, token, store=disk, auth=OAUTH1, credentials=theirs) as account:
        begun = begin(account)
        callback = f"{CALLBACK}?oauth_token={begun.state}&oauth_verifier=v"
        disk.failures = TRIES
        with pytest.raises(StoreError, match="finish once more"):
            account.nango.call("oauth.finish", callback, binding=begun.binding)

        made = account.nango.call("oauth.finish", callback, binding=begun.binding)
        assert ("t2", 2) == (made.credentials["oauth_token"].reveal(), len(account.provider.asked))


def test_a_grant_that_waits_is_shown_nowhere(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(granted(1, access_token=FIRST_ACCESS), store=disk) as account:
        begun = begin(account)
        disk.failures = TRIES
        with pytest.raises(StoreError) as caught:
            finish(account, begun)
        core = account.nango._nango._core  # type: ignore[attr-defined]
        kept = core.accounts.late_grants

        assert 1 == len(kept._kept)
        assert_silent(caplog.text + chain(caught.value) + repr((core, core.accounts, kept, kept._kept)))


def test_grants_that_nobody_asks_for_are_forgotten() -> None:
    clock = ManualClock()
    kept, attempt = LateGrants(clock), Attempt(integration="it", user_id="ann")
    kept.keep("old", attempt, Obtained(credentials={}))
    clock.advance(599)
    before = kept.attempt("old")
    clock.advance(1)

    assert (attempt, None, None) == (before, kept.attempt("old"), kept.take("old"))
    for number in range(1001):
        kept.keep(str(number), attempt, Obtained(credentials={}))
    assert (None, attempt, attempt) == (kept.attempt("0"), kept.attempt("1"), kept.attempt("1000"))


# The wrong people


WRONG: tuple[tuple[dict[str, str], str], ...] = (
    ({"binding": "of another browser"}, "another browser"),
    ({"user_id": "mallory"}, "another user"),
)


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=["browser", "user"])
@pytest.mark.parametrize("is_late", [False, True])
def test_the_wrong_browser_or_user_does_not_use_up_the_attempt(
    is_late: bool, wrong: dict[str, str], said: str, disk: Disk
) -> None:
    with opened(granted(1), store=disk) as account:
        begun = begin(account)
        if is_late:
            fail_to_finish(account, disk, begun)
        for _ in range(2):
            with pytest.raises(CallbackError, match=said):
                finish(account, begun, **wrong)

        assert "active" == finish(account, begun, user_id="ben").status


def test_a_refusal_uses_up_the_attempt(disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        begun = begin(account)
        with pytest.raises(AccessDenied):
            account.nango.call("oauth.finish", f"?error=access_denied&state={begun.state}", binding=begun.binding)
        with pytest.raises(CallbackError, match="used up"):
            finish(account, begun)

        assert [] == account.provider.asked


def test_two_who_finish_at_once_make_one_exchange(disk: Disk) -> None:
    ready = threading.Barrier(4)
    with opened(granted(1), store=disk) as account:
        begun = begin(account)

        def go(_: int) -> str:
            ready.wait(60)
            try:
                return str(finish(account, begun).status)
            except CallbackError:
                return "used up"

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(go, range(4)))

        assert ["active", *["used up"] * 3] == sorted(outcomes)
        assert 1 == len(account.provider.asked)


@pytest.mark.parametrize("user_id", ["ann", "ben"], ids=["deleted", "registered"])
def test_a_connection_that_somebody_makes_or_deletes_meanwhile_costs_no_grant(user_id: str, disk: Disk) -> None:
    with opened(granted(1), store=disk) as account:
        begun = begin(account, user_id)
        vault = account.nango._nango._core.accounts.manager.vault  # type: ignore[attr-defined]
        disk.meanwhile = [
            partial(disk.delete, "it", "ann")
            if user_id == "ann"
            else partial(vault.register, "it", "ben", {"access_token": "of somebody"})
        ]
        made = finish(account, begun)

        assert "refresh-1" == made.credentials["refresh_token"].reveal()
        assert made == account.nango.call("get_connection", "it", user_id)


# Who gives up


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_finish_that_is_cancelled_when_the_attempt_is_used_up_goes_on(backend: str, disk: Disk) -> None:
    with opened(granted(1), store=disk, backend=backend) as account:
        nango, portal = account.nango._nango, account.nango._portal  # type: ignore[attr-defined]
        begun = begin(account)
        disk.go.clear()

        async def finished() -> None:
            await nango.oauth.finish(f"?code=c0de&state={begun.state}", binding=begun.binding)

        waiting = portal.start_task_soon(finished)
        assert disk.is_taken.wait(60)
        waiting.cancel()
        with pytest.raises(CancelledError):
            waiting.result(60)
        disk.go.set()
        nango._core.accounts.manager.renewals.close()

        made = account.nango.call("get_connection", "it", "ben")
        assert ("refresh-1", 1) == (made.credentials["refresh_token"].reveal(), len(account.provider.asked))
