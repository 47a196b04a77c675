"""Every auth mode through the engine: register, send, renew, refuse."""

from __future__ import annotations

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nango_py import Nango
from nango_py.errors import CredentialsError, ReauthRequired
from nango_py.testing import ManualClock

START = 1_772_461_855.25
PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
BASE = "https://api.example.com/"
JWT = {"auth_mode": "JWT", "token": {"signing_key": "${credentials.key}", "payload": {"jti": "${uuid()}"}}}


class Provider:
    """Play an API and its login."""

    def __init__(self, *logins):
        self.logins = list(logins)
        self.seen = []

    def __call__(self, request):
        if request.url.path in {"/login", "/refresh"}:
            self.seen.append((request.url.path, json.loads(request.content)))
            status, data = self.logins.pop(0)
            return httpx.Response(status, json=data)
        self.seen.append(("GET", dict(request.headers.items())))
        return httpx.Response(200, json={})

    @property
    def headers(self):
        return self.seen[-1][1]


@pytest.fixture
def opened():
    """Return a function that loads one integration before a provider."""
    left = []

    def opened(provider, auth, **keys):
        clock = ManualClock(START)
        source = {"integrations": {"it": {"auth": auth, "requests": {"base_url": BASE}, **keys}}}
        nango = Nango.load(
            source, store="memory://", transport=httpx.MockTransport(provider), clock=clock, environ={}
        )
        left.append(nango)
        assert () == tuple(nango.problems)
        return nango, clock

    yield opened
    for nango in left:
        nango.close()


def get(nango):
    with nango.client("it", "ann") as client:
        return client.get("x").raise_for_status()


def test_a_made_token_is_sent_remembered_and_never_stored(opened):
    pytest.importorskip("jwt")
    provider = Provider()
    nango, clock = opened(provider, JWT, credentials={"key": {"secret": True}})
    nango.register_connection("it", "ann", {"key": PEM})
    tokens = []
    for seconds in (0, 60, 3600):
        clock.advance(seconds)
        get(nango)
        tokens.append(provider.headers["authorization"])

    assert tokens[0].startswith("Bearer eyJ")
    assert tokens[0] == tokens[1]
    assert tokens[1] != tokens[2]
    assert ["key"] == list(nango.get_connection("it", "ann").credentials)


def test_a_key_that_cannot_sign_names_the_account_and_not_the_key(opened):
    pytest.importorskip("jwt")
    nango, _ = opened(Provider(), JWT, credentials={"key": {"secret": True}})
    nango.register_connection("it", "ann", {"key": "garbage-key"})

    with pytest.raises(CredentialsError, match="cannot sign with RS256") as caught:
        get(nango)
    assert "'it'" in str(caught.value)
    assert "'ann'" in str(caught.value)
    assert "garbage-key" not in str(caught.value)


LOGIN = {
    "auth_mode": "TWO_STEP",
    "token_url": f"{BASE}login",
    "token_params": {"password": "${credentials.password}"},
    "refresh_url": f"{BASE}refresh",
}
SECRET = {"credentials": {"password": {"secret": True}}}


def test_a_login_is_made_refreshed_and_made_again(opened):
    provider = Provider(
        (200, {"access_token": "t1", "expires_in": 3600, "refresh_token": "r1"}),
        (200, {"access_token": "t2", "expires_in": 3600, "refresh_token": "r2"}),
        (401, {"error": "gone"}),
        (200, {"access_token": "t3", "expires_in": 3600}),
        (200, {"access_token": "t4", "expires_in": 3600}),
    )
    nango, clock = opened(provider, LOGIN, **SECRET)
    nango.register_connection("it", "ann", {"password": "p4ssword"})
    sent = []
    for _ in range(4):
        get(nango)
        sent.append(provider.headers["authorization"])
        clock.advance(3600)

    assert ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"] == sent
    assert [
        ("/login", {"password": "p4ssword"}),
        ("/refresh", {"refresh_token": "r1"}),
        ("/refresh", {"refresh_token": "r2"}),
        ("/login", {"password": "p4ssword"}),
        ("/login", {"password": "p4ssword"}),
    ] == [(path, body) for path, body in provider.seen if path != "GET"]


def test_a_wrong_password_needs_the_user_and_is_not_shown(opened):
    nango, _ = opened(Provider((403, {"error": "no such p4ssword"})), LOGIN, **SECRET)
    nango.register_connection("it", "ann", {"password": "p4ssword"})

    for _ in range(2):  # the second one asks nobody
        with pytest.raises(ReauthRequired) as caught:
            get(nango)
        assert "p4ssword" not in str(caught.value)


def test_a_session_in_a_cookie_takes_the_place_of_bearer(opened):
    def provider(request):
        seen.append(dict(request.headers))
        return httpx.Response(200, json={"id": "t"}, headers=[("Set-Cookie", "S=1; Path=/"), ("Set-Cookie", "R=2")])

    seen: list = []
    auth = {**LOGIN, "token_response": {"token": "id"}, "token_response_headers": ["set-cookie"]}
    requests = {"base_url": BASE, "headers": {"Cookie": "${raw._cookies}"}}
    nango, _ = opened(provider, auth, requests=requests, **SECRET)
    nango.register_connection("it", "ann", {"password": "p4ssword"})
    get(nango)

    assert "S=1; R=2" == seen[-1]["cookie"]
    assert "authorization" not in seen[-1]


def test_a_digest_is_sent_and_no_bearer(opened):
    provider = Provider()
    nango, _ = opened(provider, {"auth_mode": "SIGNATURE"})
    nango.register_connection("it", "ann", {"username": "u", "password": "p"})
    get(nango)
    first = provider.headers["x-wsse"]
    get(nango)

    assert first.startswith('UsernameToken Username="u", PasswordDigest="')
    assert first != provider.headers["x-wsse"]
    assert "authorization" not in provider.headers


def test_netsuite_is_signed_in_its_realm(opened):
    pytest.importorskip("oauthlib")
    provider = Provider()
    nango, _ = opened(
        provider,
        {"auth_mode": "TBA", "account_id": "${connection_config.account_id}"},
        connection_config={"account_id": {}},
        oauth_client_id="client",
        oauth_client_secret="client secret",
    )
    nango.register_connection(
        "it", "ann", {"token_id": "i", "token_secret": "s"}, connection_config={"account_id": "1-sb1"}
    )
    get(nango)

    assert provider.headers["authorization"].startswith('OAuth realm="1_SB1"')
    assert 'oauth_consumer_key="client"' in provider.headers["authorization"]


def test_aws_signs_the_request_that_is_sent(opened):
    pytest.importorskip("botocore")
    provider = Provider()
    nango, _ = opened(provider, {"auth_mode": "AWS_SIGV4", "service": "execute-api", "region": "eu-west-1"})
    nango.register_connection("it", "ann", {"access_key_id": "AKIA", "secret_access_key": "s"})
    get(nango)

    assert "Credential=AKIA/20260302/eu-west-1/execute-api/aws4_request" in provider.headers["authorization"]
    assert "20260302T143055Z" == provider.headers["x-amz-date"]
