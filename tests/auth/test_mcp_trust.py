"""The client's secret of an integration goes to no server that whoever connects an account may choose."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from nango_py import Nango
from nango_py.errors import AuthenticationError, CredentialsError
from tests.servers.faces import KEYS

CALLBACK = "https://app.example.com/callback"
OURS = {"authorization_url": "https://ours.example.com/a", "token_url": "https://ours.example.com/t"}
SECRET = "the-integration-s-secret"


def answer(request: httpx.Request) -> httpx.Response:
    """Answer as a server that grants access to itself, and to whoever asks."""
    host = request.url.host
    if request.url.path.startswith("/.well-known/oauth-protected-resource"):
        return httpx.Response(
            200, json={"resource": f"https://{host}/mcp", "authorization_servers": [f"https://{host}"]}
        )
    if request.url.path.startswith("/.well-known/"):
        return httpx.Response(
            200,
            json={
                "issuer": f"https://{host}",
                "authorization_endpoint": f"https://{host}/authorize",
                "token_endpoint": f"https://{host}/token",
                "code_challenge_methods_supported": ["S256"],
            },
        )
    return (
        httpx.Response(401) if request.url.path == "/mcp" else httpx.Response(200, json={"access_token": "access-1"})
    )


def connected(server: str, **auth: Any) -> str:
    """Return where the code was exchanged."""
    asked: list[httpx.Request] = []

    def seen(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request)

    keys = {
        "auth": {"auth_mode": "MCP_OAUTH2", "server_url": server, **auth},
        "connection_config": {"host": {"format": "hostname"}, "team": {}},
        "requests": {"base_url": "https://api.example.com"},
        "oauth_client_id": "client",
        "oauth_client_secret": SECRET,
    }
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    transport = httpx.MockTransport(seen)
    with Nango.load({"integrations": {"it": keys}}, store="memory://", transport=transport, environ=environ) as nango:
        config = {"host": "mine.example.com", "team": "T1"}
        begun = nango.oauth.begin("it", "ann", redirect_uri=CALLBACK, connection_config=config)
        nango.oauth.finish(f"?code=c&state={begun.state}", binding=begun.binding)
    return str(asked[-1].url)


def test_a_server_that_the_account_names_is_not_told_the_secret() -> None:
    with pytest.raises(CredentialsError, match=r"declare auth\.issuer"):
        connected("https://${connection_config.host}/mcp")


def test_another_server_than_the_declared_issuer_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="another server than the declared issuer"):
        connected("https://${connection_config.host}/mcp", issuer="https://login.example.com")


@pytest.mark.parametrize(
    ("server", "auth", "asked"),
    [
        (
            "https://${connection_config.host}/mcp",
            {"issuer": "https://mine.example.com/"},
            "https://mine.example.com/token",
        ),
        (
            "https://${connection_config.host}/mcp",
            OURS,
            OURS["token_url"],
        ),
        ("https://mcp.example.com/mcp", {}, "https://mcp.example.com/token"),
    ],
    ids=["issuer", "endpoint", "fixed"],
)
def test_a_server_that_the_integration_names_is_told_it(server: str, auth: dict[str, Any], asked: str) -> None:
    assert asked == connected(server, **auth)
