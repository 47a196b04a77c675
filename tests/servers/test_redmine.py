"""Redmine: one account through three blueprint versions (key in a header, in the query, Basic), and offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from nango_py.errors import AuthenticationError, CredentialsError, ResponseError
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face
    from tests.servers.redmine import Redmine

pytestmark = pytest.mark.server

INTEGRATIONS = ("redmine-header", "redmine-query", "redmine-basic")
every_placement = pytest.mark.parametrize("integration", INTEGRATIONS)


@pytest.fixture(params=BACKENDS)
def nango(request: pytest.FixtureRequest, redmine: Redmine) -> Iterator[Face]:
    key, wrong_key = {"api_key": redmine.key}, {"api_key": "0" * 40}
    login = {"username": redmine.login, "password": redmine.password}
    wrong_login = {"username": redmine.login, "password": "not:the-password"}
    with face(request.param, REDMINE_URL=redmine.url) as nango:
        for integration, right, wrong in zip(
            INTEGRATIONS, (key, key, login), (wrong_key, wrong_key, wrong_login), strict=True
        ):
            nango.call("register_connection", integration, "user-1", right)
            nango.call("register_connection", integration, "stranger", wrong)
        yield nango


@every_placement
def test_check_names_the_account(nango: Face, integration: str, redmine: Redmine) -> None:
    result = nango.call("check_connection", integration, "user-1")

    assert (True, 200, redmine.login) == (result.ok, result.status, result.identity)


@every_placement
def test_wrong_credentials_fail_the_check(nango: Face, integration: str) -> None:
    result = nango.call("check_connection", integration, "stranger")

    assert (False, 401, None) == (result.ok, result.status, result.identity)


@every_placement
def test_offsets_walk_to_the_end(nango: Face, integration: str, redmine: Redmine) -> None:
    projects = nango.call("trigger_action", integration, "list-projects", "user-1", {"page_size": 3})

    assert list(redmine.projects) == [
        project["identifier"] for project in projects if project["identifier"] in redmine.projects
    ]


@every_placement
def test_refused_credentials_are_an_authentication_error(nango: Face, integration: str) -> None:
    with pytest.raises(AuthenticationError, match="401"):
        nango.call("trigger_action", integration, "create-project", "stranger", {"identifier": "x", "name": "x"})


@every_placement
def test_credentials_stay_below_the_client(nango: Face, integration: str, redmine: Redmine) -> None:
    answer = nango.send(integration, "user-1", "GET", "users/current.json")
    surface = (
        f"{answer.request.url} {answer.url} {answer.request.headers!r} {answer.request.headers.raw!r} {answer!r}"
    )

    assert redmine.login == answer.json()["user"]["login"]
    assert redmine.key not in surface
    assert "Authorization" not in answer.request.headers


def test_query_key_shows_in_no_exception(nango: Face) -> None:
    with pytest.raises(AuthenticationError) as caught:
        nango.call("trigger_action", "redmine-query", "create-project", "stranger", {"identifier": "x", "name": "x"})

    surface = f"{caught.value!s} {caught.value!r} {caught.value.attempts!r} {caught.value.response.url}"
    assert "0" * 40 not in surface


def test_query_key_shows_in_no_log(
    nango: Face, redmine: Redmine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("DEBUG"):
        nango.send("redmine-query", "user-1", "GET", "users/current.json")
        nango.call("trigger_action", "redmine-query", "list-projects", "user-1")

    written = capfd.readouterr()
    assert redmine.key not in caplog.text + written.out + written.err


def test_key_of_the_wrong_form_is_not_registered(nango: Face) -> None:
    with pytest.raises(CredentialsError, match="api_key") as caught:
        nango.call("register_connection", "redmine-header", "user-2", {"api_key": "short-and-wrong"})

    assert "short-and-wrong" not in str(caught.value)


def test_mode_of_a_later_version_replaces_the_credentials_of_the_first(nango: Face, redmine: Redmine) -> None:
    with pytest.raises(CredentialsError, match="username"):
        nango.call("register_connection", "redmine-basic", "user-2", {"api_key": redmine.key})


def test_pages_tell_where_they_stand(nango: Face, redmine: Redmine) -> None:
    rules = {"response_path": "projects", "limit": 3}
    pages = nango.collect("pages", "redmine-header", "user-1", "projects.json", pagination=rules, max_pages=2)

    assert [(1, 3), (2, 3)] == [(page.number, len(page.items)) for page in pages]
    assert list(redmine.projects[:6]) == [project["identifier"] for page in pages for project in page.items]


def test_project_is_created_renamed_and_read(nango: Face) -> None:
    identifier = f"made-{uuid4().hex[:12]}"
    made = {"identifier": identifier, "name": "First <name> & more", "is_public": False}
    created = nango.call("trigger_action", "redmine-header", "create-project", "user-1", made)
    renamed = nango.call(
        "trigger_action", "redmine-header", "rename-project", "user-1", {"identifier": identifier, "name": "Zweiter"}
    )
    read = nango.call("trigger_action", "redmine-header", "get-project", "user-1", {"identifier": identifier})

    assert made == {name: created[name] for name in made}
    assert renamed is None
    assert (created["id"], "Zweiter", False) == (read["id"], read["name"], read["is_public"])


def test_rejected_project_is_a_response_error(nango: Face, redmine: Redmine) -> None:
    taken = {"identifier": redmine.projects[0], "name": "Taken"}
    with pytest.raises(ResponseError, match="422") as caught:
        nango.call("trigger_action", "redmine-header", "create-project", "user-1", taken)

    assert 1 == len(caught.value.attempts)
    assert ["Identifier has already been taken"] == caught.value.response.json()["errors"]
