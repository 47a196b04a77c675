"""localstripe, Close's twin: the key as user name, an empty password, and cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nango_py.errors import AuthenticationError, CredentialsError, InputError, ResponseError
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face
    from tests.servers.localstripe import LocalStripe

pytestmark = pytest.mark.server


@pytest.fixture(params=BACKENDS)
def nango(request: pytest.FixtureRequest, localstripe: LocalStripe) -> Iterator[Face]:
    with face(request.param, LOCALSTRIPE_URL=localstripe.url) as nango:
        nango.call("register_connection", "localstripe", "user-1", {"username": localstripe.key, "password": ""})
        nango.call("register_connection", "localstripe", "stranger", {"username": "key_5tr4ng3r"})
        yield nango


def test_right_key_passes_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "localstripe", "user-1")

    assert (True, 200) == (result.ok, result.status)


def test_wrong_key_fails_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "localstripe", "stranger")

    assert (False, 401) == (result.ok, result.status)
    assert "5tr4ng3r" not in repr(result)


def test_connection_without_its_key_is_not_registered(nango: Face) -> None:
    with pytest.raises(CredentialsError, match="username"):
        nango.call("register_connection", "localstripe", "user-2", {"password": ""})


def test_client_is_authorized_below_the_surface(nango: Face, localstripe: LocalStripe) -> None:
    answer = nango.send("localstripe", "user-1", "GET", "customers", params={"limit": 2})

    assert 200 == answer.status_code
    assert list(localstripe.emails[:2]) == [customer["email"] for customer in answer.json()["data"]]
    assert "Authorization" not in answer.request.headers


def test_credentials_go_to_no_other_origin(nango: Face, localstripe: LocalStripe) -> None:
    same_server = localstripe.url.replace("127.0.0.1", "localhost")
    answer = nango.send("localstripe", "user-1", "GET", f"{same_server}/v1/customers")

    assert 401 == answer.status_code


def test_refusal_is_returned_by_the_client(nango: Face) -> None:
    answer = nango.send("localstripe", "stranger", "GET", "customers")

    assert 401 == answer.status_code


def test_walk_follows_the_cursor_to_the_end(nango: Face, localstripe: LocalStripe) -> None:
    pages = nango.collect("pages", "localstripe", "user-1", "customers", pagination={"limit": 2})

    assert [2, 2, 1] == [len(page.items) for page in pages]
    assert [1, 2, 3] == [page.number for page in pages]
    assert [False, False, True] == [page.is_last for page in pages]
    assert list(localstripe.emails) == [customer["email"] for page in pages for customer in page.items]


def test_page_size_of_the_caller_is_asked_for(nango: Face) -> None:
    (page,) = nango.collect("pages", "localstripe", "user-1", "customers", params={"limit": 2}, max_pages=1)

    assert 2 == len(page.items)


def test_limit_ends_the_walk_early(nango: Face, localstripe: LocalStripe) -> None:
    items = nango.collect("paginate", "localstripe", "user-1", "customers", pagination={"limit": 2}, limit=3)

    assert list(localstripe.emails[:3]) == [customer["email"] for customer in items]


def test_walk_goes_on_from_a_saved_position(nango: Face, localstripe: LocalStripe) -> None:
    (page,) = nango.collect("pages", "localstripe", "user-1", "customers", pagination={"limit": 2}, max_pages=1)
    rest = nango.collect(
        "paginate", "localstripe", "user-1", "customers", pagination={"limit": 2}, position=page.position
    )

    assert list(localstripe.emails[2:]) == [customer["email"] for customer in rest]


def test_action_lists_every_page_mapped(nango: Face, localstripe: LocalStripe) -> None:
    customers = nango.call("trigger_action", "localstripe", "list-customers", "user-1", {"page_size": 2})

    assert list(localstripe.emails) == [customer["email"] for customer in customers]
    assert {"id", "email"} == set(customers[0])


def test_action_streams_the_same_items(nango: Face) -> None:
    listed = nango.call("trigger_action", "localstripe", "list-customers", "user-1", {"page_size": 3})
    streamed = nango.collect("stream_action", "localstripe", "list-customers", "user-1", {"page_size": 2})

    assert listed == streamed


def test_created_customer_is_read_and_deleted(nango: Face) -> None:
    wanted = {"email": "straße+1@example.test", "name": "Ann & Bob = 100%"}
    created = nango.call("trigger_action", "localstripe", "create-customer", "user-1", wanted)
    read = nango.call("trigger_action", "localstripe", "get-customer", "user-1", {"id": created["id"]})
    deleted = nango.call("trigger_action", "localstripe", "delete-customer", "user-1", {"id": created["id"]})

    assert {"id": created["id"], **wanted} == created == read
    assert deleted is True


def test_field_left_out_is_not_sent(nango: Face) -> None:
    created = nango.call("trigger_action", "localstripe", "create-customer", "user-1", {"email": "a@example.test"})
    nango.call("trigger_action", "localstripe", "delete-customer", "user-1", {"id": created["id"]})

    assert created["name"] is None


def test_filter_that_is_not_asked_for_is_not_sent(nango: Face, localstripe: LocalStripe) -> None:
    asked = {"email": localstripe.emails[3]}
    (customer,) = nango.call("trigger_action", "localstripe", "list-customers", "user-1", asked)

    assert localstripe.emails[3] == customer["email"]


def test_missing_customer_is_a_response_error(nango: Face) -> None:
    with pytest.raises(ResponseError, match="404") as caught:
        nango.call("trigger_action", "localstripe", "get-customer", "user-1", {"id": "cus_none"})

    assert ("localstripe", "get-customer", 404) == (
        caught.value.integration,
        caught.value.action,
        caught.value.response.status_code,
    )


@pytest.mark.parametrize("customer", ["..", ".", ""])
def test_id_that_would_leave_its_segment_is_refused(nango: Face, customer: str) -> None:
    with pytest.raises(InputError):
        nango.call("trigger_action", "localstripe", "get-customer", "user-1", {"id": customer})


def test_id_with_a_slash_stays_one_segment(nango: Face) -> None:
    with pytest.raises(ResponseError, match="404"):
        nango.call("trigger_action", "localstripe", "get-customer", "user-1", {"id": "x/../../balance"})


def test_refused_key_is_an_authentication_error(nango: Face) -> None:
    with pytest.raises(AuthenticationError) as caught:
        nango.call("trigger_action", "localstripe", "list-customers", "stranger")

    assert 1 == len(caught.value.attempts)
    assert "5tr4ng3r" not in str(caught.value)
