"""APP: the token of a GitHub App's installation, as GitHub documents the exchange."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nango_py.auth.app import App
from nango_py.auth.grant import BadAnswer, Refused
from nango_py.secret import Secret
from tests.auth.grants import NOW, Answer, account, perform

jwt = pytest.importorskip("jwt", reason="APP needs the extra jwt")


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
URL = "https://api.github.com/app/installations/${connection_config.installation_id}/access_tokens"
GRANTED = {"token": "ghs_x", "expires_at": "2026-03-02T15:30:55Z", "permissions": {"issues": "write"}}


def renewed(answer, *, key=PEM, installation="42", **keys):
    holder = account(
        {},
        connection_config={"installation_id": installation},
        oauth_client_id=Secret("123456"),
        oauth_client_secret=Secret(key),
    )
    return perform(App.declare({"token_url": URL, **keys}).renew(holder), answer)


def test_the_app_asks_for_a_token_of_the_installation():
    asked, obtained = renewed(Answer(GRANTED, status=201))
    token = asked[0].headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, KEY.public_key(), algorithms=["RS256"], options={"verify_exp": False})

    assert ["https://api.github.com/app/installations/42/access_tokens"] == [request.url for request in asked]
    assert "POST" == asked[0].method
    assert {"iss": "123456", "iat": int(NOW) - 60, "exp": int(NOW) + 600} == claims
    assert "ghs_x" == obtained.credentials["access_token"]
    assert 1_772_465_455.0 == obtained.credentials["expires_at"]
    assert {"issues": "write"} == obtained.credentials["raw"]["permissions"]
    assert "token" not in obtained.credentials["raw"]


def test_the_token_may_be_narrowed():
    asked, _ = renewed(
        Answer(GRANTED), body_format="json", token_params={"repositories": ["a"]}, token_headers={"Accept": "x"}
    )

    assert {"repositories": ["a"]} == asked[0].json
    assert "x" == asked[0].headers["Accept"]


@pytest.mark.parametrize(("status", "is_final"), [(401, False), (403, False), (404, True)])
def test_only_an_installation_that_is_gone_is_a_final_refusal(status, is_final):
    with pytest.raises(Refused) as caught:
        renewed(Answer({"message": "no"}, status=status))
    assert (is_final, "no") == (caught.value.is_final, caught.value.description)


def test_trouble_is_no_refusal():
    with pytest.raises(BadAnswer, match="was answered 502"):
        renewed(Answer(b"<html>", status=502))


def test_a_key_that_cannot_sign_is_a_clear_error():
    with pytest.raises(ValueError, match="give a private key in PEM") as caught:
        renewed(Answer(), key="garbage")
    assert "garbage" not in str(caught.value)


def test_an_installation_id_stays_one_segment_of_the_path():
    asked, _ = renewed(Answer(GRANTED), installation="42/../../user")

    assert "https://api.github.com/app/installations/42%2F..%2F..%2Fuser/access_tokens" == asked[0].url


def test_a_connection_needs_no_credentials():
    refused = []
    app = App.declare({"token_url": URL})

    assert {} == app.accept({}, App.fields, refused.append, now=NOW)
    assert [] == refused
    assert app.can_renew({})
    assert not app.is_complete({})
