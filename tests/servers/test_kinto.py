"""Kinto: the next page's URL in a header of its own, and a bucket for each connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from nango_py.errors import AuthenticationError, CredentialsError, ResponseError
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face
    from tests.servers.kinto import Kinto

pytestmark = pytest.mark.server


@pytest.fixture(params=BACKENDS)
def nango(request: pytest.FixtureRequest, kinto: Kinto) -> Iterator[Face]:
    right, wrong = (
        {"username": kinto.login, "password": kinto.password},
        {"username": kinto.login, "password": "wrong"},
    )
    with face(request.param, KINTO_URL=kinto.url) as nango:
        nango.call("register_connection", "kinto", "user-1", right, {"bucket": kinto.bucket})
        nango.call("register_connection", "kinto", "elsewhere", right, {"bucket": "no-such-bucket"})
        nango.call("register_connection", "kinto", "stranger", wrong, {"bucket": kinto.bucket})
        yield nango


def records(kinto: Kinto) -> str:
    return f"buckets/{kinto.bucket}/collections/{kinto.collection}/records"


def test_check_names_the_bucket(nango: Face, kinto: Kinto) -> None:
    result = nango.call("check_connection", "kinto", "user-1")

    assert (True, 200, kinto.bucket) == (result.ok, result.status, result.identity)


def test_wrong_password_fails_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "kinto", "stranger")

    assert (False, 401) == (result.ok, result.status)


def test_each_connection_has_its_own_bucket(nango: Face) -> None:
    result = nango.call("check_connection", "kinto", "elsewhere")

    assert (False, 403) == (result.ok, result.status)


def test_connection_without_its_bucket_is_not_registered(nango: Face, kinto: Kinto) -> None:
    with pytest.raises(CredentialsError, match="bucket"):
        nango.call("register_connection", "kinto", "user-2", {"username": kinto.login, "password": kinto.password})


def test_bucket_that_would_leave_its_segment_is_not_registered(nango: Face, kinto: Kinto) -> None:
    login = {"username": kinto.login, "password": kinto.password}
    with pytest.raises(CredentialsError, match="bucket"):
        nango.call("register_connection", "kinto", "user-2", login, {"bucket": "../accounts"})


def test_walk_follows_the_url_in_the_header(nango: Face, kinto: Kinto) -> None:
    pages = nango.collect(
        "pages", "kinto", "user-1", records(kinto), params={"_sort": "name"}, pagination={"limit": 3}
    )

    assert [3, 3, 1] == [len(page.items) for page in pages]
    assert list(kinto.names) == [record["name"] for page in pages for record in page.items]


def test_walk_goes_on_from_a_saved_position(nango: Face, kinto: Kinto) -> None:
    asked = {"params": {"_sort": "name"}, "pagination": {"limit": 3}}
    (page,) = nango.collect("pages", "kinto", "user-1", records(kinto), max_pages=1, **asked)
    rest = nango.collect("paginate", "kinto", "user-1", records(kinto), position=page.position, **asked)

    assert list(kinto.names[3:]) == [record["name"] for record in rest]
    assert kinto.password not in page.position


def test_action_lists_every_page_of_the_connections_bucket(nango: Face, kinto: Kinto) -> None:
    asked = {"collection": kinto.collection, "page_size": 2}
    listed = nango.call("trigger_action", "kinto", "list-records", "user-1", asked)

    assert list(kinto.names) == [record["name"] for record in listed]


def test_descending_order_is_kept_on_every_page(nango: Face, kinto: Kinto) -> None:
    asked = {"collection": kinto.collection, "sort": "-name", "page_size": 2}
    listed = nango.call("trigger_action", "kinto", "list-records", "user-1", asked)

    assert list(reversed(kinto.names)) == [record["name"] for record in listed]


def test_whole_input_keeps_its_types_in_the_body(nango: Face, kinto: Kinto) -> None:
    data = {"number": 5, "yes": True, "nothing": None, "list": [1, "2", {"three": 3.5}], "text": "${input.id}"}
    asked = {"collection": f"other-{uuid4().hex[:8]}", "id": "record-1", "data": data}
    nango.send("kinto", "user-1", "PUT", f"buckets/{kinto.bucket}/collections/{asked['collection']}")
    written = nango.call("trigger_action", "kinto", "put-record", "user-1", asked)

    assert {"id": "record-1", **data} == {name: value for name, value in written.items() if name != "last_modified"}


def test_put_with_a_stale_etag_is_answered_unread(nango: Face, kinto: Kinto) -> None:
    answer = nango.send("kinto", "user-1", "GET", records(kinto), headers={"If-None-Match": '"1"'})
    fresh = nango.send("kinto", "user-1", "GET", records(kinto), headers={"If-None-Match": answer.headers["ETag"]})

    assert (200, 304) == (answer.status_code, fresh.status_code)


def test_wrong_password_is_an_authentication_error(nango: Face, kinto: Kinto) -> None:
    with pytest.raises(AuthenticationError, match="401"):
        nango.call("trigger_action", "kinto", "list-records", "stranger", {"collection": kinto.collection})


def test_forbidden_bucket_is_no_authentication_error(nango: Face, kinto: Kinto) -> None:
    with pytest.raises(ResponseError, match="403"):
        nango.call("trigger_action", "kinto", "list-records", "elsewhere", {"collection": kinto.collection})
