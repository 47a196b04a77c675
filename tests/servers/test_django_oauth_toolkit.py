"""Django OAuth Toolkit: the code flow on a second implementation, lost answers inside and outside its grace period."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import AuthenticationError, CallbackError, ReauthRequired, UnreachableError
from nango_py.exchange.conversation import RENEWAL_ERROR
from tests.servers import django_oauth_toolkit as django_oauth_toolkit_server
from tests.servers.accounts import USER, accounts, declared, post
from tests.servers.django_oauth_toolkit import CALLBACK
from tests.servers.faces import BACKENDS
from tests.servers.lossy import Lossy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.accounts import Accounts
    from tests.servers.conftest import Start
    from tests.servers.django_oauth_toolkit import DjangoOAuthToolkit

pytestmark = pytest.mark.server

LIFETIME = 3600
DUE = LIFETIME - 299


def code_flow(
    server: DjangoOAuthToolkit, *, client: str = "app", method: str = "basic", **auth: Any
) -> dict[str, Any]:
    keys = {
        "auth_mode": "OAUTH2",
        "authorization_url": server.authorization_url,
        "token_url": server.token_url,
        "revocation_url": server.revocation_url,
        "token_request_auth_method": method,
        **auth,
    }
    secret = {} if client == "public" else {"oauth_client_secret": server.secret}
    return declared(
        keys,
        f"{server.url}/api/",
        oauth_client_id=client,
        oauth_scopes=["read"],
        retry={"max_attempts": 1},
        **secret,
    )


@contextmanager
def opened(
    backend: str, server: DjangoOAuthToolkit, source: dict[str, Any] | None = None, **options: Any
) -> Iterator[Accounts]:
    document = source or code_flow(server)
    with accounts(backend, document, authorize=server.authorize, callback=CALLBACK, **options) as made:
        yield made


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest, django_oauth_toolkit: DjangoOAuthToolkit) -> Iterator[Accounts]:
    with opened(request.param, django_oauth_toolkit) as made:
        yield made


def renewals(server: DjangoOAuthToolkit) -> int:
    return len(server.events("grant.success", grant_type="refresh_token"))


def asked(server: DjangoOAuthToolkit) -> int:
    return len(server.events("grant.success")) + len(server.events("grant.error"))


def spoil(ours: Accounts, server: DjangoOAuthToolkit) -> None:
    """Use the refresh token behind the engine's back."""
    form = {"grant_type": "refresh_token", "refresh_token": ours.held("refresh_token")}
    assert 200 == post(server.token_url, form, auth=("app", server.secret)).status_code


@pytest.mark.parametrize(("client", "method"), [("app", "basic"), ("app", "post"), ("public", "none")])
def test_every_client_connects_and_renews(django_oauth_toolkit: DjangoOAuthToolkit, client: str, method: str) -> None:
    server = django_oauth_toolkit
    with opened("sync", server, code_flow(server, client=client, method=method)) as ours:
        ours.connect()
        first, before = ours.token(), renewals(server)
        ours.clock.advance(DUE)

        assert first != ours.token()
        assert {"user": USER} == ours.get("me").json()
        assert 1 == renewals(server) - before


