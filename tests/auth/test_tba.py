"""TBA against the signature of RFC 5849, section 3.4, worked out here with NetSuite's published example values."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import quote, unquote

import pytest

from nango_py.auth.tba import TokenBased
from nango_py.http import Request
from nango_py.secret import Secret

pytest.importorskip("oauthlib", reason="TBA needs the extra oauth1")

URL = "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl"
QUERY = {"script": "6", "deploy": "1", "customParam": "someValue", "testParam": "someOtherValue"}
CONSUMER = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4"
CONSUMER_SECRET = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
TOKEN = "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc"
TOKEN_SECRET = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
NONCE = "fjaLirsIcCGVZWzBX0pg"
VALUES = {
    "token_id": Secret(TOKEN),
    "token_secret": Secret(TOKEN_SECRET),
    "oauth_client_id": Secret(CONSUMER),
    "oauth_client_secret": Secret(CONSUMER_SECRET),
    "connection_config": {"account_id": "123456"},
}


def signed(values=VALUES, **keys):
    keys = {"account_id": "${connection_config.account_id}", **keys}
    request = Request("POST", f"{URL}?{'&'.join(f'{name}={text}' for name, text in QUERY.items())}")
    return TokenBased.declare(keys).sign(request, values, now=1_508_242_306.9, nonce=NONCE, body=b"")


def parameters(request):
    return {name: unquote(text) for name, text in re.findall(r'(\w+)="([^"]*)"', request.headers["Authorization"])}


def worked_out(consumer=CONSUMER, consumer_secret=CONSUMER_SECRET):
    pairs = {
        **QUERY,
        "oauth_consumer_key": consumer,
        "oauth_nonce": NONCE,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1508242306",
        "oauth_token": TOKEN,
        "oauth_version": "1.0",
    }
    listed = "&".join(f"{name}={quote(text, safe='')}" for name, text in sorted(pairs.items()))
    base = "&".join(quote(part, safe="") for part in ("POST", URL, listed))
    return b64encode(hmac.new(f"{consumer_secret}&{TOKEN_SECRET}".encode(), base.encode(), sha256).digest()).decode()


def test_the_signature_is_that_of_the_specification():
    assert {
        "realm": "123456",
        "oauth_consumer_key": CONSUMER,
        "oauth_token": TOKEN,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1508242306",
        "oauth_nonce": NONCE,
        "oauth_version": "1.0",
        "oauth_signature": worked_out(),
    } == parameters(signed())


def test_the_realm_is_the_account_in_its_own_spelling():
    values = {**VALUES, "connection_config": {"account_id": "1234567-sb1-rp2"}}

    assert "1234567_SB1_RP2" == parameters(signed(values))["realm"]


def test_a_connection_may_bring_its_own_client():
    own = {"client_id": Secret("own"), "client_secret": Secret("own secret")}
    request = signed({**VALUES, "credentials": own})

    assert "own" == parameters(request)["oauth_consumer_key"]
    assert worked_out("own", "own%20secret") == parameters(request)["oauth_signature"]


def test_nothing_is_signed_where_nothing_is_placed():
    assert "Authorization" not in signed(placement="none").headers


def test_the_scheme_knows_its_header():
    scheme = TokenBased.declare({"account_id": "1"})

    assert scheme.uses_header("authorization")
    assert not scheme.uses_header("accept")
