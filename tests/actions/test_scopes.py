"""What an account has not granted is said before anything is sent, and only where it is known."""

from __future__ import annotations

import httpx
import pytest

from nango_py import MissingScopes, Nango, ReauthRequired
from tests.actions.declared import Sent

OAUTH = {
    "auth": {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://birds.test/authorize",
        "token_url": "https://birds.test/token",
    },
    "oauth_client_id": "id",
    "oauth_client_secret": "secret-4f1c9a",
    "oauth_scopes": ["birds:read"],
    "requests": {"base_url": "https://birds.test/"},
}


def run(needed, granted, sent):
    action = {"request": {"path": "x"}, "requires_scopes": needed}
    source = {"integrations": {"birds": {**OAUTH, "actions": {"act": action}}}}
    with Nango.load(source, store="memory://", transport=httpx.MockTransport(sent), environ={}) as nango:
        assert () == nango.problems
        tokens = {"access_token": "token-4f1c9a"}
        nango.register_connection("birds", "u", tokens if granted is None else {**tokens, "scope": granted})
        return nango.trigger_action("birds", "act", "u")


@pytest.mark.parametrize(
    "granted", ["birds:read birds:write", "birds:write,birds:read", "birds:write, birds:read", None]
)
def test_action_runs_with_its_scopes_and_where_they_are_not_known(granted):
    sent = Sent()
    assert {"ok": True} == run(["birds:read", "birds:write"], granted, sent)


@pytest.mark.parametrize("granted", ["birds:admin", "birds:write"])
def test_any_of_a_list_will_do(granted):
    assert {"ok": True} == run([["birds:write", "birds:admin"]], granted, Sent())


def test_missing_scopes_are_named_with_the_way_to_get_them_and_nothing_is_sent():
    sent = Sent()
    with pytest.raises(MissingScopes) as caught:
        run(["birds:write", ["eggs", "nests"], "birds:read"], "birds:read", sent)
    assert (("birds:write", "eggs or nests"), [], "act") == (caught.value.missing, sent.requests, caught.value.action)
    assert (
        "integration 'birds', action 'act': the account has not granted birds:write, eggs or nests, so nothing was "
        "sent. Let it be connected again with these scopes: nango.oauth.begin('birds', 'u', redirect_uri=..., "
        "scopes=['birds:read', 'birds:write', 'eggs'])."
    ) == str(caught.value)


def test_whoever_asks_the_user_to_connect_again_catches_missing_scopes_too():
    assert issubclass(MissingScopes, ReauthRequired)
