"""Every proof of a client, as the specifications have it; exactly one is sent."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from nango_py.auth.client_authentication import authenticated
from nango_py.auth.grant import TokenRequest

NOW = 1_800_000_000.5
URL = "https://auth.example.com/token"
HS_KEY = "a secret that is long enough for HS256"


def proven(method, *, client_id="id", client_secret="secret", algorithm=None, **request):
    return authenticated(
        TokenRequest(url=URL, **({"form": {"grant_type": "x"}} | request)),
        method,
        client_id=client_id,
        client_secret=client_secret,
        audience=URL,
        now=NOW,
        nonce="n-1",
        algorithm=algorithm,
    )


def test_basic_sends_the_header_alone():
    request = proven("basic")

    assert b"id:secret" == b64decode(request.headers["Authorization"].removeprefix("Basic "))
    assert {"grant_type": "x"} == request.form


def test_basic_encodes_both_parts_first():  # RFC 6749 section 2.3.1
    request = proven("basic", client_id="a:b", client_secret="100% +ü")

    assert b"a%3Ab:100%25+%2B%C3%BC" == b64decode(request.headers["Authorization"].removeprefix("Basic "))


def test_post_sends_fields_alone():
    request = proven("post")

    assert {"client_id": "id", "client_secret": "secret", "grant_type": "x"} == request.form
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("place", ["json", "form"])
def test_what_is_declared_is_not_replaced(place):
    request = proven("post", **{"form": None, place: {"client_id": "mine"}})

    assert {"client_id": "mine", "client_secret": "secret"} == getattr(request, place)


def test_a_request_without_a_body_bears_its_client_in_the_query():
    request = proven("post", form=None, params=(("client_id", "mine"),))

    assert (("client_id", "mine"), ("client_secret", "secret")) == request.params


def test_a_public_client_names_itself_alone():
    assert {"client_id": "id", "grant_type": "x"} == proven("none").form


def test_a_shared_secret_signs_an_assertion():  # RFC 7523 section 2.2, OpenID Connect Core section 9
    jwt = pytest.importorskip("jwt", reason="assertions need the extra jwt")
    form = proven("client_secret_jwt", client_secret=HS_KEY).form
    claims = jwt.decode(
        form["client_assertion"], HS_KEY, algorithms=["HS256"], audience=URL, options={"verify_exp": False,
                                                                                      "verify_iat": False}
    )  # fmt: skip

    assert "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" == form["client_assertion_type"]
    assert "client_secret" not in form
    assert {
        "iss": "id",
        "sub": "id",
        "aud": URL,
        "jti": "n-1",
        "iat": int(NOW),
        "exp": int(NOW) + 300,
    } == claims


@pytest.fixture(scope="module")
def keys():
    """Return an RSA key as PEM and as JWK, and its public half."""
    jwt = pytest.importorskip("jwt", reason="assertions need the extra jwt")
    from cryptography.hazmat.primitives import serialization as written
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(written.Encoding.PEM, written.PrivateFormat.PKCS8, written.NoEncryption()).decode()
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)), "kid": "key-7"}
    return pem, jwk, key.public_key()


def assertion(public, **settings):
    import jwt

    token = proven("private_key_jwt", **settings).form["client_assertion"]
    jwt.decode(
        token, public, algorithms=["RS256", "PS256"], audience=URL, options={"verify_exp": False, "verify_iat": False}
    )
    return jwt.get_unverified_header(token)


def test_a_private_key_signs_an_assertion(keys):
    pem, _, public = keys

    assert {"alg": "RS256", "typ": "JWT"} == assertion(public, client_secret=pem)
    assert "PS256" == assertion(public, client_secret=pem, algorithm="PS256")["alg"]
    assert "RS256" == assertion(public, client_secret=pem.replace("\n", "\\n"))["alg"]


def test_a_private_key_may_be_a_jwk_which_has_a_name(keys):
    _, jwk, public = keys

    assert {"alg": "RS256", "typ": "JWT", "kid": "key-7"} == assertion(
        public, client_secret=json.dumps(jwk, indent=1)
    )
    assert "kid" not in assertion(public, client_secret=json.dumps({**jwk, "kid": None}))


@pytest.mark.parametrize(
    "key", ["", "garbage-key", "{", "{}", '{"kty": "RSA"}', '{"kty": "oct", "k": "Z2FyYmFnZS1rZXk"}', "[1]"]
)
def test_a_key_that_cannot_sign_is_never_quoted(keys, key):
    del keys
    with pytest.raises(ValueError, match="cannot sign with RS256") as caught:
        proven("private_key_jwt", client_secret=key)

    assert "garbage-key" not in str(caught.value)


def test_a_public_key_cannot_sign(keys):
    _, jwk, _ = keys
    with pytest.raises(ValueError, match="cannot sign"):
        proven("private_key_jwt", client_secret=json.dumps({name: jwk[name] for name in ("kty", "n", "e")}))


def test_a_public_client_names_no_secret():
    assert {"client_id": "id", "grant_type": "x"} == proven("post", client_secret="", form={"grant_type": "x"}).form
