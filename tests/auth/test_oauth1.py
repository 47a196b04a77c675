"""OAUTH1 against published vectors and against a server's own check of the signature."""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import quote, unquote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nango_py.auth.oauth1 import OAuth1
from nango_py.errors import CredentialsError, InputError
from nango_py.http import Request
from nango_py.secret import Secret

pytest.importorskip("oauthlib", reason="OAUTH1 needs the extra oauth1")

from oauthlib.common import Request as Seen
from oauthlib.oauth1.rfc5849 import signature

FORM = "application/x-www-form-urlencoded"
PHOTOS = {
    "oauth_client_id": Secret("dpf43f3p2l4k3l03"),
    "oauth_client_secret": Secret("kd94hf93k423kf44"),
    "oauth_token": Secret("nnch734d00sl2jdk"),
    "oauth_token_secret": Secret("pfkkdhi9sl3r4s00"),
}


def ec_pem():
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )


def signed(request, values=PHOTOS, *, now=137_131_202.5, nonce="chapoH", body=None, **keys):
    return OAuth1(**keys).sign(request, values, now=now, nonce=nonce, body=body)


def parameters(request):
    found = re.findall(r'(\w+)="([^"]*)"', request.headers["Authorization"])
    return {name: unquote(text) for name, text in found}


def test_a_signature_is_that_of_oauth_core_1_0_appendix_a():
    # The example of RFC 5849, section 1.2, with the oauth_version that oauthlib always sends.
    request = Request("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original")
    signed(request, now=1_191_242_096.5, nonce="kllo9940pd9333jh")

    assert {
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1191242096",
        "oauth_nonce": "kllo9940pd9333jh",
        "oauth_version": "1.0",
        "oauth_signature": "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
    } == parameters(request)


def verified(request, body, method, secret="kd94hf93k423kf44", token_secret="pfkkdhi9sl3r4s00"):
    """Tell whether a server that knows the secrets takes the signature for genuine."""
    form = request.headers.get("Content-Type", "").startswith(FORM)
    seen = Seen(str(request.url), request.method, body.decode() if body and form else "", dict(request.headers))
    found = signature.collect_parameters(
        uri_query=request.url.query.decode(), body=seen.body if form else [], headers=dict(request.headers)
    )
    seen.params, seen.signature = found, parameters(request)["oauth_signature"]
    check = {
        "HMAC-SHA1": signature.verify_hmac_sha1,
        "HMAC-SHA256": signature.verify_hmac_sha256,
        "PLAINTEXT": signature.verify_plaintext,
    }[method]
    return check(seen, secret, token_secret)


def test_plaintext_is_the_two_secrets():  # the example of RFC 5849, section 2.3
    values = {
        "oauth_client_id": Secret("jd83jd92dhsh93js"),
        "oauth_client_secret": Secret("ja893SD9"),
        "oauth_token": Secret("hdk48Djdsa"),
        "oauth_token_secret": Secret("xyz4992k83j47x0b"),
    }
    request = signed(Request("POST", "https://photos.example.net/token"), values, signature_method="PLAINTEXT")

    assert 'oauth_signature="ja893SD9%26xyz4992k83j47x0b"' in request.headers["Authorization"]


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("pem", [PEM, PEM.replace("\n", " "), PEM.replace("\n", "\\n")])
def test_rsa_sha1_is_verified_by_the_public_key(pem):
    pytest.importorskip("jwt", reason="oauthlib signs with RSA through pyjwt")
    values = {**PHOTOS, "oauth_client_secret": Secret(pem)}
    request = Request("GET", "http://photos.example.net:80/photos?size=original&file=vacation.jpg&x=%C3%BC")
    signed(request, values, now=1_191_242_096.5, nonce="kllo9940pd9333jh", signature_method="RSA-SHA1")
    pairs = (
        "file=vacation.jpg&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_nonce=kllo9940pd9333jh"
        "&oauth_signature_method=RSA-SHA1&oauth_timestamp=1191242096&oauth_token=nnch734d00sl2jdk"
        "&oauth_version=1.0&size=original&x=%C3%BC"
    )
    base = "&".join(quote(part, safe="") for part in ("GET", "http://photos.example.net/photos", pairs))
    genuine = b64decode(parameters(request)["oauth_signature"])

    RSA.public_key().verify(genuine, base.encode(), PKCS1v15(), SHA1())
    with pytest.raises(InvalidSignature):
        RSA.public_key().verify(genuine, base.encode() + b"x", PKCS1v15(), SHA1())


