"""JWT: tokens made here, verified with the public key; rows T14 and T15 of the cases."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nango_py.auth.jwt import JsonWebToken
from nango_py.http import Request
from nango_py.secret import Secret
from tests.auth.grants import NOW, account, perform

jwt = pytest.importorskip("jwt", reason="JWT needs the extra jwt")


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
SECRET = "0123456789abcdef" * 4
PAYLOAD = {"iss": "${credentials.issuer}", "jti": "${uuid()}", "scope": ["${connection_config.scope}"]}


def pem(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def scheme(protocol="RSA", *, header=None, payload=None, **keys):
    token = {"signing_key": "${credentials.key}", "expires_in_ms": 300_000, "payload": payload or PAYLOAD}
    return JsonWebToken.declare(
        {"token": {**token, "header": header or {}}, "signature": {"protocol": protocol}, **keys}
    )


def made(key, auth=None, *, now=NOW, **config):
    holder = account({"issuer": "us", "key": key}, now=now, connection_config=config)
    asked, obtained = perform((auth or scheme()).renew(holder))
    assert [] == asked
    return obtained.credentials


def claims(token, key, algorithm):
    options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    return jwt.decode(token, key, algorithms=[algorithm], options=options)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("lost", [str, lambda text: text.replace("\n", " "), lambda text: text.replace("\n", "\\n")])
def test_rsa_keys_sign_even_when_their_line_breaks_were_lost(form, lost):
    token = made(lost(pem(RSA, form)))["access_token"]

    assert "us" == claims(token, public(RSA), "RS256")["iss"]


def test_ec_keys_sign():
    auth = scheme("EC", header={"alg": "ES256", "kid": "${credentials.issuer}", "typ": "JWT"})
    token = made(pem(EC), auth)["access_token"]

    assert "us" == claims(token, public(EC), "ES256")["iss"]
    assert {"alg": "ES256", "kid": "us", "typ": "JWT"} == jwt.get_unverified_header(token)


def test_an_hmac_key_is_hexadecimal_unless_declared_otherwise():
    auth = scheme("HMAC", signature={"protocol": "HMAC", "hmac_secret_encoding": "utf8"})

    assert "us" == claims(made(SECRET, scheme("HMAC"))["access_token"], bytes.fromhex(SECRET), "HS256")["iss"]
    assert "us" == claims(made(SECRET, auth)["access_token"], SECRET.encode(), "HS256")["iss"]


def test_a_part_of_a_credential_may_be_the_key():
    token = {"signing_key": "${credentials.key[3:]}", "header": {"kid": "${credentials.key[:2]}"}}
    auth = JsonWebToken.declare({"token": token, "signature": {"protocol": "HMAC"}})
    credentials = made(f"id:{SECRET}", auth)

    assert "id" == jwt.get_unverified_header(credentials["access_token"])["kid"]
    assert claims(credentials["access_token"], bytes.fromhex(SECRET), "HS256")


def test_it_says_when_it_was_made_and_when_it_ends():
    credentials = made(pem(RSA))
    found = claims(credentials["access_token"], public(RSA), "RS256")

    assert (1_772_461_855, 1_772_462_155) == (found["iat"], found["exp"])
    assert 300 == found["exp"] - found["iat"]
    assert (1_772_462_155.0, NOW) == (credentials["expires_at"], credentials["obtained_at"])
    assert 1_772_462_155.0 == scheme().expires_at(credentials)
    assert pytest.approx(29.975) == scheme().leeway(credentials)


def test_a_claim_without_a_value_is_left_out():
    found = claims(made(pem(RSA))["access_token"], public(RSA), "RS256")

    assert {"iss", "jti", "iat", "exp"} == set(found)


def test_a_text_with_commas_becomes_several_items_of_a_list_and_stays_itself_elsewhere():
    payload = {"scope": ["${connection_config.scope}"], "text": "${connection_config.scope}", "plain": ["a, b"]}
    token = made(pem(RSA), scheme(payload=payload), scope="GET /v1/apps, GET /v1/builds")["access_token"]
    found = claims(token, public(RSA), "RS256")

    assert ["GET /v1/apps", "GET /v1/builds"] == found["scope"]
    assert "GET /v1/apps, GET /v1/builds" == found["text"]
    assert ["a, b"] == found["plain"]


def test_each_token_has_an_id_of_its_own():
    key = pem(RSA)
    ids = {claims(made(key)["access_token"], public(RSA), "RS256")["jti"] for _ in range(3)}

    assert 3 == len(ids)


@pytest.mark.parametrize(
    ("key", "auth", "message"),
    [
        ("garbage-key", scheme(), "the key cannot sign with RS256: give a private key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\ngarbage-key\n-----END PRIVATE KEY-----", scheme(), "cannot sign with RS256"),
        (pem(EC), scheme(), "cannot sign with RS256"),
        (pem(RSA), scheme("EC"), "cannot sign with ES256"),
        ("garbage-key", scheme("HMAC"), "the HMAC key is no hexadecimal text"),
        (SECRET, scheme("HMAC", header={"alg": "RS256"}), "'alg' does not fit the signature protocol HMAC"),
        (pem(RSA), scheme(header={"alg": "none"}), "'alg' does not fit the signature protocol RSA"),
        (pem(RSA), scheme(header={"alg": "HS256"}), "'alg' does not fit the signature protocol RSA"),
        ("", scheme(), r"\$\{credentials.key\} has no value"),
    ],
)
def test_a_key_that_cannot_sign_is_a_clear_error_that_quotes_nothing_of_it(key, auth, message):
    with pytest.raises(ValueError, match=message) as caught:
        made(key, auth)
    assert "garbage-key" not in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_it_is_sent_as_bearer_and_never_kept():
    request = Request("GET", "https://api.example.com/")
    auth = scheme()
    auth.sign(request, {"access_token": Secret("t")}, now=NOW, nonce="", body=None)

    assert "Bearer t" == request.headers["Authorization"]
    assert not auth.is_kept
    assert not auth.is_complete({})
    assert auth.can_renew({})


def test_it_may_be_sent_in_other_words():
    request = Request("GET", "https://api.example.com/")
    scheme(value="Ghost ${access_token}").sign(request, {"access_token": Secret("t")}, now=NOW, nonce="", body=None)

    assert "Ghost t" == request.headers["Authorization"]
