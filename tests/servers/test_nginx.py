"""nginx: the client proves itself by a certificate, to an API and to a token endpoint behind it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.errors import AuthenticationError, UnreachableError
from tests.servers import nginx as nginx_server
from tests.servers.accounts import USER, accounts, declared
from tests.servers.faces import BACKENDS, face
from tests.servers.oidc_provider import CALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.accounts import Accounts
    from tests.servers.certificates import Certificate
    from tests.servers.conftest import Start
    from tests.servers.nginx import Nginx
    from tests.servers.oidc_provider import OidcProvider

pytestmark = pytest.mark.server

LIFETIME = 3600
every_backend = pytest.mark.parametrize("backend", BACKENDS)


def network(nginx: Nginx, folder: Path, client: Certificate | None) -> dict[str, Any]:
    """Declare whom to trust, and the certificate to show: one PEM file with its key."""
    trusted = {"verify": str(nginx.authority.certificate)}
    if client is None:
        return trusted
    both = folder / f"{client.name}.pem"
    both.write_bytes(client.certificate.read_bytes() + client.key.read_bytes())
    return {**trusted, "client_certificate": str(both)}


def asked(backend: str, url: str, reached: dict[str, Any]) -> httpx.Response:
    document = declared({"auth_mode": "NONE"}, url, network=reached, retry={"max_attempts": 1})
    with face(backend, document) as nango:
        nango.call("register_connection", "it", USER, {})
        return nango.send("it", USER, "GET", "/x")


@every_backend
def test_an_api_gets_the_client_s_certificate(backend: str, nginx: Nginx, tmp_path: Path) -> None:
    answer = asked(backend, nginx.mutual_url, network(nginx, tmp_path, nginx.client))

    assert {"path": "/x", "subject": "CN=client", "verified": "SUCCESS"} == answer.json()


@every_backend
def test_an_api_refuses_no_certificate_and_a_stranger_s(backend: str, nginx: Nginx, tmp_path: Path) -> None:
    shown = [network(nginx, tmp_path, client) for client in (None, nginx.stranger)]

    assert [400, 400] == [asked(backend, nginx.mutual_url, each).status_code for each in shown]


@every_backend
def test_a_server_of_an_unknown_authority_gets_nothing(backend: str, nginx: Nginx) -> None:
    with pytest.raises(httpx.ConnectError):
        asked(backend, nginx.url, {})


def code_flow(provider: OidcProvider, front: Nginx, reached: dict[str, Any]) -> dict[str, Any]:
    """Declare a browser that goes to the provider, and a token endpoint and an API behind nginx."""
    keys = {
        "auth_mode": "OAUTH2",
        "authorization_url": provider.authorization_url,
        "authorization_params": {"prompt": "consent"},
        "token_url": f"{front.mutual_url}/token",
        "revocation_url": f"{front.mutual_url}/token/revocation",
        "token_request_auth_method": "basic",
    }
    return declared(
        keys,
        front.mutual_url,
        network=reached,
        oauth_client_id="client_secret_basic",
        oauth_client_secret=provider.secret,
        oauth_scopes=["openid", "offline_access"],
        retry={"max_attempts": 1},
    )


@pytest.fixture
def front(start: Start, oidc_provider: OidcProvider) -> Nginx:
    return start(nginx_server.serve, upstream=oidc_provider.url)


@contextmanager
def opened(
    backend: str, provider: OidcProvider, front: Nginx, folder: Path, client: Certificate | None
) -> Iterator[Accounts]:
    document = code_flow(provider, front, network(front, folder, client))
    with accounts(backend, document, authorize=provider.authorize, callback=CALLBACK) as made:
        yield made


def events(provider: OidcProvider) -> int:
    return len(provider.events())


@every_backend
def test_a_token_endpoint_gets_the_client_s_certificate(
    backend: str, oidc_provider: OidcProvider, front: Nginx, tmp_path: Path
) -> None:
    with opened(backend, oidc_provider, front, tmp_path, front.client) as ours:
        ours.connect()
        first = ours.token()
        ours.clock.advance(LIFETIME)

        assert first != ours.token()
        assert {"sub": USER} == ours.get("/me").json()
        assert ["on_renewed"] == ours.told


@pytest.mark.parametrize("shown", ["none", "stranger"])
def test_a_token_endpoint_refuses_others(
    oidc_provider: OidcProvider, front: Nginx, tmp_path: Path, shown: str
) -> None:
    client = front.stranger if shown == "stranger" else None
    with opened("sync", oidc_provider, front, tmp_path, client) as ours:
        begun = ours.begin()
        callback = ours.authorize(begun.url)
        before = events(oidc_provider)
        with pytest.raises(AuthenticationError, match="400"):
            ours.finish(callback, begun)

        assert 0 == events(oidc_provider) - before


def test_a_token_endpoint_of_an_unknown_authority_gets_no_secret(oidc_provider: OidcProvider, front: Nginx) -> None:
    document = code_flow(oidc_provider, front, {})
    with accounts("sync", document, authorize=oidc_provider.authorize, callback=CALLBACK) as ours:
        begun = ours.begin()
        callback = ours.authorize(begun.url)
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            ours.finish(callback, begun)


@every_backend
def test_http2_loses_no_answer_when_the_server_says_goodbye_before_it(backend: str, nginx: Nginx) -> None:
    reached = {"verify": str(nginx.authority.certificate), "http2": True}
    document = declared({"auth_mode": "NONE"}, nginx.http2_url, network=reached, retry={"max_attempts": 1})
    with face(backend, document) as nango:
        nango.call("register_connection", "it", USER, {})
        answers = [nango.send("it", USER, "POST", f"/{number}") for number in range(8)]
    told = [answer.json() for answer in answers]

    assert [("HTTP/2.0", f"/{number}") for number in range(8)] == [(one["protocol"], one["path"]) for one in told]
    connections = [one["connection"] for one in told]
    assert [0, 0, 0, 3, 3, 3, 6, 6] == [connections.index(number) for number in connections]
