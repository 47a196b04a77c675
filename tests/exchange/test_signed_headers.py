"""Headers that are made of the request that bears them, and a User-Agent that the blueprint words."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nango_py import AsyncNango, Nango
from nango_py.errors import UsageError
from nango_py.testing import ManualClock

ED25519 = Ed25519PrivateKey.generate()
PEM = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PARTS = "${[request.method, request.host, request.path, request.query, request.body] | join('|')}"


def declared(headers, **more):
    keys = {
        "auth": {"auth_mode": "BASIC", "placement": "none"},
        "requests": {"base_url": "https://api.acme.test/v1", "headers": headers},
        "connection_config": {"app": {"optional": True}},
        **more,
    }
    return {"integrations": {"acme": keys}}


class Acme:
    """Remember the requests of one account."""

    def __init__(self, headers, password="key", config=None, **more):
        self.seen = []
        self.options = {"clock": ManualClock(1_700_000_000.0), "store": "memory://", "environ": {}}
        self.options["transport"] = httpx.MockTransport(self.receive)
        self.document = declared(headers, **more)
        self.account = ("acme", "u", {"username": "name", "password": password}, config or {})

    def receive(self, request):
        request.read()
        self.seen.append(request)
        return httpx.Response(200, json={})

    def send(self, method="GET", path="things", **request):
        with Nango.load(self.document, **self.options) as nango:
            assert nango.problems == ()
            nango.register_connection(*self.account)
            with nango.client("acme", "u") as client:
                client.request(method, path, **request)
        return self.seen[-1]


def test_a_header_names_the_method_host_path_sorted_query_and_body_of_its_request():
    sent = Acme({"X-Parts": PARTS}).send("POST", "a b?z=1&a=ü x", json={"n": 1})

    assert 'POST|api.acme.test|/v1/a%20b|a=%C3%BC%20x&z=1|{"n":1}' == sent.headers["X-Parts"]


def test_each_request_has_parts_of_its_own():
    acme = Acme({"X-Path": "${request.path}"})
    with Nango.load(acme.document, **acme.options) as nango:
        nango.register_connection(*acme.account)
        with nango.client("acme", "u") as client:
            client.get("one")
            client.get("two")

    assert ["/v1/one", "/v1/two"] == [request.headers["X-Path"] for request in acme.seen]


def test_a_digest_of_a_request_without_a_body_is_that_of_nothing():
    sent = Acme({"Digest": "${[request.body] | join | sha256_base64}"}).send()

    assert b64encode(hashlib.sha256(b"").digest()).decode() == sent.headers["Digest"]


def test_a_signature_with_the_accounts_key_is_made_of_the_request():
    signed = "${[request.method, '\\n', request.path] | join | hmac_sha1_hex(credentials.password)}"
    sent = Acme({"X-Signature": signed}).send()

    assert hmac.new(b"key", b"GET\n/v1/things", "sha1").hexdigest() == sent.headers["X-Signature"]


def test_an_ed25519_signature_is_made_of_the_request():
    sent = Acme({"X-Signature": "${request.path | ed25519_sign(credentials.password)}"}, password=PEM).send()

    ED25519.public_key().verify(b64decode(sent.headers["X-Signature"]), b"/v1/things")


@pytest.mark.parametrize("key", ["garbage", "-----BEGIN X-----\nAAAA\n-----END X-----\n"])
def test_an_ed25519_signature_needs_a_key_and_quotes_none(key):
    with pytest.raises(UsageError, match="an Ed25519 signature needs") as caught:
        Acme({"X-Signature": "${request.path | ed25519_sign(credentials.password)}"}, password=key).send()

    assert "AAAA" not in str(caught.value)
    assert "garbage" not in str(caught.value)


def test_a_body_that_is_streamed_cannot_be_named():
    def parts():
        yield b"one"

    with pytest.raises(UsageError, match=r"\$\{request.body\} has no value"):
        Acme({"Digest": "sha=${request.body}"}).send("POST", content=parts())


@pytest.mark.parametrize("place", [{"params": {"p": "${request.path}"}}, {"headers": {"X": "${request.cookies}"}}])
def test_only_headers_name_parts_and_only_those_that_there_are(place):
    document = declared({}, requests={"base_url": "https://api.acme.test/v1", **place})
    with Nango.load(document, store="memory://", environ={}) as nango:
        assert ["placeholder.unknown"] == [problem.code for problem in nango.problems]


AGENT = {"User-Agent": "Acme (${connection_config.app})", "Accept": "text/x; v=${connection_config.app}"}


def test_a_blueprint_words_headers_that_clients_send_by_themselves():
    acme = Acme(AGENT, config={"app": "me"}, verification={"path": "me"})
    sent = acme.send()
    with Nango.load(acme.document, **acme.options) as nango:
        nango.register_connection(*acme.account)
        nango.check_connection("acme", "u")

    assert ["Acme (me)", "text/x; v=me"] == [sent.headers["User-Agent"], sent.headers["Accept"]]
    assert "Acme (me)" == acme.seen[-1].headers["User-Agent"]


def test_what_the_caller_says_of_them_wins():
    sent = Acme(AGENT, config={"app": "me"}).send(headers={"User-Agent": "mine"})

    assert ["mine", "text/x; v=me"] == [sent.headers["User-Agent"], sent.headers["Accept"]]


def test_async_clients_send_them_too():
    acme = Acme(AGENT, config={"app": "me"})

    async def main():
        async with AsyncNango.load(acme.document, **acme.options) as nango:
            await nango.register_connection(*acme.account)
            async with nango.client("acme", "u") as client:
                await client.get("things")

    asyncio.run(main())

    assert "Acme (me)" == acme.seen[-1].headers["User-Agent"]