@pytest.mark.parametrize("key", ["garbage", "", PEM[:200], ec_pem()])
def test_a_key_that_is_none_for_rsa_is_a_clear_error(key):
    values = {**PHOTOS, "oauth_client_secret": Secret(key)}
    with pytest.raises(CredentialsError, match="oauth_client_secret must be an RSA key in PEM") as caught:
        signed(Request("GET", "http://photos.example.net/"), values, signature_method="RSA-SHA1")
    assert "garbage" not in str(caught.value)


BODIES = {
    "none": (None, {}),
    "form": (b"name=Ann+B&tag=a%26b&tag=%C3%BC", {"Content-Type": FORM}),
    "form with a charset": (b"name=Ann", {"Content-Type": f"{FORM}; charset=utf-8"}),
    "json": (b'{"a": 1}', {"Content-Type": "application/json"}),
    "bytes": (b"\xff\x00", {"Content-Type": "application/octet-stream"}),
}


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
@pytest.mark.parametrize(("body", "headers"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(
    "url", ["https://api.example.com/x", "https://API.example.com:443/a%20b?q=%C3%BC&q=a+b&empty=", "http://h:8080/"]
)
def test_a_server_takes_the_signature_for_genuine(url, body, headers, method):
    request = Request("POST", url, content=body, headers=headers)
    signed(request, body=body, signature_method=method)

    assert verified(request, body, method)
    assert not verified(request, body, method, secret="another")
    assert method == parameters(request)["oauth_signature_method"]


def test_a_changed_form_is_noticed():
    body, headers = BODIES["form"]
    request = signed(Request("POST", "https://api.example.com/x", content=body, headers=headers), body=body)

    assert not verified(request, body + b"&more=1", "HMAC-SHA1")


@pytest.mark.parametrize("query", ["filter[x]=1&a={b}|c", "q='x';y:z", "a=%5B0%5D&b=[0]&c=1%2B1+2", "q=<\u00fc>"])
def test_a_query_is_signed_by_its_values_however_it_is_written(query):
    request = signed(Request("GET", f"https://api.example.com/x?{query}"))
    plain = Request("GET", "https://api.example.com/x", params=request.url.params)

    assert parameters(signed(plain)) == parameters(request)


@pytest.mark.parametrize("body", [b"\xff", b"{bad} x"])
def test_a_form_that_is_none_is_an_input_error(body):
    request = Request("POST", "https://api.example.com/x", content=body, headers={"Content-Type": FORM})
    with pytest.raises(InputError, match="the body is not form-encoded"):
        signed(request, body=body)


def test_nothing_but_the_header_changes():
    body, headers = BODIES["form"]
    request = Request("POST", "https://api.example.com/x?a=1", content=body, headers=headers)
    before = dict(request.headers)
    signed(request, body=body)

    assert before == {name: text for name, text in request.headers.items() if name != "authorization"}
    assert ("https://api.example.com/x?a=1", body) == (str(request.url), request.content)


def test_a_scheme_that_places_nothing_signs_nothing():
    request = signed(Request("GET", "https://api.example.com/x"), placement="none")

    assert "authorization" not in request.headers


def test_the_authorization_header_is_its_own_unless_it_places_nothing():
    assert [True, False, False] == [
        OAuth1().uses_header("AUTHORIZATION"),
        OAuth1().uses_header("Accept"),
        OAuth1(placement="none").uses_header("Authorization"),
    ]


def test_token_and_secret_are_both_needed():
    refused = []
    OAuth1().accept({}, OAuth1.fields, refused.append, now=0.0)

    assert ["'oauth_token' is missing (Token).", "'oauth_token_secret' is missing (Token secret)."] == refused