def test_a_renewal_rotates_once(ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    ours.connect()
    refresh, before = ours.held("refresh_token"), renewals(django_oauth_toolkit)
    ours.clock.advance(DUE)

    assert [{"user": USER}] * 2 == [ours.get("me").json() for _ in range(2)]
    assert 1 == renewals(django_oauth_toolkit) - before
    assert refresh != ours.held("refresh_token")
    assert ["on_renewed"] == ours.told


def test_a_reused_refresh_token_asks_for_a_new_grant(
    ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit
) -> None:
    ours.connect()
    spoil(ours, django_oauth_toolkit)
    before = asked(django_oauth_toolkit)
    ours.clock.advance(DUE)
    for _ in range(2):
        with pytest.raises(ReauthRequired):
            ours.get("me")

    assert 1 == asked(django_oauth_toolkit) - before
    assert ("reauth_required", ["on_reauth_required"]) == (ours.connection().status, ours.told)
    assert "active" == ours.connect().status
    assert {"user": USER} == ours.get("me").json()


def revoke_access(ours: Accounts, server: DjangoOAuthToolkit) -> None:
    form = {"token": ours.held("access_token"), "token_type_hint": "access_token"}
    assert 200 == post(server.revocation_url, form, auth=("app", server.secret)).status_code


def test_a_token_that_died_early_is_renewed_once(ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    ours.connect()
    # Django OAuth Toolkit ends the refresh token with a revoked access token: the dead one is made up.
    dead = {"access_token": "dead-4f1c9a", "refresh_token": ours.held("refresh_token"), "expires_in": LIFETIME}
    ours.nango.call("update_connection_credentials", "it", USER, dead)
    before = renewals(django_oauth_toolkit)
    ours.clock.advance(11)
    answer = ours.get("me")

    assert {"user": USER} == answer.json()
    assert 1 == renewals(django_oauth_toolkit) - before
    assert [401, 200] == [attempt.status for attempt in answer.extensions["nango_attempts"]]


def test_a_revoked_token_is_a_401_that_says_why(ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    ours.connect()
    revoke_access(ours, django_oauth_toolkit)
    ours.clock.advance(11)
    answer = ours.get("me")

    assert 401 == answer.status_code
    assert isinstance(answer.extensions[RENEWAL_ERROR], ReauthRequired)
    assert ("reauth_required", ["on_reauth_required"]) == (ours.connection().status, ours.told)


def test_a_young_token_that_is_refused_is_not_renewed(
    ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit
) -> None:
    ours.connect()
    revoke_access(ours, django_oauth_toolkit)
    before = asked(django_oauth_toolkit)
    answer = ours.get("me")

    assert 401 == answer.status_code
    assert RENEWAL_ERROR not in answer.extensions
    assert 0 == asked(django_oauth_toolkit) - before


def test_a_deleted_connection_is_revoked_there(ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    ours.connect()
    form = {"grant_type": "refresh_token", "refresh_token": ours.held("refresh_token")}
    ours.nango.call("delete_connection", "it", USER)
    answer = post(django_oauth_toolkit.token_url, form, auth=("app", django_oauth_toolkit.secret))

    assert (400, "invalid_grant") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize("scopes", [["read"], ["read", "write"], ["read", "introspection"]])
def test_granted_scopes_are_kept(django_oauth_toolkit: DjangoOAuthToolkit, scopes: list[str]) -> None:
    with opened("sync", django_oauth_toolkit) as ours:
        ours.connect(scopes=scopes)
        first = ours.held("scope")
        ours.clock.advance(DUE)
        ours.token()

        assert set(scopes) == set(first.split()) == set(ours.held("scope").split())


def test_a_token_that_lacks_a_scope_is_answered_403(ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    ours.connect(scopes=["write"])
    before = asked(django_oauth_toolkit)
    ours.clock.advance(11)

    assert 403 == ours.get("me").status_code
    assert 0 == asked(django_oauth_toolkit) - before


def test_a_user_who_refuses_is_an_authentication_error(
    ours: Accounts, django_oauth_toolkit: DjangoOAuthToolkit
) -> None:
    begun = ours.begin()
    callback = django_oauth_toolkit.authorize(begun.url, deny=True)
    with pytest.raises(AuthenticationError, match="access_denied"):
        ours.finish(callback, begun)
    with pytest.raises(CallbackError, match="used up"):
        ours.finish(callback, begun)


def test_a_used_code_is_refused(ours: Accounts) -> None:
    first = ours.begin()
    callback = ours.authorize(first.url)
    ours.finish(callback, first)
    second = ours.begin()
    with pytest.raises(AuthenticationError, match="invalid_grant"):
        ours.finish(callback.replace(first.state, second.state), second)


def test_a_wrong_secret_is_refused(django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    document = code_flow(django_oauth_toolkit)
    document["integrations"]["it"]["oauth_client_secret"] = "wrong-4f1c9a"
    with opened("sync", django_oauth_toolkit, document) as ours:
        with pytest.raises(AuthenticationError, match="invalid_client") as caught:
            ours.connect()

        assert "wrong-4f1c9a" not in str(caught.value)


# Lost answers


@contextmanager
def lossy(server: DjangoOAuthToolkit) -> Iterator[tuple[Accounts, Lossy]]:
    transport = Lossy("/o/token/")
    try:
        with opened("sync", server, transport=transport) as made:
            made.connect()
            made.clock.advance(DUE + 299)
            yield made, transport
    finally:
        transport.close()


def test_a_lost_answer_is_asked_for_again_within_the_grace_period(start: Start) -> None:
    server = start(django_oauth_toolkit_server.serve, grace=60)
    with lossy(server) as (ours, transport):
        transport.losses = 1

        assert {"user": USER} == ours.get("me").json()
        assert ("active", 2) == (ours.connection().status, renewals(server))


def test_two_lost_answers_are_made_good_within_the_grace_period(start: Start) -> None:
    server = start(django_oauth_toolkit_server.serve, grace=60)
    with lossy(server) as (ours, transport):
        transport.losses = 2
        with pytest.raises(UnreachableError, match="the renewal got no answer"):
            ours.get("me")
        marked = ours.connection().status
        ours.clock.advance(30)

        assert "renewal_uncertain" == marked
        assert {"user": USER} == ours.get("me").json()
        assert "active" == ours.connection().status


def test_a_lost_answer_without_grace_asks_for_a_new_grant(django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    with lossy(django_oauth_toolkit) as (ours, transport):
        transport.losses = 1
        with pytest.raises(ReauthRequired):
            ours.get("me")

        assert ("reauth_required", ["on_reauth_required"]) == (ours.connection().status, ours.told)


# A client alone


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["body", "header"])
def test_a_client_alone_gets_and_renews_its_token(
    backend: str, method: str, django_oauth_toolkit: DjangoOAuthToolkit
) -> None:
    server = django_oauth_toolkit
    keys = {"auth_mode": "OAUTH2_CC", "token_url": server.token_url, "authorization_method": method}
    document = declared(keys, f"{server.url}/api/", oauth_scopes=["read"], retry={"max_attempts": 1})
    own = {"client_id": "machine", "client_secret": server.secret}
    with opened(backend, server, document) as ours:
        ours.nango.call("register_connection", "it", USER, own)
        ours.nango.call("register_connection", "it", "bob", {**own, "client_secret": "wrong-4f1c9a"})
        first = ours.token()
        ours.clock.advance(DUE)

        assert {"user": None} == ours.get("me").json()
        assert first != ours.token()
        with pytest.raises(AuthenticationError, match="invalid_client"):
            ours.nango.send("it", "bob", "GET", "me")
