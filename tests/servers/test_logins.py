"""Synapse: a login with a password, tokens that end, a refresh token that rotates, and secrets that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import ReauthRequired
from tests.servers.accounts import USER, Accounts, accounts, declared
from tests.servers.faces import BACKENDS
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.synapse import Synapse

pytestmark = pytest.mark.server

CLIENT = "/_matrix/client/v3"


def login(server: Synapse, **auth: Any) -> dict[str, Any]:
    keys = {
        "auth_mode": "TWO_STEP",
        "token_url": server.login_url,
        "token_params": {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": "${credentials.user}"},
            "password": "${credentials.password}",
            "refresh_token": True,
        },
        "token_response": {"token_expiration": "expires_in_ms", "token_expiration_strategy": "expireIn"},
        "expires_in_unit": "milliseconds",
        "refresh_url": server.refresh_url,
        "token_response_metadata": ["device_id"],
        **auth,
    }
    credentials = {"user": {"title": "User"}, "password": {"title": "Password", "secret": True}}
    return declared(keys, f"{server.url}{CLIENT}/", credentials=credentials, retry={"max_attempts": 1})


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest, synapse: Synapse) -> Iterator[Accounts]:
    with accounts(request.param, login(synapse), authorize=str, callback="") as made:
        yield made


def register(ours: Accounts, server: Synapse, password: str | None = None) -> None:
    secrets = {"user": server.login, "password": password or server.password}
    ours.nango.call("register_connection", "it", USER, secrets)


def forget_device(server: Synapse, token: str) -> None:
    with browse(headers={"Authorization": f"Bearer {token}"}) as client:
        client.post(f"{server.url}{CLIENT}/logout", json={}).raise_for_status()


def test_the_first_request_logs_in(ours: Accounts, synapse: Synapse) -> None:
    register(ours, synapse)

    assert "@ann:localhost" == ours.get("account/whoami").json()["user_id"]
    assert ours.connection().connection_config["device_id"] == ours.get("account/whoami").json()["device_id"]
    assert abs(ours.connection().credentials["expires_at"] - ours.clock.now() - synapse.lifetime) < 5


def test_the_refresh_token_is_used_and_rotates(ours: Accounts, synapse: Synapse) -> None:
    register(ours, synapse)
    device = ours.get("account/whoami").json()["device_id"]
    access, refresh = ours.held("access_token"), ours.held("refresh_token")
    ours.clock.advance(synapse.lifetime)

    assert device == ours.get("account/whoami").json()["device_id"]
    assert {access, refresh}.isdisjoint({ours.held("access_token"), ours.held("refresh_token")})
    assert ["on_renewed", "on_renewed"] == ours.told


def test_a_session_that_the_server_ended_leads_to_a_new_login(ours: Accounts, synapse: Synapse) -> None:
    register(ours, synapse)
    device = ours.get("account/whoami").json()["device_id"]
    forget_device(synapse, ours.held("access_token"))
    ours.clock.advance(60)

    assert device != ours.get("account/whoami").json()["device_id"]


def test_a_wrong_password_needs_the_user(ours: Accounts, synapse: Synapse) -> None:
    register(ours, synapse, "wrong-password")
    for _ in range(2):
        with pytest.raises(ReauthRequired) as caught:
            ours.get("account/whoami")
        assert "wrong-password" not in str(caught.value)

    assert "reauth_required" == ours.connection().status
    assert ["on_reauth_required"] == ours.told
