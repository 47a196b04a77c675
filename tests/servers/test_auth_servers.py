"""The servers that the tests of authentication lean on really check what they are asked to check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from oauthlib.oauth1 import Client as Signer

from tests.servers import django_oauth_toolkit as django_oauth_toolkit_server
from tests.servers import nginx as nginx_server
from tests.servers import oauth1_authlib as oauth1_authlib_server
from tests.servers import oidc_provider as oidc_provider_server
from tests.servers.keys import new_rsa_key
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.servers.certificates import Certificate
    from tests.servers.conftest import Start
    from tests.servers.django_oauth_toolkit import DjangoOAuthToolkit
    from tests.servers.jupyterhub import JupyterHub
    from tests.servers.moto import Moto
    from tests.servers.nginx import Nginx
    from tests.servers.oauth1_authlib import OAuth1
    from tests.servers.oidc_provider import OidcProvider
    from tests.servers.synapse import Synapse

pytestmark = pytest.mark.server

CALLBACK = "http://127.0.0.1:8765/callback"


def tokens(
    authorization_url: str,
    token_url: str,
    authorize: Callable[[str], str],
    *,
    client_id: str,
    auth: tuple[str, str] | None = None,
    scope: str | None = None,
    form: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run the authorization code flow with PKCE (RFC 7636) to its end."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK, "state": "st4te"}
    query |= {"code_challenge": challenge, "code_challenge_method": "S256"} | ({"scope": scope} if scope else {})
    callback = authorize(f"{authorization_url}?{urlencode(query)}")
    assert callback.startswith(f"{CALLBACK}?")
    answer = dict(parse_qsl(urlsplit(callback).query))
    assert answer["state"] == "st4te"
    sent = {"code": answer["code"], "redirect_uri": CALLBACK, "code_verifier": verifier, **(form or {})}
    found = post(token_url, {"grant_type": "authorization_code", **sent}, auth=auth)
    assert found.status_code == 200, found.text
    return dict(found.json())


def post(url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> httpx.Response:
    with browse(auth=auth) as client:
        return client.post(url, data=form)


def read(url: str, token: str | None) -> httpx.Response:
    with browse(headers={"Authorization": f"Bearer {token}"} if token else None) as client:
        return client.get(url)


def refresh(url: str, token: str, *, auth: tuple[str, str] | None = None, **form: str) -> httpx.Response:
    return post(url, {"grant_type": "refresh_token", "refresh_token": token, **form}, auth=auth)


def oidc_tokens(server: OidcProvider, scope: str = "openid") -> dict[str, Any]:
    urls = (server.authorization_url, server.token_url)
    return tokens(*urls, server.authorize, client_id="public", scope=scope, form={"client_id": "public"})


def test_oidc_provider_revokes_the_family_of_a_reused_refresh_token(oidc_provider: OidcProvider) -> None:
    first = oidc_tokens(oidc_provider)
    second = refresh(oidc_provider.token_url, first["refresh_token"], client_id="public").json()
    before = read(oidc_provider.userinfo_url, second["access_token"])
    reused = refresh(oidc_provider.token_url, first["refresh_token"], client_id="public")
    after = read(oidc_provider.userinfo_url, second["access_token"])

    assert {"sub": "ann"} == before.json()
    assert (400, "invalid_grant") == (reused.status_code, reused.json()["error"])
    assert 401 == after.status_code


def test_oidc_provider_refuses_a_wrong_secret(oidc_provider: OidcProvider) -> None:
    form = {"grant_type": "client_credentials", "scope": "api:read", "resource": oidc_provider.resource}
    right = post(oidc_provider.token_url, form, auth=("client_secret_basic", oidc_provider.secret))
    wrong = post(oidc_provider.token_url, form, auth=("client_secret_basic", "wrong"))

    assert (200, 401) == (right.status_code, wrong.status_code)
    assert oidc_provider.resource == read(oidc_provider.resource, right.json()["access_token"]).json()["audience"]


def test_oidc_provider_waits_for_the_user_of_a_device(oidc_provider: OidcProvider) -> None:
    asked = post(oidc_provider.device_authorization_url, {"client_id": "device", "scope": "openid"}).json()
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "device"}
    early = post(oidc_provider.token_url, {**grant, "device_code": asked["device_code"]})
    oidc_provider.approve_device(asked["user_code"])
    late = post(oidc_provider.token_url, {**grant, "device_code": asked["device_code"]})

    assert ("authorization_pending", 200) == (early.json()["error"], late.status_code)


def test_oidc_provider_sends_a_refusal_to_the_callback(oidc_provider: OidcProvider) -> None:
    query = {"client_id": "public", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
    query |= {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    callback = oidc_provider.authorize(f"{oidc_provider.authorization_url}?{urlencode(query)}", deny=True)

    assert "access_denied" == dict(parse_qsl(urlsplit(callback).query))["error"]


def test_oidc_provider_registers_clients(oidc_provider: OidcProvider) -> None:
    with browse() as client:
        registered = client.post(oidc_provider.registration_url, json={"redirect_uris": [CALLBACK]})

    assert 201 == registered.status_code


def test_oidc_provider_counts_what_its_token_endpoint_did(start: Start) -> None:
    server = start(oidc_provider_server.serve, lifetime=1)
    first = oidc_tokens(server)
    refresh(server.token_url, first["refresh_token"], client_id="public")
    refresh(server.token_url, "unknown", client_id="public")

    assert 1 == first["expires_in"]
    assert 1 == len(server.events("grant.success", grant_type="refresh_token"))
    assert ["invalid_grant"] == [event.error for event in server.events("grant.error")]


def django_tokens(server: DjangoOAuthToolkit) -> dict[str, Any]:
    urls = (server.authorization_url, server.token_url)
    return tokens(*urls, server.authorize, client_id="app", auth=("app", server.secret))


def test_django_oauth_toolkit_revokes_the_family_of_a_reused_refresh_token(
    django_oauth_toolkit: DjangoOAuthToolkit,
) -> None:
    server, auth = django_oauth_toolkit, ("app", django_oauth_toolkit.secret)
    first = django_tokens(server)
    second = refresh(server.token_url, first["refresh_token"], auth=auth).json()
    before = read(server.resource, second["access_token"])
    reused = refresh(server.token_url, first["refresh_token"], auth=auth)
    after = read(server.resource, second["access_token"])

    assert {"user": "ann"} == before.json()
    assert (400, "invalid_grant") == (reused.status_code, reused.json()["error"])
    assert 401 == after.status_code


def test_django_oauth_toolkit_repeats_a_rotation_within_its_grace_period(start: Start) -> None:
    server = start(django_oauth_toolkit_server.serve, grace=60)
    auth = ("app", server.secret)
    first = django_tokens(server)
    second, again = (refresh(server.token_url, first["refresh_token"], auth=auth).json() for _ in range(2))

    assert (second["access_token"], second["refresh_token"]) == (again["access_token"], again["refresh_token"])
    assert 2 == len(server.events("grant.success", grant_type="refresh_token"))


def test_django_oauth_toolkit_refuses_a_wrong_secret(django_oauth_toolkit: DjangoOAuthToolkit) -> None:
    form = {"grant_type": "client_credentials", "scope": "read"}
    right = post(django_oauth_toolkit.token_url, form, auth=("machine", django_oauth_toolkit.secret))
    wrong = post(django_oauth_toolkit.token_url, form, auth=("machine", "wrong"))

    assert (200, 401) == (right.status_code, wrong.status_code)
    assert {"user": None} == read(django_oauth_toolkit.resource, right.json()["access_token"]).json()


def signed(method: Literal["GET", "POST"], url: str, **signer: Any) -> httpx.Response:
    address, headers, _body = Signer(**signer).sign(url, http_method=method)
    with browse(headers=headers) as client:
        return client.request(method, address)


def oauth1_tokens(server: OAuth1, consumer: Mapping[str, Any]) -> dict[str, Any]:
    """Walk the three legs; the answer is what signs as the user."""
    asked = signed("POST", server.request_url, callback_uri=CALLBACK, **consumer)
    given = dict(parse_qsl(asked.text))
    callback = server.authorize(f"{server.authorization_url}?oauth_token={given['oauth_token']}")
    assert callback.startswith(f"{CALLBACK}?")
    verifier = dict(parse_qsl(urlsplit(callback).query))["oauth_verifier"]
    temporary = {"resource_owner_key": given["oauth_token"], "resource_owner_secret": given["oauth_token_secret"]}
    found = dict(parse_qsl(signed("POST", server.token_url, verifier=verifier, **temporary, **consumer).text))
    kept = {"resource_owner_key": found["oauth_token"], "resource_owner_secret": found["oauth_token_secret"]}
    return {**consumer, **kept}


@pytest.mark.parametrize("method", oauth1_authlib_server.METHODS)
def test_oauth1_authlib_takes_a_signature_and_refuses_a_wrong_one(oauth1_authlib: OAuth1, method: str) -> None:
    shared = {"client_key": "consumer", "client_secret": oauth1_authlib.secret}
    paired = {"client_key": "consumer-rsa", "rsa_key": oauth1_authlib.private_key}
    consumer = {"signature_method": method, **(paired if method == "RSA-SHA1" else shared)}
    right = oauth1_tokens(oauth1_authlib, consumer)
    wrong = right | ({"rsa_key": new_rsa_key().private_pem} if method == "RSA-SHA1" else {"client_secret": "wrong"})

    found = signed("GET", f"{oauth1_authlib.resource}?q=a%20b%25", **right)

    assert {"q": "a b%"} == found.json()["query"]
    assert 401 == signed("GET", oauth1_authlib.resource, **wrong).status_code


def test_oauth1_authlib_refuses_a_replay(oauth1_authlib: OAuth1) -> None:
    consumer = {"client_key": "consumer", "client_secret": oauth1_authlib.secret}
    once = {**oauth1_tokens(oauth1_authlib, consumer), "nonce": "n0nce", "timestamp": str(int(time.time()))}

    assert [200, 401] == [signed("GET", oauth1_authlib.resource, **once).status_code for _ in range(2)]


def test_jupyterhub_gives_a_user_s_token_to_a_client_that_knows_its_secret(jupyterhub: JupyterHub) -> None:
    urls = (jupyterhub.authorization_url, jupyterhub.token_url, jupyterhub.authorize)
    client = {"client_id": jupyterhub.client_id, "client_secret": jupyterhub.secret}
    found = tokens(*urls, client_id=jupyterhub.client_id, form=client)

    assert "ann" == read(f"{jupyterhub.api_url}/user", found["access_token"]).json()["name"]
    with pytest.raises(AssertionError, match="invalid_client"):
        tokens(*urls, client_id=jupyterhub.client_id, form=client | {"client_secret": "wrong"})


def test_jupyterhub_lists_its_users_by_page(jupyterhub: JupyterHub) -> None:
    found = read(f"{jupyterhub.api_url}/users?limit=3&offset=3", jupyterhub.token)

    assert jupyterhub.users[3:6] == tuple(user["name"] for user in found.json())
    assert 403 == read(f"{jupyterhub.api_url}/users", "unknown").status_code


def post_json(url: str, body: Mapping[str, Any]) -> httpx.Response:
    with browse() as client:
        return client.post(url, json=body)


def test_synapse_rotates_refresh_tokens(synapse: Synapse) -> None:
    first = post_json(synapse.login_url, synapse.login_form).json()
    second = post_json(synapse.refresh_url, {"refresh_token": first["refresh_token"]}).json()
    before = read(synapse.resource, second["access_token"])  # its first use ends the former pair
    reused = post_json(synapse.refresh_url, {"refresh_token": first["refresh_token"]})

    assert "@ann:localhost" == before.json()["user_id"]
    assert 403 == reused.status_code
    assert 0 < first["expires_in_ms"] <= synapse.lifetime * 1000


def test_synapse_refuses_a_wrong_password_and_an_unknown_token(synapse: Synapse) -> None:
    assert 403 == post_json(synapse.login_url, {**synapse.login_form, "password": "wrong"}).status_code
    assert 401 == read(synapse.resource, "unknown").status_code


def who_am_i(moto: Moto, secret: str) -> httpx.Response:
    """Sign a call of STS by Signature Version 4, as its documentation tells step by step."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{moto.region}/sts/aws4_request"
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    host = urlsplit(moto.url).netloc
    digest = hashlib.sha256(body.encode()).hexdigest()
    canonical = f"POST\n/\n\nhost:{host}\nx-amz-date:{now}\n\nhost;x-amz-date\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    said = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key, said.encode(), "sha256").hex()
    credential = f"Credential={moto.access_key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    headers = {"X-Amz-Date": now, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}
    with browse(headers=headers | {"Content-Type": "application/x-www-form-urlencoded"}) as client:
        return client.post(moto.url, content=body)


