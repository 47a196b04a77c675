"""Synapse: what becomes of a rotating refresh token when answers get lost, others use it, and a password changes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nango_py.errors import ReauthRequired
from tests.servers import synapse as synapse_server
from tests.servers.accounts import USER, Accounts, accounts, declared
from tests.servers.faces import BACKENDS
from tests.servers.launch import browse
from tests.servers.lossy import Lossy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.conftest import Start
    from tests.servers.synapse import Synapse

pytestmark = pytest.mark.server

CLIENT = "/_matrix/client/v3"
WHO = "account/whoami"
NEW_PASSWORD = "matrix-8d00d4f1"


def login(server: Synapse) -> dict[str, Any]:
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
    }
    credentials = {"user": {"title": "User"}, "password": {"title": "Password", "secret": True}}
    return declared(keys, f"{server.url}{CLIENT}/", credentials=credentials, retry={"max_attempts": 1})


@contextmanager
def opened(backend: str, server: Synapse, **options: Any) -> Iterator[Accounts]:
    with accounts(backend, login(server), authorize=str, callback="", **options) as made:
        secrets = {"user": server.login, "password": server.password}
        made.nango.call("register_connection", "it", USER, secrets)
        yield made


def device(ours: Accounts) -> str:
    """Return the session's name: a new login makes a new one."""
    answer = ours.get(WHO)
    assert 200 == answer.status_code, answer.text
    return str(answer.json()["device_id"])


def spend(ours: Accounts, server: Synapse) -> None:
    """Use the refresh token, and the tokens that it brings, behind the engine's back: it ends with that."""
    with browse() as client:
        answer = client.post(server.refresh_url, json={"refresh_token": ours.held("refresh_token")})
        fresh = answer.raise_for_status().json()["access_token"]
        client.get(server.resource, headers={"Authorization": f"Bearer {fresh}"}).raise_for_status()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_session_goes_on_through_rotations(backend: str, synapse: Synapse) -> None:
    with opened(backend, synapse) as ours:
        sessions = {device(ours)}
        tokens = {ours.held("refresh_token")}
        for _ in range(3):
            ours.clock.advance(synapse.lifetime)
            sessions.add(device(ours))
            tokens.add(ours.held("refresh_token"))

        assert (1, 4) == (len(sessions), len(tokens))
        assert ["on_renewed"] * 4 == ours.told


def test_a_lost_answer_costs_no_session(synapse: Synapse) -> None:
    transport = Lossy(f"{CLIENT}/refresh")
    with opened("sync", synapse, transport=transport) as ours:
        first = device(ours)
        ours.clock.advance(synapse.lifetime)
        transport.losses = 1

        assert first == device(ours)
        assert (0, "active") == (transport.losses, ours.connection().status)
    transport.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refresh_token_that_others_spent_leads_to_a_new_login(backend: str, synapse: Synapse) -> None:
    with opened(backend, synapse) as ours:
        first = device(ours)
        spend(ours, synapse)
        ours.clock.advance(synapse.lifetime)

        assert first != device(ours)
        assert "active" == ours.connection().status


def test_a_new_login_starts_with_a_refresh_token_of_its_own(synapse: Synapse) -> None:
    with opened("sync", synapse) as ours:
        device(ours)
        spend(ours, synapse)
        ours.clock.advance(synapse.lifetime)
        second = device(ours)
        ours.clock.advance(synapse.lifetime)

        assert second == device(ours)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_changed_password_needs_the_user(backend: str, start: Start) -> None:
    server = start(synapse_server.serve)
    with opened(backend, server) as ours:
        device(ours)
        change_password(ours, server)  # and every session ends
        ours.clock.advance(server.lifetime)
        for _ in range(2):
            with pytest.raises(ReauthRequired) as caught:
                ours.get(WHO)
            assert server.password not in str(caught.value)

        assert ("reauth_required", ["on_renewed", "on_reauth_required"]) == (ours.connection().status, ours.told)
        new = {"user": server.login, "password": NEW_PASSWORD}
        ours.nango.call("update_connection_credentials", "it", USER, new)
        assert device(ours)


def change_password(ours: Accounts, server: Synapse) -> None:
    proof = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": server.login},
        "password": server.password,
    }
    # Another session changes it: the one that does so stays.
    with browse() as client:
        token = client.post(server.login_url, json=server.login_form).raise_for_status().json()["access_token"]
        url, headers = f"{server.url}{CLIENT}/account/password", {"Authorization": f"Bearer {token}"}
        session = client.post(url, json={"new_password": NEW_PASSWORD}, headers=headers).json()["session"]
        body = {"new_password": NEW_PASSWORD, "logout_devices": True, "auth": {**proof, "session": session}}
        client.post(url, json=body, headers=headers).raise_for_status()


def test_many_threads_make_one_login(synapse: Synapse) -> None:
    ready, found = threading.Barrier(8), list[str]()
    with opened("sync", synapse) as ours:

        def ask() -> None:
            ready.wait(10)
            found.append(device(ours))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (8, 1) == (len(found), len(set(found)))
        assert ["on_renewed"] == ours.told
