"""No secret stands in an error, a log line, connection config or anything else that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import httpx
import pytest

from nango_py.errors import (
    NangoError,
    RemoteError,
    ResponseError,
    UsageError,
)
from nango_py.exchange.conversation import RENEWAL_ERROR
from tests.connections.faulty import (
    CLIENT_SECRET,
    FIRST_ACCESS,
    FIRST_REFRESH,
    LIFETIME,
    assert_silent,
    chain,
    granted,
    opened,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def echo(status: int, form: str) -> Callable[[httpx.Request], httpx.Response]:
    """Return an endpoint that tells what it was sent."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = request.content.decode()
        said = {
            "description": {"error": "invalid_request", "error_description": f"bad request: {body}"},
            "code": {"error": f"bad {body}"},
            "fields": {"error": "invalid_request", "error_description": dict(parse_qsl(body))},
            "object": {"error": {"code": "bad", "message": body}},
            "message": {"error": "bad", "message": f"headers {dict(request.headers)}, body {body}"},
        }
        if form == "html":
            return httpx.Response(status, html=f"<pre>{body}</pre>")
        if form == "type":
            return httpx.Response(status, headers={"Content-Type": f"text/plain; x={body}"}, text="<no>")
        return httpx.Response(status, json=said[form])

    return answer


@pytest.mark.parametrize("method", ["post", "basic"])
@pytest.mark.parametrize("form", ["description", "code", "fields", "object", "message", "html", "type"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_endpoint_that_echoes_shows_no_secret(
    status: int, form: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with opened(echo(status, form), auth={"token_request_auth_method": method}) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(RemoteError) as caught:
            account.get()

        assert_silent(chain(caught.value) + caplog.text)


CALLBACK = "https://app.example.com/callback"


@pytest.mark.parametrize("method", ["post", "basic", "client_secret_jwt"])
@pytest.mark.parametrize("form", ["description", "code", "message", "html"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_endpoint_that_echoes_a_code_shows_no_secret(
    status: int, form: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with opened(echo(status, form), auth={"token_request_auth_method": method}) as account:
        begun = account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK)
        callback = f"{CALLBACK}?code=c0de-8d00d4f1&state={begun.state}"
        with pytest.raises(NangoError) as caught:
            account.nango.call("oauth.finish", callback, binding=begun.binding)
        sent = account.provider.asked[-1]
        shown = chain(caught.value) + caplog.text

        assert_silent(shown)
        for name in ("code", "code_verifier", "client_assertion"):
            assert sent.get(name, "-absent-") not in shown
        assert begun.binding not in shown


def test_an_attempt_shows_nothing_of_itself() -> None:
    with opened(granted(1)) as account:
        begun = account.nango.call("oauth.begin", "it", "ann", redirect_uri=CALLBACK)

        assert not [secret for secret in (begun.binding, begun.state, begun.url) if secret in repr(begun)]


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client"])
def test_a_refusal_on_401_shows_no_secret(code: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(refused(code, 400, f"{FIRST_REFRESH} of {CLIENT_SECRET}")) as account:
        account.provider.dead = {FIRST_ACCESS}
        account.clock.advance(11)
        answer = account.get()
        error = answer.extensions[RENEWAL_ERROR]

        assert "renewal.failed" in caplog.text
        assert_silent(chain(error) + repr(answer) + repr(answer.request.headers.raw) + caplog.text)


def test_a_network_error_that_quotes_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with opened(httpx.ReadError(f"while sending refresh_token={FIRST_REFRESH}")) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(NangoError) as caught:
            account.get()

        assert_silent(chain(caught.value) + caplog.text)


@pytest.mark.parametrize("picked", ["refresh_token", "access_token", "again", "nested.token"])
def test_a_token_never_becomes_connection_config(picked: str) -> None:
    answer = granted(1, again="refresh-1", nested={"token": "access-1"}, team="T1", scope="read")
    auth = {"token_response_metadata": [picked, "team", "scope"]}
    with opened(answer, auth=auth) as account:
        account.clock.advance(LIFETIME)
        account.get()

        assert {"team": "T1", "scope": "read"} == account.connection().view().connection_config


@pytest.mark.parametrize("form", ["{}\u2603", "-----BEGIN KEY-----\n{}\n-----END KEY-----"])
def test_a_token_that_fits_no_header_is_not_shown_by_an_error(form: str) -> None:
    with opened(granted(1), credentials={"access_token": form.format(FIRST_ACCESS.replace("-", ""))}) as account:
        with pytest.raises(UsageError, match="'Authorization' cannot: only printable ASCII") as caught:
            account.get()

        assert FIRST_ACCESS.replace("-", "") not in chain(caught.value) + repr(caught.value.__context__)


def test_nothing_that_is_held_shows_its_secrets() -> None:
    with opened(granted(1)) as account:
        nango = account.nango._nango  # type: ignore[attr-defined]
        shown = (nango, nango._core, nango._core.accounts.manager, nango._core.accounts.manager.renewals)

        assert_silent("".join(repr(each) for each in (*shown, account.connection(), account.connection().view())))


@pytest.mark.parametrize("token", ["two\r\nX-Evil: 1", "nul\0", "snow\u2603man"])
def test_a_token_that_is_no_header_value_is_refused(token: str) -> None:
    with opened(granted(1, access_token=token)) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(ResponseError, match="no header can hold") as caught:
            account.get()

        assert [] == account.provider.seen
        assert token not in chain(caught.value)
