"""Keys in PEM: lost line breaks come back, and a fingerprint names the public key."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nango_py.pem import normalised_pem, public_key_fingerprint
from nango_py.secret import Secret
from nango_py.template import TemplateError, split

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("text", [PEM, PEM.replace("\n", " "), PEM.replace("\n", "\\n"), PEM.replace("\n", "\r\n")])
def test_line_breaks_come_back(text):
    assert PEM == normalised_pem(text)


@pytest.mark.parametrize(
    "text", ["", "garbage", "-----BEGIN", "-----BEGIN X-----", "x -----BEGIN X-----a-----END X-----"]
)
def test_what_is_no_key_stays_what_it_is(text):
    assert text == normalised_pem(text)


def test_a_fingerprint_is_the_hash_of_the_public_key():
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = f"SHA256:{b64encode(sha256(public).digest()).decode()}"

    assert expected == public_key_fingerprint(PEM)
    assert expected == split("${key | public_key_fingerprint}").render({"key": Secret(PEM.replace("\n", " "))})


def test_a_fingerprint_of_garbage_quotes_nothing():
    with pytest.raises(TemplateError, match="a fingerprint needs a private key in PEM") as caught:
        split("${key | public_key_fingerprint}").render({"key": Secret("garbage")})
    assert "garbage" not in str(caught.value)
