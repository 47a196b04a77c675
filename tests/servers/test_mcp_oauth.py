"""oidc-provider as the authorization server of an MCP server: found, joined, used, renewed and left again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import AuthenticationError, ReauthRequired, UnknownConnection, UnreachableError
from tests.servers.accounts import USER, accounts, declared, post
from tests.servers.faces import BACKENDS
from tests.servers.oidc_provider import CALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.accounts import Accounts
    from tests.servers.oidc_provider import OidcProvider

pytestmark = pytest.mark.server

LIFETIME = 3600
DUE = LIFETIME - 299


@contextmanager
def opened(
    server: OidcProvider, backend: str = "sync", integration: dict[str, Any] | None = None, **auth: Any
) -> Iterator[Accounts]:
    """Load an integration that knows of the server nothing but its URL."""
    # Everything is on loopback here, where no answer may lead by default.
    more = {"network": {"allow_private": True}, "retry": {"max_attempts": 1}, **(integration or {})}
    keys = {"auth_mode": "MCP_OAUTH2", "server_url": server.resource, **auth}
    document = declared(keys, f"{server.url}/", **more)
    with accounts(backend, document, authorize=server.authorize, callback=CALLBACK) as made:
        yield made


def seen(ours: Accounts) -> tuple[str, str, str]:
    """Return for whom, for which client and for which resource the API takes the token."""
    answer = ours.get("api")
    assert 200 == answer.status_code
    data = answer.json()
    return data["sub"], data["client"], data["audience"]


def is_living(server: OidcProvider, token: str) -> bool:
    form, auth = {"token": token}, ("client_secret_basic", server.secret)
    return bool(post(server.introspection_url, form, auth=auth).json()["active"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_is_found_joined_used_and_its_token_renewed(backend: str, oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider, backend) as ours:
        ours.connect()
        first, client, refresh = ours.token(), ours.held("client_id"), ours.held("refresh_token")
        assert (USER, client, oidc_provider.resource) == seen(ours)

        ours.clock.advance(DUE)
        assert (USER, client, oidc_provider.resource) == seen(ours)
        assert first != ours.token()
        assert refresh != ours.held("refresh_token")
        assert ["on_renewed"] == ours.told


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_proves_itself_as_it_was_registered(oidc_provider: OidcProvider, method: str) -> None:
    with opened(oidc_provider, registration_params={"token_endpoint_auth_method": method}) as ours:
        credentials = ours.connect().credentials
        ours.clock.advance(DUE)

        assert (method, method != "none") == (ours.held("token_endpoint_auth_method"), "client_secret" in credentials)
        assert (USER, ours.held("client_id"), oidc_provider.resource) == seen(ours)


def test_the_integrations_own_client_is_used(oidc_provider: OidcProvider) -> None:
    own = {"oauth_client_id": "client_secret_basic", "oauth_client_secret": oidc_provider.secret}
    with opened(oidc_provider, integration=own) as ours:
        credentials = ours.connect().credentials
        ours.clock.advance(DUE)

        assert (USER, "client_secret_basic", oidc_provider.resource) == seen(ours)
        assert not {"client_id", "client_secret"} & set(credentials)


def test_declared_endpoints_are_used_as_they_are(oidc_provider: OidcProvider) -> None:
    endpoints = {
        "authorization_url": oidc_provider.authorization_url,
        "token_url": oidc_provider.token_url,
        "registration_url": oidc_provider.registration_url,
    }
    # Literal addresses of a blueprint are public knowledge: nothing has to be allowed.
    with opened(oidc_provider, integration={"network": {}, "oauth_scopes": ["api:read"]}, **endpoints) as ours:
        ours.connect()

        assert (USER, ours.held("client_id"), oidc_provider.resource) == seen(ours)


def test_a_deleted_connection_is_revoked(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider) as ours:
        ours.connect()
        access = ours.token()
        assert is_living(oidc_provider, access)

        ours.nango.call("delete_connection", "it", USER)
        assert not is_living(oidc_provider, access)
        with pytest.raises(UnknownConnection):
            ours.token()


def test_a_reused_refresh_token_asks_for_a_new_grant(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider) as ours:
        ours.connect()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": ours.held("refresh_token"),
            "client_id": ours.held("client_id"),
        }
        assert 200 == post(oidc_provider.token_url, form).status_code
        ours.clock.advance(DUE)

        with pytest.raises(ReauthRequired, match="for good"):
            ours.get("api")


def test_a_client_that_the_server_has_forgotten_asks_for_a_new_grant(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider) as ours:
        held = ours.connect().credentials
        known = {name: value.reveal() for name, value in held.items() if name in {"access_token", "refresh_token",
                 "token_endpoint_auth_method", "token_url", "resource", "issuer"}}  # fmt: skip
        ours.nango.call(
            "update_connection_credentials", "it", USER, {**known, "client_id": "nobody", "expires_in": 1}
        )
        ours.clock.advance(DUE)

        with pytest.raises(ReauthRequired, match="invalid_client"):
            ours.get("api")


def test_no_answer_leads_into_a_private_network_unless_that_is_allowed(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider, integration={"network": {}}) as ours, pytest.raises(UnreachableError, match="private"):
        ours.begin()


def test_a_resource_that_the_server_does_not_know_is_refused(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider, server_url=f"{oidc_provider.url}/other") as ours:
        with pytest.raises(AuthenticationError, match="invalid_target"):
            ours.connect()


def test_a_registration_that_is_refused_says_why(oidc_provider: OidcProvider) -> None:
    with opened(oidc_provider, registration_params={"redirect_uris": ["not a uri"]}) as ours:
        with pytest.raises(AuthenticationError, match="invalid_redirect_uri"):
            ours.begin()
