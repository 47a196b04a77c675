"""Credentials that fit no request: the error is ours, and neither it nor its chain bears them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from nango_py import Nango
from nango_py.errors import CredentialsError, UsageError
from tests.servers.faces import KEYS

CLIENT = {"oauth_client_id": "client", "oauth_client_secret": "client-secret"}
AWS = {"auth_mode": "AWS_SIGV4", "service": "s3", "region": "eu-west-1"}
TBA = {"auth_mode": "TBA", "account_id": "${connection_config.account}"}
SECRET = "s3cret-caf\u00e9"


def loaded(auth: dict[str, Any]) -> Nango:
    keys: dict[str, Any] = {"auth": auth, "requests": {"base_url": "https://api.example.com"}, **CLIENT}
    if auth is TBA:
        keys["connection_config"] = {"account": {}}
    return Nango.load(
        {"integrations": {"it": keys}},
        store="memory://",
        transport=httpx.MockTransport(lambda _: httpx.Response(200)),
        environ={"NANGO_ENCRYPTION_KEYS": KEYS},
    )


def chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while (after := found[-1].__cause__ or found[-1].__context__) is not None:
        found.append(after)
    return found


@pytest.mark.parametrize(
    ("auth", "credentials", "config"),
    [
        (AWS, {"access_key_id": "AK", "secret_access_key": "x", "session_token": SECRET}, None),
        (AWS, {"access_key_id": SECRET, "secret_access_key": "x"}, None),
        (TBA, {"token_id": "a", "token_secret": "b"}, {"account": SECRET}),
        (TBA, {"token_id": "a", "token_secret": "b"}, {"account": '1", oauth_token="2'}),
    ],
    ids=["session token", "access key", "realm", "quotes"],
)
def test_what_no_header_can_hold_is_refused_by_name(
    auth: dict[str, Any], credentials: dict[str, str], config: dict[str, str] | None
) -> None:
    with loaded(auth) as nango:
        nango.register_connection("it", "ann", credentials, config)
        with nango.client("it", "ann") as client, pytest.raises(UsageError) as caught:
            client.get("/x")

    assert [UsageError] == [type(error) for error in chain(caught.value)]
    assert "caf" not in str(caught.value)


@pytest.mark.parametrize("mode", ["BASIC", "SIGNATURE"])
def test_half_a_surrogate_pair_is_refused_at_once(mode: str) -> None:
    with (
        loaded({"auth_mode": mode}) as nango,
        pytest.raises(CredentialsError, match="'password' holds half") as caught,
    ):
        nango.register_connection("it", "ann", {"username": "ann", "password": "half \ud800"})

    assert caught.value.__context__ is None