def test_moto_takes_a_signature_and_refuses_a_wrong_secret(moto: Moto) -> None:
    right, wrong = who_am_i(moto, moto.secret_key), who_am_i(moto, "wrong")

    assert (200, 403) == (right.status_code, wrong.status_code)
    assert ":user/ann<" in right.text
    assert "SignatureDoesNotMatch" in wrong.text


def over_tls(nginx: Nginx, url: str, client: Certificate | None = None) -> httpx.Response:
    context = ssl.create_default_context(cafile=nginx.authority.certificate)
    # Python 3.13 checks so by default.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if client:
        context.load_cert_chain(client.certificate, client.key)
    with httpx.Client(verify=context, trust_env=False) as opened:
        return opened.get(url)


def test_nginx_wants_a_client_certificate_of_its_authority(nginx: Nginx) -> None:
    right = over_tls(nginx, f"{nginx.mutual_url}/x", nginx.client)

    assert {"path": "/x", "subject": "CN=client", "verified": "SUCCESS"} == right.json()
    assert 400 == over_tls(nginx, nginx.mutual_url).status_code
    assert 400 == over_tls(nginx, nginx.mutual_url, nginx.stranger).status_code
    assert "NONE" == over_tls(nginx, nginx.url).json()["verified"]


def test_nginx_is_trusted_by_those_only_who_know_its_authority(nginx: Nginx) -> None:
    with browse() as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get(nginx.url)


def test_nginx_passes_requests_on_and_names_the_client(start: Start, oidc_provider: OidcProvider) -> None:
    nginx = start(nginx_server.serve, upstream=oidc_provider.url)
    found = over_tls(nginx, f"{nginx.mutual_url}/.well-known/openid-configuration", nginx.client)

    assert oidc_provider.url == found.json()["issuer"]
