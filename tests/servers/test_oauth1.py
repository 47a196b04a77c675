"""Authlib's OAuth 1.0a provider: three legs and four signature methods, refusals, and answers that get lost."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nango_py.errors import AuthenticationError, CallbackError
from tests.servers.accounts import USER, accounts, declared
from tests.servers.faces import BACKENDS
from tests.servers.keys import new_rsa_key
from tests.servers.lossy import Lossy
from tests.servers.oauth1_authlib import CALLBACK, METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.accounts import Accounts
    from tests.servers.oauth1_authlib import OAuth1

pytestmark = pytest.mark.server

every_method = pytest.mark.parametrize("method", METHODS)


def three_legs(server: OAuth1, method: str = "HMAC-SHA1", secret: str | None = None, **auth: Any) -> dict[str, Any]:
    by_key = method == "RSA-SHA1"
    keys = {
        "auth_mode": "OAUTH1",
        "request_url": server.request_url,
        "authorization_url": server.authorization_url,
        "token_url": server.token_url,
        "signature_method": method,
        **auth,
    }
    return declared(
        keys,
        f"{server.url}/api/",
        oauth_client_id="consumer-rsa" if by_key else "consumer",
        oauth_client_secret=secret or (server.private_key if by_key else server.secret),
        retry={"max_attempts": 1},
    )


@contextmanager
def opened(backend: str, server: OAuth1, source: dict[str, Any] | None = None, **options: Any) -> Iterator[Accounts]:
    document = source or three_legs(server)
    with accounts(backend, document, authorize=server.authorize, callback=CALLBACK, **options) as made:
        yield made


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest, oauth1_authlib: OAuth1) -> Iterator[Accounts]:
    with opened(request.param, oauth1_authlib) as made:
        yield made


@pytest.mark.parametrize("backend", BACKENDS)
@every_method
def test_three_legs_make_a_connection_that_signs(oauth1_authlib: OAuth1, method: str, backend: str) -> None:
    with opened(backend, oauth1_authlib, three_legs(oauth1_authlib, method)) as ours:
        ours.connect()
        query = ours.nango.send(
            "it", USER, "GET", "me", params={"q": "a b%&=+~*", "a": "", "q2": "x/y?z"}
        )  # Authlib fails at an apostrophe
        form = ours.nango.send("it", USER, "POST", "me", params={"p": "1"}, data={"f": "x y&z=+%", "e": ""})
        json = ours.nango.send("it", USER, "PUT", "me", json={"not": "signed"})

        assert {"q": "a b%&=+~*", "a": "", "q2": "x/y?z"} == query.json()["query"]
        assert ({"p": "1"}, {"f": "x y&z=+%", "e": ""}) == (form.json()["query"], form.json()["form"])
        assert USER == json.json()["user"]


@every_method
def test_a_wrong_secret_begins_nothing(oauth1_authlib: OAuth1, method: str) -> None:
    wrong = new_rsa_key().private_pem if method == "RSA-SHA1" else "wrong-4f1c9a2b"
    with opened("sync", oauth1_authlib, three_legs(oauth1_authlib, method, wrong)) as ours:
        with pytest.raises(AuthenticationError, match="invalid_signature") as caught:
            ours.begin()

        assert wrong not in str(caught.value)


def test_a_wrong_token_secret_is_answered_401(ours: Accounts) -> None:
    ours.connect()
    wrong = {"oauth_token": ours.held("oauth_token"), "oauth_token_secret": "wrong"}
    ours.nango.call("update_connection_credentials", "it", USER, wrong)
    ours.clock.advance(11)

    assert 401 == ours.get("me").status_code


def test_many_requests_use_many_nonces(ours: Accounts) -> None:
    ours.connect()

    # The clock stands still: only the nonce tells the requests apart, and the server refuses a replay.
    assert [200] * 5 == [ours.get("me").status_code for _ in range(5)]


def test_declared_parameters_are_signed(oauth1_authlib: OAuth1) -> None:
    document = three_legs(
        oauth1_authlib,
        request_params={"scope": "read write", "odd": "a&b=c %"},
        token_params={"extra": "x y"},
        authorization_params={"perms": "read"},
    )
    with opened("sync", oauth1_authlib, document) as ours:
        begun = ours.begin()

        assert ["read"] == parse_qs(urlsplit(begun.url).query)["perms"]
        assert "active" == ours.finish(ours.authorize(begun.url), begun).status


# The callback


def test_a_callback_works_once(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    ours.finish(callback, begun)
    with pytest.raises(CallbackError, match="used up"):
        ours.finish(callback, begun)

    assert 200 == ours.get("me").status_code


def test_a_wrong_verifier_is_refused(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    verifier = parse_qs(urlsplit(callback).query)["oauth_verifier"][0]
    with pytest.raises(AuthenticationError, match="the code exchange was refused"):
        ours.finish(callback.replace(verifier, "wrong"), begun)


def test_another_token_belongs_to_no_attempt(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    with pytest.raises(CallbackError, match="no attempt"):
        ours.finish(callback.replace(begun.state, "another"), begun)


def test_another_browser_cannot_finish(ours: Accounts) -> None:
    mine, theirs = ours.begin(), ours.begin()
    with pytest.raises(CallbackError, match="another browser"):
        ours.finish(ours.authorize(mine.url), theirs)


def test_an_attempt_ends_after_ten_minutes(ours: Accounts) -> None:
    begun = ours.begin()
    callback = ours.authorize(begun.url)
    ours.clock.advance(601)
    with pytest.raises(CallbackError, match="10 minutes"):
        ours.finish(callback, begun)


def test_a_user_who_refuses_makes_no_connection(ours: Accounts, oauth1_authlib: OAuth1) -> None:
    begun = ours.begin()
    callback = oauth1_authlib.authorize(begun.url, deny=True)
    with pytest.raises(CallbackError, match="only a refusal: access_denied"):
        ours.finish(callback, begun)

    assert [] == ours.nango.call("get_connections_for_user_id", USER)


# Lost answers


def test_a_lost_temporary_token_is_asked_for_again(oauth1_authlib: OAuth1) -> None:
    transport = Lossy("/oauth/request_token", losses=1)
    with opened("sync", oauth1_authlib, transport=transport) as ours:
        connection = ours.connect()

        assert ("active", 0) == (connection.status, transport.losses)
    transport.close()
