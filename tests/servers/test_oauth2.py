"""oidc-provider: codes with PKCE, every client authentication, rotation, refusals, devices, and clients alone."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio
import pytest

from nango_py import AsyncNango
from nango_py.connections.memory import MemoryStore
from nango_py.errors import AuthenticationError, CallbackError, ReauthRequired, UnreachableError
from nango_py.exchange.conversation import RENEWAL_ERROR
from nango_py.testing import ManualClock
from tests.servers import oidc_provider as oidc_provider_server
from tests.servers.accounts import USER, accounts, declared, post
from tests.servers.faces import BACKENDS, KEYS
from tests.servers.lossy import Lossy
from tests.servers.oidc_provider import CALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.accounts import Accounts
    from tests.servers.conftest import Start
    from tests.servers.oidc_provider import OidcProvider

pytestmark = pytest.mark.server

SCOPES = ["openid", "offline_access"]
LIFETIME = 3600
DUE = LIFETIME - 299
"""Seconds after which a token of an hour counts as expired."""


def code_flow(server: OidcProvider, client: str = "client_secret_basic", **auth: Any) -> dict[str, Any]:
    """Declare the code flow of one client; oidc-provider's clients are named after how they prove themselves."""
    secret, method = clients(server)[client]
    keys = {
        "auth_mode": "OAUTH2",
        "authorization_url": server.authorization_url,
        "authorization_params": {"prompt": "consent"},
        "token_url": server.token_url,
        "revocation_url": server.revocation_url,
        "device_authorization_url": server.device_authorization_url,
        **method,
        **auth,
    }
    return declared(
        keys, f"{server.url}/", oauth_client_id=client, oauth_scopes=SCOPES, **secret, retry={"max_attempts": 1}
    )


def clients(server: OidcProvider) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    shared = {"oauth_client_secret": server.secret}
    return {
        "client_secret_basic": (shared, {"authorization_method": "header"}),
        "client_secret_post": (shared, {"authorization_method": "body"}),
        "client_secret_jwt": (shared, {"token_request_auth_method": "client_secret_jwt"}),
        "private_key_jwt": (
            {"oauth_client_secret": server.private_key},
            {"token_request_auth_method": "private_key_jwt"},
        ),
        "public": ({}, {"token_request_auth_method": "none"}),
        "device": ({}, {"token_request_auth_method": "none"}),
        "odd": ({"oauth_client_secret": server.odd_secret}, {"token_request_auth_method": "basic"}),
    }


@contextmanager
def opened(
    backend: str, server: OidcProvider, source: dict[str, Any] | None = None, **options: Any
) -> Iterator[Accounts]:
    document = source or code_flow(server)
    with accounts(backend, document, authorize=server.authorize, callback=CALLBACK, **options) as made:
        yield made


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest, oidc_provider: OidcProvider) -> Iterator[Accounts]:
    with opened(request.param, oidc_provider) as made:
        yield made


@pytest.fixture
def one(oidc_provider: OidcProvider) -> Iterator[Accounts]:
    with opened("sync", oidc_provider) as made:
        yield made


def renewals(server: OidcProvider) -> int:
    return len(server.events("grant.success", grant_type="refresh_token"))


def asked(server: OidcProvider) -> int:
    """Count everything that the token endpoint was asked."""
    return len(server.events("grant.success")) + len(server.events("grant.error"))


def is_living(server: OidcProvider, token: str) -> bool:
    form, auth = {"token": token}, ("client_secret_basic", server.secret)
    return bool(post(server.introspection_url, form, auth=auth).json()["active"])


# Obtain, sign, renew


def test_a_code_becomes_a_connection_that_signs(ours: Accounts) -> None:
    connection = ours.connect()

    assert ("active", 1) == (connection.status, connection.version)
    assert {"sub": USER} == ours.get("me").json()


@pytest.mark.parametrize(
    "client", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "public", "odd"]
)
def test_every_client_proves_itself(oidc_provider: OidcProvider, client: str) -> None:
    # An assertion of a clock that went an hour ahead is not valid yet: the account is connected in the past.
    clock = ManualClock(time.time())
    with opened("sync", oidc_provider, code_flow(oidc_provider, client), clock=clock) as ours:
        ours.connect()
        before, first = renewals(oidc_provider), ours.token()
        clock.advance(DUE)
        second = ours.token()

        assert 1 == renewals(oidc_provider) - before
        assert first != second
        assert {"sub": USER} == ours.get("me").json()


