"""Connection config that the sign-in itself brings: nobody has to know it when it begins, and it is checked at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.errors import CredentialsError, ResponseError, UnknownConnection
from tests.servers.faces import face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face

CALLBACK = "https://app.example.com/callback"
COMPANY = {"title": "Company ID", "pattern": "^[0-9]+$"}
DECLARED = {
    "auth": {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://login.example.com/authorize",
        "token_url": "https://login.example.com/token",
        "device_authorization_url": "https://login.example.com/device",
        "redirect_uri_metadata": ["company"],
        "token_response_metadata": ["team.host"],
    },
    "oauth_client_id": "client",
    "oauth_client_secret": "client-secret",
    "connection_config": {
        "company": COMPANY,
        "team.host": {"format": "hostname", "prefix": "https://"},
        "region": {"enum": ["eu", "us"]},
    },
    "requests": {"base_url": "https://api.example.com/${connection_config.region}/${connection_config.company}/"},
}
GRANTED = {"access_token": "t0k3n", "team": {"host": "https://eu.example.com"}}
DEVICE = {
    "user_code": "AB", "verification_uri": "https://v.example.com", "device_code": "d", "expires_in": 60, "interval": 1
}  # fmt: skip


@pytest.fixture
def granted() -> dict[str, Any]:
    """Give what the token endpoint answers, for a test to change."""
    return json.loads(json.dumps(GRANTED))


@pytest.fixture(params=["sync", "asyncio"])
def nango(request: pytest.FixtureRequest, granted: dict[str, Any]) -> Iterator[Face]:
    def answer(asked: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=DEVICE if asked.url.path == "/device" else granted)

    load = {"store": "memory://", "transport": httpx.MockTransport(answer)}
    with face(request.param, {"integrations": {"crm": DECLARED}}, load) as opened:
        yield opened


def finish(nango: Face, query: str, **config: str) -> Any:
    given = {"region": "eu", **config}
    begun = nango.call("oauth.begin", "crm", "ann", redirect_uri=CALLBACK, connection_config=given)
    return nango.call("oauth.finish", f"?code=c&state={begun.state}{query}", binding=begun.binding)


def test_required_config_that_the_sign_in_brings_is_not_asked_for_when_it_begins(nango: Face) -> None:
    made = finish(nango, "&company=42")

    assert {"region": "eu", "company": "42", "team.host": "eu.example.com"} == made.connection_config


def test_config_that_nothing_brings_is_asked_for_when_it_begins(nango: Face) -> None:
    with pytest.raises(CredentialsError, match="'region' is missing") as refused:
        nango.call("oauth.begin", "crm", "ann", redirect_uri=CALLBACK)

    assert "company" not in str(refused.value)


def test_what_did_not_come_is_named_when_it_ends(nango: Face, granted: dict[str, Any]) -> None:
    del granted["team"]
    with pytest.raises(ResponseError) as failed:
        finish(nango, "")

    expected = (
        "integration 'crm', user 'ann': access was granted, but the connection_config that it should bring does not "
        "fit: 'company' is missing (Company ID). 'team.host' is missing. Begin again and give it, or correct "
        "redirect_uri_metadata and token_response_metadata of the blueprint."
    )
    assert expected == str(failed.value)
    with pytest.raises(UnknownConnection):
        nango.call("get_connection", "crm", "ann")


def test_what_came_must_fit_what_is_declared(nango: Face) -> None:
    with pytest.raises(ResponseError, match="'company' does not match the declared pattern") as failed:
        finish(nango, "&company=../42")

    assert "../42" not in str(failed.value)


def test_what_was_given_stays_where_nothing_comes(nango: Face) -> None:
    assert "7" == finish(nango, "", company="7").connection_config["company"]


def test_a_device_that_brings_too_little_does_not_ask_for_ever(nango: Face) -> None:
    device = nango.call("oauth.begin_device", "crm", "ann", connection_config={"region": "eu"})
    with pytest.raises(ResponseError, match=r"'company' is missing"):
        nango.call("oauth.finish_device", device)


def test_tokens_that_were_got_elsewhere_come_with_all_of_it(nango: Face) -> None:
    with pytest.raises(CredentialsError, match=r"'company' is missing .* 'team.host' is missing"):
        nango.call("register_connection", "crm", "ann", {"access_token": "t"}, {"region": "eu"})
