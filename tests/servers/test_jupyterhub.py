"""JupyterHub: connect an account, call and page through an API, on one application from end to end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import AuthenticationError, ReauthRequired
from tests.servers.accounts import USER, accounts, declared
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.accounts import Accounts
    from tests.servers.jupyterhub import JupyterHub

pytestmark = pytest.mark.server


def document(hub: JupyterHub, **integration: Any) -> dict[str, Any]:
    keys = {
        "auth_mode": "OAUTH2",
        "authorization_url": hub.authorization_url,
        "token_url": hub.token_url,
        "token_request_auth_method": "post",
    }
    it = {
        "oauth_client_id": hub.client_id,
        "oauth_client_secret": hub.secret,
        "verification": {"path": "user", "identity": "name"},
        "pagination": {
            "type": "offset",
            "offset_name_in_request": "offset",
            "limit_name_in_request": "limit",
            "limit": 3,
        },
        "actions": {"list-users": {"request": {"method": "GET", "path": "users"}, "paginate": True}},
        **integration,
    }
    return declared(keys, f"{hub.api_url}/", **it)


@contextmanager
def opened(backend: str, hub: JupyterHub, source: dict[str, Any] | None = None) -> Iterator[Accounts]:
    with accounts(backend, source or document(hub), authorize=hub.authorize, callback=hub.callback) as made:
        yield made


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest, jupyterhub: JupyterHub) -> Iterator[Accounts]:
    with opened(request.param, jupyterhub) as made:
        yield made


def test_an_account_is_connected_called_and_paged(ours: Accounts, jupyterhub: JupyterHub) -> None:
    ours.connect()

    assert jupyterhub.login == ours.get("user").json()["name"]
    result = ours.nango.call("check_connection", "it", USER)
    assert (True, jupyterhub.login) == (result.ok, result.identity)
    assert list(jupyterhub.users) == [user["name"] for user in ours.nango.collect("paginate", "it", USER, "users")]
    assert list(jupyterhub.users) == [
        user["name"] for user in ours.nango.call("trigger_action", "it", "list-users", USER)
    ]


def test_pages_hold_what_was_asked_for(ours: Accounts, jupyterhub: JupyterHub) -> None:
    ours.connect()
    pages = ours.nango.collect("pages", "it", USER, "users")

    assert [3, 3, 2] == [len(page.items) for page in pages]
    resumed = ours.nango.collect("pages", "it", USER, "users", position=pages[0].position)
    assert list(jupyterhub.users[3:]) == [user["name"] for page in resumed for user in page.items]


def test_the_body_s_next_link_is_followed(jupyterhub: JupyterHub) -> None:
    # JupyterHub wraps a list, and says where the next page is, for those who ask for its pagination format.
    source = document(
        jupyterhub,
        pagination={
            "type": "link",
            "link_path_in_response_body": "_pagination.next.url",
            "response_path": "items",
            "limit_name_in_request": "limit",
            "limit": 3,
        },
        requests={
            "base_url": f"{jupyterhub.api_url}/",
            "headers": {"Accept": "application/jupyterhub-pagination+json"},
        },
        actions={},
    )
    with opened("sync", jupyterhub, source) as ours:
        ours.connect()

        assert list(jupyterhub.users) == [
            user["name"] for user in ours.nango.collect("paginate", "it", USER, "users")
        ]


def test_a_token_without_a_refresh_token_ends_after_an_hour(ours: Accounts, jupyterhub: JupyterHub) -> None:
    ours.connect()
    ours.clock.advance(jupyterhub.lifetime - 1)
    assert 200 == ours.get("user").status_code
    ours.clock.advance(1)
    with pytest.raises(ReauthRequired, match="expired and cannot be renewed"):
        ours.get("user")
    ours.connect()

    assert 200 == ours.get("user").status_code


def test_a_wrong_secret_is_refused(jupyterhub: JupyterHub) -> None:
    with opened("sync", jupyterhub, document(jupyterhub, oauth_client_secret="wrong-4f1c9a")) as ours:
        with pytest.raises(AuthenticationError, match="invalid_client") as caught:
            ours.connect()

        assert "wrong-4f1c9a" not in str(caught.value)


def test_a_made_up_token_is_answered_403(ours: Accounts) -> None:
    ours.nango.call("register_connection", "it", USER, {"access_token": "made-up"})

    assert 403 == ours.get("user").status_code
