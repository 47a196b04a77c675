"""Roundup: headers against forgery, the next page in the body, and a limiter that refuses with ``Retry-After: 0``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nango_py.errors import AuthenticationError, ForeignOriginError, InputError, RateLimitedError, ResponseError
from tests.servers.faces import BACKENDS, face
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face
    from tests.servers.roundup import Roundup

pytestmark = pytest.mark.server


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def login(backend: str, roundup: Roundup) -> str:
    """The calls are counted by user: a user each, and no backend spends another's."""
    return roundup.logins[BACKENDS.index(backend)]


@pytest.fixture
def impatient_login(backend: str, roundup: Roundup) -> str:
    """Who tries once only needs calls of its own."""
    return roundup.logins[BACKENDS.index(backend) + len(BACKENDS)]


@pytest.fixture
def learning_login(backend: str, roundup: Roundup) -> str:
    """Who learns from headers may not meet what others have used up."""
    return roundup.logins[BACKENDS.index(backend) + 3 * len(BACKENDS)]


@pytest.fixture
def nango(backend: str, login: str, impatient_login: str, learning_login: str, roundup: Roundup) -> Iterator[Face]:
    with face(backend, ROUNDUP_URL=roundup.url) as nango:
        for integration, user_id, username, password in (
            ("roundup", "user-1", login, roundup.password),
            ("roundup", "stranger", login, "wrong"),
            ("roundup-impatient", "user-1", impatient_login, roundup.password),
            ("roundup-learning", "user-1", learning_login, roundup.password),
        ):
            nango.call("register_connection", integration, user_id, {"username": username, "password": password})
        yield nango


def use_up(roundup: Roundup, login: str) -> str | None:
    """Call until the server refuses; return the wait that it states."""
    with browse(f"{roundup.url}/t/rest/data", auth=(login, roundup.password)) as client:
        for _ in range(4 * roundup.calls):
            answer = client.get("/status/1")
            if answer.status_code == 429:
                return answer.headers["Retry-After"]
    return None


def test_right_login_passes_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "roundup", "user-1")

    assert (True, 200) == (result.ok, result.status)


def test_wrong_password_fails_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "roundup", "stranger")

    assert (False, 401) == (result.ok, result.status)


def test_wrong_password_is_an_authentication_error(nango: Face) -> None:
    with pytest.raises(AuthenticationError):
        nango.call("trigger_action", "roundup", "list-issues", "stranger")


def test_walk_follows_the_link_in_the_body(nango: Face, roundup: Roundup) -> None:
    asked = {"@sort": "id", "@fields": "title"}
    pages = nango.collect("pages", "roundup", "user-1", "issue", params=asked, pagination={"limit": 3})

    assert list(roundup.titles) == [issue["title"] for page in pages for issue in page.items][:7]
    assert [3, 3] == [len(page.items) for page in pages[:2]]


def test_headers_against_forgery_let_a_write_pass(nango: Face) -> None:
    created = nango.call("trigger_action", "roundup", "create-issue", "user-1", {"title": "Größer & mehr"})
    read = nango.call("trigger_action", "roundup", "get-issue", "user-1", created)

    assert {"id": created["id"], "title": "Größer & mehr"} == read


def test_client_sends_the_declared_headers(nango: Face) -> None:
    answer = nango.send("roundup", "user-1", "POST", "issue", json={"title": "By the client"})

    assert 201 == answer.status_code
    # What came from the environment may be a secret: it is added below the client.
    assert ("rest", None) == (answer.request.headers["X-Requested-With"], answer.request.headers.get("Origin"))


def test_write_without_the_headers_is_refused(nango: Face) -> None:
    with pytest.raises(ResponseError, match="400"):
        nango.call("trigger_action", "roundup-impatient", "create-issue", "user-1", {"title": "Forged"})


def test_link_to_another_origin_is_not_followed(backend: str, roundup: Roundup, impatient_login: str) -> None:
    by_name = roundup.url.replace("127.0.0.1", "localhost")  # the tracker itself links to its number
    with face(backend, ROUNDUP_URL=by_name) as nango:
        credentials = {"username": impatient_login, "password": roundup.password}
        nango.call("register_connection", "roundup-impatient", "user-1", credentials)
        with pytest.raises(ForeignOriginError, match="allowed_origins"):
            nango.call("trigger_action", "roundup-impatient", "list-issues", "user-1", {"page_size": 3})


def test_id_against_the_pattern_is_not_sent(nango: Face) -> None:
    with pytest.raises(InputError, match="id"):
        nango.call("trigger_action", "roundup", "get-issue", "user-1", {"id": "1/../2"})


def test_refused_request_is_sent_again(nango: Face, roundup: Roundup, login: str) -> None:
    assert "0" == use_up(roundup, login)

    answer = nango.send("roundup", "user-1", "GET", "status/2")

    assert (200, "2") == (answer.status_code, answer.json()["data"]["id"])


def test_refused_write_is_sent_again_once_it_was_refused(nango: Face, roundup: Roundup, login: str) -> None:
    assert "0" == use_up(roundup, login)

    created = nango.call("trigger_action", "roundup", "create-issue", "user-1", {"title": "After the wait"})

    assert created["id"].isdigit()


def test_walk_outlasts_the_limit(nango: Face, roundup: Roundup, login: str) -> None:
    assert "0" == use_up(roundup, login)

    issues = nango.call("trigger_action", "roundup", "list-issues", "user-1", {"page_size": 3, "limit": 7})

    assert list(roundup.titles) == [issue["title"] for issue in issues]


def list_on_and_on(nango: Face, integration: str, times: int) -> None:
    for _ in range(times):
        nango.call("trigger_action", integration, "list-issues", "user-1")


def test_headers_teach_the_limit_before_anything_is_refused(nango: Face, roundup: Roundup) -> None:
    list_on_and_on(nango, "roundup-learning", 2 * roundup.calls)


def test_one_attempt_that_learns_nothing_meets_the_limit(nango: Face, roundup: Roundup) -> None:
    with pytest.raises(RateLimitedError) as caught:
        list_on_and_on(nango, "roundup-impatient", 4 * roundup.calls)

    assert 1 == len(caught.value.attempts)
    assert 0 == caught.value.retry_after
