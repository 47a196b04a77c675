"""Token endpoints that echo, ramble or trickle, and addresses that are none: what is raised is ours, and silent."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.auth.grant import Refused, TokenRequest, Unanswered, read_answer
from nango_py.clock import SystemClock
from nango_py.errors import AuthenticationError, CredentialsError, NangoError
from nango_py.exchange.token_endpoint import TokenEndpoint
from tests.connections.faulty import CLIENT_SECRET, LIFETIME, TOKEN_URL, opened, refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def failed(*answers: Any, auth: dict[str, Any] | None = None, **credentials: Any) -> NangoError:
    with opened(*answers, auth=auth, credentials=credentials) as account:
        account.clock.advance(LIFETIME)
        with pytest.raises(NangoError) as caught:
            account.get()
        return caught.value


def test_an_echo_of_the_authorization_header_is_masked() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return refused("invalid_client", 401, f"no such client: {request.headers['Authorization']}")

    error = failed(echo, auth={"token_request_auth_method": "basic"})

    assert b64encode(f"client:{CLIENT_SECRET}".encode()).decode() not in str(error)
    assert "no such client: ***" in str(error)


def test_an_echo_of_a_list_is_masked() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return refused("invalid_request", 400, request.content.decode())

    request = TokenRequest(url=TOKEN_URL, json={"answers": ["what the last step said"]})
    with pytest.raises(Refused) as caught:
        perform(request, httpx.MockTransport(echo))

    assert "what the last step said" not in str(caught.value)
    assert caught.value.__context__ is None


def test_what_an_endpoint_says_is_cut_and_cannot_command_a_terminal() -> None:
    error = failed(refused("x" * 5000, 400, "\x1b[31mred\r\nEND " * 1000))

    assert isinstance(error, AuthenticationError)
    assert len(str(error)) < 1000
    assert str(error).isprintable()


def test_an_address_that_is_none_is_the_declaration_s_fault() -> None:
    # A host that is none is refused before, when the file is loaded.
    error = failed(httpx.Response(200), auth={"token_url": "https://example.com/\x01"})

    assert isinstance(error, CredentialsError)
    assert "the URL of the renewal cannot be used" in str(error)


def test_what_cannot_be_sent_is_not_shown() -> None:
    auth = {"token_headers": {"X-Old": "${refresh_token}"}}
    error = failed(httpx.Response(200), auth=auth, refresh_token="caf\u00e9")

    assert isinstance(error, CredentialsError)
    assert "caf" not in str(error)
    assert "\\" not in str(error)


def test_half_a_surrogate_pair_in_a_refresh_token_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """A provider brought it, in JSON."""
    caplog.set_level("INFO", logger="nango_py")  # what is logged is searched for it
    tokens = b'{"access_token": "access-1", "refresh_token": "half \\ud800 pair", "expires_in": 60}'
    with opened(httpx.Response(200, content=tokens)) as account:
        account.clock.advance(LIFETIME)
        account.get()
        account.clock.advance(60)
        with pytest.raises(CredentialsError, match="a character that cannot be sent"):
            account.get()


class Trickle(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "


def test_a_body_that_trickles_through_a_given_transport_meets_the_deadline() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Trickle()))

    with pytest.raises(Unanswered, match="deadline"):
        perform(TokenRequest(url=TOKEN_URL, is_repeatable=False), transport, seconds=0.01)


def perform(request: TokenRequest, transport: httpx.MockTransport, *, seconds: float = 20.0) -> Any:
    def grant() -> Any:
        answer = yield request
        return read_answer(answer)

    with opened(httpx.Response(200)) as account:
        integration = account.nango._nango._core.integration("it")  # type: ignore[attr-defined]
    endpoint = TokenEndpoint(transport=lambda: transport, clock=SystemClock(), agent="test")
    return endpoint.perform(grant(), integration=integration, secrets=(), seconds=seconds)


@pytest.mark.parametrize(
    "issuer", ["https://\u2603..", "https://h:999999999", "//", "\x01", "https://[::1", "x" * 70000]
)
def test_a_callback_of_an_issuer_that_is_no_address_is_refused(issuer: str) -> None:
    with opened(httpx.Response(200)) as account:
        begun = account.nango.call("oauth.begin", "it", "ann", redirect_uri="https://app.example.com/callback")
        callback = str(
            httpx.URL("https://x/callback", params={"code": "c", "state": begun.state, "iss": issuer[:9000]})
        )
        with pytest.raises(AuthenticationError, match="another issuer"):
            account.nango.call("oauth.finish", callback, binding=begun.binding)