@pytest.mark.parametrize("skew", [-180, 180])
@pytest.mark.parametrize("client", ["client_secret_basic", "client_secret_jwt", "private_key_jwt"])
def test_a_clock_may_be_minutes_off(oidc_provider: OidcProvider, client: str, skew: float) -> None:
    clock = ManualClock(time.time() + skew)
    with opened("sync", oidc_provider, code_flow(oidc_provider, client), clock=clock) as ours:
        ours.connect()

        assert {"sub": USER} == ours.get("me").json()


@pytest.mark.parametrize("client", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "odd"])
def test_a_wrong_secret_is_refused_without_being_shown(oidc_provider: OidcProvider, client: str) -> None:
    document = code_flow(oidc_provider, client)
    document["integrations"]["it"]["oauth_client_secret"] = "wrong-" + "x" * 40
    with opened("sync", oidc_provider, document) as ours:
        with pytest.raises(AuthenticationError, match="invalid_client") as caught:
            ours.connect()

        assert "x" * 8 not in str(caught.value)


def test_a_renewal_rotates_and_tells(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    access, refresh = ours.held("access_token"), ours.held("refresh_token")
    before = renewals(oidc_provider)
    ours.clock.advance(DUE)

    assert {"sub": USER} == ours.get("me").json()
    assert {"sub": USER} == ours.get("me").json()
    assert 1 == renewals(oidc_provider) - before
    assert ["on_renewed"] == ours.told
    assert access != ours.held("access_token")
    assert refresh != ours.held("refresh_token")


def test_a_fresh_token_is_left_alone(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    before = asked(oidc_provider)
    ours.clock.advance(DUE - 2)

    assert {"sub": USER} == ours.get("me").json()
    assert 0 == asked(oidc_provider) - before


def test_credentials_are_fresh_and_without_a_refresh_token(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    first = ours.token()
    ours.clock.advance(DUE)
    given = ours.nango.call("credentials", "it", USER)

    assert first != given["access_token"].reveal()
    assert is_living(oidc_provider, given["access_token"].reveal())
    assert "refresh_token" not in given
    refresh = ours.held("refresh_token")
    assert refresh not in [value.reveal() for value in given.values()]


# Refusal and expiry


def spoil(ours: Accounts, server: OidcProvider) -> None:
    """Use the refresh token behind the engine's back: its next use is a reuse."""
    form = {"grant_type": "refresh_token", "refresh_token": ours.held("refresh_token")}
    answer = post(server.token_url, form, auth=("client_secret_basic", server.secret))
    assert 200 == answer.status_code, answer.text


def test_a_reused_refresh_token_asks_for_a_new_grant_once(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    spoil(ours, oidc_provider)
    before = asked(oidc_provider)
    ours.clock.advance(DUE)
    for _ in range(3):
        with pytest.raises(ReauthRequired, match="for good"):
            ours.get("me")

    assert 1 == asked(oidc_provider) - before
    assert "reauth_required" == ours.connection().status
    assert ["on_reauth_required"] == ours.told


def test_a_new_grant_heals_a_refused_connection(ours: Accounts, oidc_provider: OidcProvider) -> None:
    first = ours.connect()
    spoil(ours, oidc_provider)
    ours.clock.advance(DUE)
    with pytest.raises(ReauthRequired):
        ours.get("me")
    second = ours.connect()

    assert (first.id, "active") == (second.id, second.status)
    assert {"sub": USER} == ours.get("me").json()


def test_a_token_without_a_refresh_token_ends(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    token = ours.held("access_token")
    ours.nango.call("register_connection", "it", "bob", {"access_token": token, "expires_in": 100})

    assert 200 == ours.nango.send("it", "bob", "GET", "me").status_code
    ours.clock.advance(101)
    with pytest.raises(ReauthRequired, match="expired and cannot be renewed"):
        ours.nango.send("it", "bob", "GET", "me")


def revoke(server: OidcProvider, token: str) -> None:
    form = {"token": token, "token_type_hint": "access_token"}
    answer = post(server.revocation_url, form, auth=("client_secret_basic", server.secret))
    assert 200 == answer.status_code, answer.text


def test_a_token_that_died_early_is_renewed_once(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    # oidc-provider forgets the whole grant with a revoked access token: the dead one is made up.
    dead = {"access_token": "dead-4f1c9a", "refresh_token": ours.held("refresh_token"), "expires_in": LIFETIME}
    ours.nango.call("update_connection_credentials", "it", USER, dead)
    before = renewals(oidc_provider)
    ours.clock.advance(11)
    answer = ours.get("me")

    assert {"sub": USER} == answer.json()
    assert 1 == renewals(oidc_provider) - before
    assert [401, 200] == [attempt.status for attempt in answer.extensions["nango_attempts"]]


def test_a_revoked_grant_is_a_401_that_says_why(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    revoke(oidc_provider, ours.held("access_token"))  # at oidc-provider the refresh token goes with it
    ours.clock.advance(11)
    answer = ours.get("me")

    assert 401 == answer.status_code
    assert isinstance(answer.extensions[RENEWAL_ERROR], ReauthRequired)
    assert "reauth_required" == ours.connection().status
    assert ["on_reauth_required"] == ours.told


def test_a_young_token_that_is_refused_is_not_renewed(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    revoke(oidc_provider, ours.held("access_token"))
    before = asked(oidc_provider)
    ours.clock.advance(9)

    assert 401 == ours.get("me").status_code
    assert 0 == asked(oidc_provider) - before


def test_a_deleted_connection_is_revoked_there(ours: Accounts, oidc_provider: OidcProvider) -> None:
    ours.connect()
    refresh = ours.held("refresh_token")
    living = is_living(oidc_provider, refresh)
    ours.nango.call("delete_connection", "it", USER)

    assert living
    assert not is_living(oidc_provider, refresh)


# Scopes


@pytest.mark.parametrize(
    ("scopes", "granted"),
    [(None, "openid offline_access"), (["openid"], "openid"), (["openid", "email"], "openid email")],
)
def test_granted_scopes_are_kept(one: Accounts, scopes: list[str] | None, granted: str) -> None:
    one.connect(scopes=scopes)

    assert set(granted.split()) == set(one.held("scope").split())


def test_scopes_outlive_a_renewal(one: Accounts) -> None:
    one.connect(scopes=["openid", "email"])
    one.clock.advance(DUE)

    assert {"sub": USER, "email": "ann@example.test"} == one.get("me").json()
    assert {"openid", "email"} == set(one.held("scope").split())


# The callback


def test_the_issuer_is_named_and_right(ours: Accounts, oidc_provider: OidcProvider) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)

    assert urlencode({"iss": oidc_provider.url}) in callback
    assert "active" == ours.finish(callback, begun).status


@pytest.mark.parametrize("declares", [True, False])
def test_another_issuer_gets_no_code(oidc_provider: OidcProvider, declares: bool) -> None:
    issuer = {"issuer": oidc_provider.url} if declares else {}
    with opened("sync", oidc_provider, code_flow(oidc_provider, **issuer)) as ours:
        begun = ours.begin()
        callback = ours.authorize(begun.url).replace(
            urlencode({"iss": oidc_provider.url}), urlencode({"iss": "https://evil.example"})
        )
        before = asked(oidc_provider)
        with pytest.raises(AuthenticationError, match="another issuer"):
            ours.finish(callback, begun)

        assert 0 == asked(oidc_provider) - before


def test_a_user_who_refuses_is_an_authentication_error(ours: Accounts, oidc_provider: OidcProvider) -> None:
    begun = ours.begin()
    callback = oidc_provider.authorize(begun.url, deny=True)
    before = asked(oidc_provider)
    with pytest.raises(AuthenticationError, match="access_denied"):
        ours.finish(callback, begun)

    assert 0 == asked(oidc_provider) - before
    assert [] == ours.nango.call("get_connections_for_user_id", USER)


def test_a_callback_works_once(ours: Accounts, oidc_provider: OidcProvider) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    ours.finish(callback, begun)
    before = asked(oidc_provider)
    with pytest.raises(CallbackError, match="used up"):
        ours.finish(callback, begun)

    assert 0 == asked(oidc_provider) - before
    assert 200 == ours.get("me").status_code


def test_a_tampered_state_belongs_to_no_attempt(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    with pytest.raises(CallbackError, match="no attempt"):
        ours.finish(callback.replace(begun.state, begun.state[:-1] + "x"), begun)

    assert "active" == ours.finish(callback, begun).status


def test_an_attempt_ends_after_ten_minutes(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    ours.clock.advance(601)
    with pytest.raises(CallbackError, match="10 minutes"):
        ours.finish(callback, begun)


def test_another_browser_cannot_finish(ours: Accounts, oidc_provider: OidcProvider) -> None:
    mine, theirs = ours.begin(), ours.begin()
    before = asked(oidc_provider)
    with pytest.raises(CallbackError, match="another browser"):
        ours.finish(ours.authorize(mine.url), theirs)

    assert 0 == asked(oidc_provider) - before


def test_another_user_cannot_finish(ours: Accounts, oidc_provider: OidcProvider) -> None:
    begun = ours.begin()
    before = asked(oidc_provider)
    with pytest.raises(CallbackError, match="another user"):
        ours.finish(ours.authorize(begun.url), begun, user_id="mallory")

    assert 0 == asked(oidc_provider) - before


def test_a_used_code_is_refused(ours: Accounts) -> None:
    first = ours.begin()
    callback = ours.authorize(first.url)
    ours.finish(callback, first)
    second = ours.begin()
    with pytest.raises(AuthenticationError, match="invalid_grant"):
        ours.finish(callback.replace(first.state, second.state), second)


# A client alone


def client_alone(server: OidcProvider, **integration: Any) -> dict[str, Any]:
    keys = {
        "auth_mode": "OAUTH2_CC",
        "token_url": server.token_url,
        "authorization_method": "header",
        "token_params": {"resource": server.resource},
    }
    return declared(keys, f"{server.url}/", oauth_scopes=["api:read"], retry={"max_attempts": 1}, **integration)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_alone_gets_and_renews_its_token(backend: str, oidc_provider: OidcProvider) -> None:
    own = {"client_id": "client_secret_basic", "client_secret": oidc_provider.secret}
    with opened(backend, oidc_provider, client_alone(oidc_provider)) as ours:
        ours.nango.call("register_connection", "it", USER, own)
        first = ours.get("api").json()
        token = ours.token()
        ours.clock.advance(DUE)
        second = ours.get("api").json()

        assert first == second
        assert ("client_secret_basic", "api:read") == (first["client"], first["scope"])
        assert token != ours.token()
        assert ["on_renewed", "on_renewed"] == ours.told


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_with_a_wrong_secret_may_be_put_right(backend: str, oidc_provider: OidcProvider) -> None:
    own = {"client_id": "client_secret_basic", "client_secret": oidc_provider.secret}
    with opened(backend, oidc_provider, client_alone(oidc_provider)) as ours:
        ours.nango.call("register_connection", "it", USER, {**own, "client_secret": "wrong-4f1c9a"})
        before = asked(oidc_provider)
        for _ in range(2):
            with pytest.raises(AuthenticationError, match="invalid_client") as caught:
                ours.get("api")
            assert "wrong-4f1c9a" not in str(caught.value)

        assert not isinstance(caught.value, ReauthRequired)
        assert 1 == asked(oidc_provider) - before
        ours.nango.call("update_connection_credentials", "it", USER, own)
        assert 200 == ours.get("api").status_code


def test_the_integration_s_client_serves_every_user(oidc_provider: OidcProvider) -> None:
    shared = {"oauth_client_id": "odd", "oauth_client_secret": oidc_provider.odd_secret}
    with opened("sync", oidc_provider, client_alone(oidc_provider, **shared)) as ours:
        ours.nango.call("register_connection", "it", USER, {})

        assert "odd" == ours.get("api").json()["client"]


# Another device


class Waiting(ManualClock):
    """A clock whose second sleep is long enough for the user to do something."""

    def __init__(self) -> None:
        super().__init__(time.time())
        self.meanwhile: Any = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.meanwhile and 3 == len(self.slept):
            self.meanwhile()


@pytest.fixture(params=BACKENDS)
def device(request: pytest.FixtureRequest, oidc_provider: OidcProvider) -> Iterator[Accounts]:
    with opened(request.param, oidc_provider, code_flow(oidc_provider, "device"), clock=Waiting()) as made:
        yield made


def test_a_device_waits_for_its_user(device: Accounts, oidc_provider: OidcProvider) -> None:
    begun = device.nango.call("oauth.begin_device", "it", USER)
    device.clock.meanwhile = lambda: oidc_provider.approve_device(begun.user_code)  # type: ignore[attr-defined]
    before = asked(oidc_provider)
    connection = device.nango.call("oauth.finish_device", begun)

    assert "active" == connection.status
    assert 3 == asked(oidc_provider) - before
    assert {"sub": USER} == device.get("me").json()
    device.clock.advance(DUE)
    assert {"sub": USER} == device.get("me").json()
    assert ["on_renewed"] == device.told


def test_a_user_refuses_on_a_device(device: Accounts, oidc_provider: OidcProvider) -> None:
    begun = device.nango.call("oauth.begin_device", "it", USER)
    device.clock.meanwhile = lambda: oidc_provider.approve_device(begun.user_code, deny=True)  # type: ignore[attr-defined]
    with pytest.raises(AuthenticationError, match="access_denied"):
        device.nango.call("oauth.finish_device", begun)


def test_a_device_code_ends(device: Accounts) -> None:
    begun = device.nango.call("oauth.begin_device", "it", USER)
    device.clock.advance(590)
    with pytest.raises(AuthenticationError, match="expired before it was entered"):
        device.nango.call("oauth.finish_device", begun)


# Answers that get lost


@pytest.mark.parametrize("client", ["client_secret_basic", "client_secret_jwt", "private_key_jwt"])
def test_a_lost_answer_is_asked_for_again_with_a_proof_of_its_own(client: str, start: Start) -> None:
    server = start(oidc_provider_server.serve, rotate=False)
    transport = Lossy("/token")
    with opened("sync", server, code_flow(server, client), transport=transport) as ours:
        ours.connect()
        first = ours.token()
        ours.clock.advance(LIFETIME)
        transport.losses = 1

        assert first != ours.token()
        assert 2 == renewals(server)
    transport.close()


def test_a_lost_answer_of_a_rotating_server_asks_for_a_new_grant(oidc_provider: OidcProvider) -> None:
    transport = Lossy("/token")
    with opened("sync", oidc_provider, transport=transport) as ours:
        ours.connect()
        ours.clock.advance(LIFETIME)
        transport.losses = 1
        with pytest.raises(ReauthRequired):
            ours.token()

        assert ("reauth_required", ["on_reauth_required"]) == (ours.connection().status, ours.told)
    transport.close()


def test_a_lost_code_is_not_exchanged_twice(oidc_provider: OidcProvider) -> None:
    transport = Lossy("/token", losses=1)
    with opened("sync", oidc_provider, transport=transport) as ours:
        begun = ours.begin()
        callback = ours.authorize(begun.url)
        before = asked(oidc_provider)
        with pytest.raises(UnreachableError, match="Begin again"):
            ours.finish(callback, begun)

        assert 1 == asked(oidc_provider) - before
        assert "active" == ours.connect().status
    transport.close()


# A requester that gives up


class Slow(MemoryStore):
    """A store whose next write waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = False
        self.left: list[tuple[str, str]] = []
        self.reached, self.go = threading.Event(), threading.Event()

    def put(self, row: Any) -> None:
        self._wait()
        super().put(row)

    def compare_and_swap(self, row: Any, *, expected_version: int) -> bool:
        self._wait()
        return super().compare_and_swap(row, expected_version=expected_version)

    def close(self) -> None:
        self.left = list(self._rows)
        super().close()

    def _wait(self) -> None:
        if self.waits:
            self.reached.set()
            assert self.go.wait(30)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_requester_costs_no_token(backend: str, oidc_provider: OidcProvider) -> None:
    anyio.run(cancelled_between_answer_and_storage, oidc_provider, backend=backend)


async def cancelled_between_answer_and_storage(server: OidcProvider) -> None:
    store, clock = Slow(), ManualClock(time.time())
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    async with AsyncNango.load(code_flow(server), store=store, clock=clock, environ=environ) as nango:
        begun = await nango.oauth.begin("it", USER, redirect_uri=CALLBACK)
        callback = await anyio.to_thread.run_sync(server.authorize, begun.url)
        first = await nango.oauth.finish(callback, binding=begun.binding)
        before = renewals(server)
        clock.advance(DUE)
        store.waits = True
        async with anyio.create_task_group() as requesters:
            requesters.start_soon(nango.credentials, "it", USER)
            assert await anyio.to_thread.run_sync(store.reached.wait, 30)
            requesters.cancel_scope.cancel()
        assert first.version == (await nango.get_connection("it", USER)).version
        store.waits = False
        store.go.set()

        given = await nango.credentials("it", USER)
        stored = await nango.get_connection("it", USER)
        assert 1 == renewals(server) - before
        assert given["access_token"] == stored.credentials["access_token"]
        assert first.credentials["refresh_token"] != stored.credentials["refresh_token"]
        clock.advance(DUE)
        await nango.credentials("it", USER)
        assert 2 == renewals(server) - before


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_browser_that_leaves_costs_no_connection(backend: str, oidc_provider: OidcProvider) -> None:
    anyio.run(cancelled_before_the_connection_is_stored, oidc_provider, backend=backend)


async def cancelled_before_the_connection_is_stored(server: OidcProvider) -> None:
    store = Slow()
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    async with AsyncNango.load(code_flow(server), store=store, environ=environ) as nango:
        begun = await nango.oauth.begin("it", USER, redirect_uri=CALLBACK)
        callback = await anyio.to_thread.run_sync(server.authorize, begun.url)
        store.waits = True
        async with anyio.create_task_group() as visitors:
            visitors.start_soon(partial(nango.oauth.finish, callback, binding=begun.binding))
            assert await anyio.to_thread.run_sync(store.reached.wait, 30)
            visitors.cancel_scope.cancel()
        store.waits = False
        store.go.set()
    # Closing waits for what is going on.
    assert [("it", USER)] == store.left
