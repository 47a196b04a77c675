"""Attempts with odd arguments, callbacks in odd forms, and devices that are told to wait for odd times."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import httpx
import pytest

from nango_py import Nango
from nango_py.asgi.request import Request
from nango_py.auth.grant import Begun
from nango_py.errors import AuthenticationError, CallbackError, NangoError, ResponseError, UsageError
from nango_py.secret import Secret
from tests.connections.faulty import granted, opened, refused
from tests.servers.faces import KEYS

CALLBACK = "https://app.example.com/callback"
DEVICE = {"device_authorization_url": "https://login.example.com/device"}


def test_the_metadata_of_a_connection_can_be_given_to_its_next_attempt() -> None:
    with opened(granted(1)) as account:
        account.nango.call("update_metadata", "it", "ann", {"team": {"ids": [1, 2]}})
        metadata = account.connection().metadata
        begun = account.nango.call("oauth.begin", "it", "ben", redirect_uri=CALLBACK, metadata=metadata)
        made = account.nango.call("oauth.finish", f"?code=c&state={begun.state}", binding=begun.binding)

        assert metadata == made.metadata
        assert isinstance(made.metadata, MappingProxyType)


@pytest.mark.parametrize("value", [float("nan"), object(), Secret("x"), {1: 2}], ids=repr)
def test_metadata_that_cannot_be_stored_is_refused_before_the_browser_leaves(value: object) -> None:
    with opened(granted(1)) as account, pytest.raises(UsageError, match="metadata"):
        account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK, metadata={"a": value})


@pytest.mark.parametrize("user_id", ["", "x" * 600, "two\nlines", None], ids=repr)
def test_a_user_who_cannot_be_stored_is_refused_before_the_browser_leaves(user_id: Any) -> None:
    with opened(granted(1)) as account, pytest.raises(UsageError, match="user_id"):
        account.nango.call("oauth.begin", "it", user_id, redirect_uri=CALLBACK)


@pytest.mark.parametrize(
    "uri", ["", "https://[::1", "https://app.example.com/\ncallback", "/callback", None], ids=repr
)
def test_what_is_no_redirect_uri_is_refused(uri: Any) -> None:
    with opened(granted(1)) as account, pytest.raises(UsageError, match="redirect_uri must be"):
        account.nango.call("oauth.begin", "it", "ann", redirect_uri=uri)


def test_scopes_that_are_no_texts_are_refused() -> None:
    with opened(granted(1)) as account, pytest.raises(UsageError, match="scopes must be"):
        account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK, scopes=[1])


@pytest.mark.parametrize("lost", [None, ""])
def test_a_callback_without_binding_does_not_use_up_the_attempt(lost: Any) -> None:
    with opened(granted(1)) as account:
        begun = account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK)
        callback = f"{CALLBACK}?code=c&state={begun.state}"
        with pytest.raises(CallbackError, match="no binding"):
            account.nango.call("oauth.finish", callback, binding=lost)

        assert "active" == account.nango.call("oauth.finish", callback, binding=begun.binding).status


@pytest.mark.parametrize(
    "form", ["https://app.example.com/callback?{}", "/callback?{}", "?{}", "com.app:/cb?{}", "{}"]
)
@pytest.mark.parametrize("more", ["", "&iss=https://api.example.com", "&x=why?&iss=https://api.example.com"])
def test_a_callback_may_be_a_url_or_its_query_alone(form: str, more: str) -> None:
    with opened(granted(1)) as account:
        begun = account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK)
        callback = form.format(f"code=c&state={begun.state}{more}")

        assert "active" == account.nango.call("oauth.finish", callback, binding=begun.binding).status


def polls(**code: Any) -> list[float]:
    """Return how long a device waited each time, until its code was over."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/device":
            plain = {"user_code": "AB-CD", "verification_uri": "https://v.example.com", "device_code": "device-code"}
            return httpx.Response(200, json={**plain, "expires_in": 600, **code})
        assert len(account.clock.slept) < 1000
        return refused("authorization_pending")

    with opened(answer, auth=DEVICE) as account:
        device = account.nango.call("oauth.begin_device", "it", "ann")
        with pytest.raises(AuthenticationError, match="the code expired"):
            account.nango.call("oauth.finish_device", device)
        return account.clock.slept


@pytest.mark.parametrize("interval", [None, 0, "", 5, 1e-9, 1e300], ids=repr)
def test_a_device_waits_a_sensible_time_whatever_the_server_says(interval: Any) -> None:
    assert all(seconds >= 1 for seconds in polls(interval=interval)[:-1])


@pytest.mark.parametrize("key", ["interval", "expires_in"])
@pytest.mark.parametrize("value", [-1, "nan", "inf", 10**400, [1], "soon"], ids=lambda value: repr(value)[:9])
def test_a_device_is_not_told_to_wait_for_ever(key: str, value: Any) -> None:
    with pytest.raises(ResponseError, match="without a device code"):
        polls(**{key: value})


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("oauth_client_id", "has no oauth_client_id, so nobody can sign in"),
        ("token_url", "auth.token_url is not declared, and the code exchange needs it"),
        ("authorization_url", "auth.authorization_url is not declared, and the authorization needs it"),
    ],
)
def test_nobody_is_sent_to_a_provider_for_nothing(missing, said):
    auth = {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://login.example.com/authorize",
        "token_url": "https://login.example.com/token",
    }
    declared = {
        "auth": {key: value for key, value in auth.items() if key != missing},
        "requests": {"base_url": "https://api.example.com/"},
        "oauth_client_id": "app",
    }
    declared = {key: value for key, value in declared.items() if key != missing}
    with Nango.load({"integrations": {"crm": declared}}, store="memory://", environ={}) as nango:
        with pytest.raises(NangoError, match=said):
            nango.oauth.begin("crm", "ann", redirect_uri="https://app.example.com/callback")


def test_a_connection_is_deleted_though_no_revocation_can_be_sent(caplog: pytest.LogCaptureFixture) -> None:
    """The certificate that the integration names is not there."""
    auth = {"auth_mode": "OAUTH2", "token_url": "https://127.0.0.1:9/", "revocation_url": "https://127.0.0.1:9/"}
    keys = {
        "auth": {**auth, "authorization_url": "https://127.0.0.1:9/"},
        "requests": {"base_url": "https://127.0.0.1:9/"},
        "network": {"client_certificate": "/no/such.pem"},
        "oauth_client_id": "client",
        "oauth_client_secret": "secret",
    }
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    with Nango.load({"integrations": {"it": keys}}, store="memory://", environ=environ) as nango:
        nango.register_connection("it", "ann", {"access_token": "access-0"})
        nango.delete_connection("it", "ann")

        assert [] == nango.get_connections_for_user_id("ann")
    assert "revocation.failed" in caplog.text


def test_a_request_to_the_app_does_not_show_what_it_bears() -> None:
    request = Request.of(
        {
            "method": "GET",
            "path": "/callback",
            "query_string": b"code=the-code&state=the-state",
            "headers": [(b"cookie", b"nango=the-binding"), (b"authorization", b"Bearer the-token")],
        }
    )

    assert "the-" not in repr(request)
    assert "the-" not in repr(Begun(url="https://login.example.com/?state=the-state", state="the-state"))
