"""SIGNATURE: the X-WSSE header of Emarsys, recomputed as its documentation says."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

import pytest

from nango_py.auth.signature import UsernameToken
from nango_py.http import Request
from nango_py.secret import Secret
from nango_py.template import TemplateError

NOW = 1_772_461_855.25
NONCE = "d36e316282959a9ed4c89851497a717f"
VALUES = {"username": "customer001", "password": Secret("customersecret")}


def signed(now=NOW, nonce=NONCE, headers=None, **keys):
    request = Request("GET", "https://api.example.com/x", headers=headers)
    return UsernameToken.declare(keys).sign(request, VALUES, now=now, nonce=nonce, body=b"")


def test_the_digest_is_the_base64_text_of_the_hexadecimal_digest():
    text = f"{NONCE}2026-03-02T14:30:55.250Zcustomersecret"
    digest = b64encode(sha1(text.encode()).hexdigest().encode()).decode()

    assert (
        f'UsernameToken Username="customer001", PasswordDigest="{digest}", Nonce="{NONCE}", '
        'Created="2026-03-02T14:30:55.250Z"'
    ) == signed().headers["X-WSSE"]


def test_the_digest_may_be_made_of_the_bytes():
    text = f"{NONCE}2026-03-02T14:30:55.250Zcustomersecret"
    digest = b64encode(sha1(text.encode()).digest()).decode()
    request = signed(signature={"protocol": "WSSE", "digest_encoding": "binary"})

    assert f'PasswordDigest="{digest}"' in request.headers["X-WSSE"]


def test_every_request_has_its_own_digest():
    one, other = signed().headers["X-WSSE"], signed(nonce="0" * 32).headers["X-WSSE"]
    later = signed(now=NOW + 1).headers["X-WSSE"]

    assert 3 == len({one, other, later})


def test_there_is_no_authorization_header_beside_it():
    assert "Authorization" not in signed().headers


def test_a_header_that_is_there_already_stays():
    assert "mine" == signed(headers={"x-wsse": "mine"}).headers["X-WSSE"]


def test_nothing_is_signed_where_nothing_is_placed():
    assert "X-WSSE" not in signed(placement="none").headers


@pytest.mark.parametrize(("name", "uses"), [("x-wsse", True), ("X-WSSE", True), ("Authorization", False)])
def test_the_scheme_knows_its_header(name, uses):
    assert uses is UsernameToken().uses_header(name)


def test_a_user_name_that_no_header_holds_is_refused():
    values = {"username": "anné", "password": Secret("p")}
    with pytest.raises(TemplateError, match="only ASCII") as caught:
        UsernameToken().sign(Request("GET", "https://a.example.com/"), values, now=NOW, nonce=NONCE, body=b"")
    assert "anné" not in str(caught.value)


def test_a_user_name_cannot_leave_its_quotes():
    refused = []
    given = {"username": 'a", Nonce="x', "password": "p"}
    UsernameToken().accept(given, UsernameToken.fields, refused.append, now=NOW)

    assert ["'username' does not match the declared pattern."] == refused
