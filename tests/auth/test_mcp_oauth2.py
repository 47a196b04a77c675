"""MCP_OAUTH2 against scripted answers: discovery, the client, and what a connection remembers of both."""

from __future__ import annotations

import json
from base64 import b64decode
from urllib.parse import parse_qsl, urlsplit

import pytest

from nango_py.auth.grant import Account, BadAnswer, Refused, TokenAnswer
from nango_py.auth.mcp_discovery import is_safe
from nango_py.auth.mcp_oauth2 import McpOAuth2
from nango_py.auth.pkce import challenge_of
from nango_py.http import Headers
from nango_py.secret import Secret

NOW = 1_800_000_000.0
CALLBACK = "https://app.example.com/callback"
MCP = "https://mcp.example.com/mcp"
RESOURCE = "https://mcp.example.com/.well-known/oauth-protected-resource"
ISSUER = "https://auth.example.com"
METADATA = f"{ISSUER}/.well-known/oauth-authorization-server"
REGISTER = f"{ISSUER}/register"
TOKEN = f"{ISSUER}/token"
SERVER = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": TOKEN,
    "registration_endpoint": REGISTER,
    "revocation_endpoint": f"{ISSUER}/revoke",
    "code_challenge_methods_supported": ["plain", "S256"],
    "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
}
WORLD = {
    MCP: (401, {"WWW-Authenticate": f'Bearer error="invalid_token", resource_metadata="{RESOURCE}/mcp"'}, None),
    f"{RESOURCE}/mcp": {"resource": MCP, "authorization_servers": [ISSUER], "scopes_supported": ["tools"]},
    METADATA: SERVER,
    REGISTER: (201, {}, {"client_id": "c-1", "token_endpoint_auth_method": "none"}),
    TOKEN: {"access_token": "a-1", "refresh_token": "r-1", "expires_in": 60},
}


def scheme(**keys):
    return McpOAuth2.declare({"auth_mode": "MCP_OAUTH2", "server_url": MCP, **keys})


def account(*, credentials=None, scopes=(), client=None, secret=None):
    values = {"oauth_client_id": client, "oauth_client_secret": secret, "connection_config": {}}
    return Account(values=values, credentials=credentials or {}, scopes=scopes, now=NOW, nonce=lambda: "n" * 64)


def talk(grant, world=WORLD, seen=None):
    """Return what a grant ends with; *world* answers by URL, with 404 for what is not in it."""
    requests = [] if seen is None else seen
    try:
        request = next(grant)
        while True:
            requests.append(request)
            request = grant.send(answered(world.get(request.url, (404, {}, "no"))))
    except StopIteration as end:
        return end.value


def answered(answer):
    status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
    text = body if isinstance(body, str) else json.dumps(body)
    return TokenAnswer(status=status, headers=Headers(headers), body=text.encode())


def begin(auth, who=None, world=WORLD, seen=None, redirect_uri=CALLBACK):
    return talk(auth.begin(who or account(), redirect_uri=redirect_uri, state="s-1"), world, seen)


def query(url):
    return dict(parse_qsl(urlsplit(url).query))


def without(world, *urls):
    return {url: answer for url, answer in world.items() if url not in urls}


def with_server(**changes):
    data = {name: value for name, value in {**SERVER, **changes}.items() if value is not None}
    return {**WORLD, METADATA: data}


# --- discovery -------------------------------------------------------------------------------------------------------


def test_everything_is_found_from_the_server_alone():
    seen = []
    begun = begin(scheme(), seen=seen)

    assert [("GET", MCP), ("GET", f"{RESOURCE}/mcp"), ("GET", METADATA), ("POST", REGISTER)] == [
        (request.method, request.url) for request in seen
    ]
    assert f"{ISSUER}/authorize" == begun.url.partition("?")[0]
    assert {
        "response_type": "code",
        "client_id": "c-1",
        "redirect_uri": CALLBACK,
        "scope": "tools",
        "state": "s-1",
        "resource": MCP,
        "code_challenge": challenge_of("n" * 64),
        "code_challenge_method": "S256",
    } == query(begun.url)


def test_only_urls_of_answers_count_as_found():
    seen = []
    begin(scheme(), seen=seen)

    assert [False, True, True, True] == [request.found for request in seen]


def test_no_stream_is_begun_at_the_server():
    seen = []
    begin(scheme(), seen=seen)

    assert "application/json" == seen[0].headers["Accept"]


@pytest.mark.parametrize(
    "challenge",
    [
        f"Bearer resource_metadata={RESOURCE}/mcp",
        f'Bearer realm="a, b", Resource_Metadata = "{RESOURCE}/mcp", error="x"',
        f'DPoP algs="ES256", Bearer resource_metadata="{RESOURCE}/mcp"',
    ],
)
def test_a_challenge_is_read_however_it_is_written(challenge):
    seen = []
    begin(scheme(), world={**WORLD, MCP: (401, {"WWW-Authenticate": challenge}, None)}, seen=seen)

    assert f"{RESOURCE}/mcp" == seen[1].url


@pytest.mark.parametrize("place", [f"{RESOURCE}/mcp", RESOURCE])
def test_metadata_is_looked_for_where_no_challenge_names_it(place):
    world = {**without(WORLD, f"{RESOURCE}/mcp"), MCP: (401, {}, None), place: WORLD[f"{RESOURCE}/mcp"]}

    assert MCP == query(begin(scheme(), world=world).url)["resource"]


def test_a_server_without_metadata_is_its_own_authorization_server():
    origin = "https://mcp.example.com"
    seen, world = (
        [],
        {
            MCP: (405, {}, None),
            f"{origin}/.well-known/oauth-authorization-server": {**SERVER, "issuer": origin},
            REGISTER: WORLD[REGISTER],
        },
    )
    begun = begin(scheme(), world=world, seen=seen)

    assert (MCP, origin) == (query(begun.url)["resource"], begun.kept["issuer"])
    assert [False] * 4 == [request.found for request in seen[:4]]


@pytest.mark.parametrize(
    "place",
    [
        "https://auth.example.com/.well-known/oauth-authorization-server/t/1",
        "https://auth.example.com/.well-known/openid-configuration/t/1",
        "https://auth.example.com/t/1/.well-known/openid-configuration",
    ],
)
def test_an_issuer_with_a_path_is_found_at_each_of_its_places(place):
    issuer = f"{ISSUER}/t/1"
    world = {
        **without(WORLD, METADATA),
        f"{RESOURCE}/mcp": {"resource": MCP, "authorization_servers": [issuer]},
        place: {**SERVER, "issuer": issuer},
    }

    assert issuer == begin(scheme(), world=world).kept["issuer"]


@pytest.mark.parametrize("resource", ["https://mcp.example.com", "https://mcp.example.com/", MCP, f"{MCP}/"])
def test_the_metadata_may_be_that_of_what_encloses_the_server(resource):
    world = {**WORLD, f"{RESOURCE}/mcp": {"resource": resource, "authorization_servers": [ISSUER]}}

    assert resource == query(begin(scheme(), world=world).url)["resource"]


@pytest.mark.parametrize(
    "resource",
    [None, 5, "https://bank.example.com/mcp", "http://mcp.example.com/mcp", f"{MCP}/other", "https://mcp.example.com/m",
     "https://mcp.example.com:444/mcp", f"{MCP}?tenant=1", "https://["],
)  # fmt: skip
def test_the_metadata_of_another_resource_is_not_used(resource):
    world = {**WORLD, f"{RESOURCE}/mcp": {"resource": resource, "authorization_servers": [ISSUER]}}

    with pytest.raises(BadAnswer, match="another resource"):
        begin(scheme(), world=world)


@pytest.mark.parametrize("issuer", ["https://evil.example.com", f"{ISSUER}/t", None])
def test_the_metadata_of_another_issuer_is_not_used(issuer):
    with pytest.raises(BadAnswer, match="another issuer"):
        begin(scheme(), world=with_server(issuer=issuer))


@pytest.mark.parametrize("methods", [None, [], ["plain"], "S256"])
def test_a_server_without_s256_is_refused(methods):
    with pytest.raises(BadAnswer, match="PKCE"):
        begin(scheme(), world=with_server(code_challenge_methods_supported=methods))


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "registration_endpoint"])
@pytest.mark.parametrize("url", ["http://auth.example.com/x", "javascript:alert(1)", "https://u:p@x.test/", 5])
def test_an_endpoint_that_is_not_https_is_refused(name, url):
    with pytest.raises(BadAnswer, match=name):
        begin(scheme(), world=with_server(**{name: url}))


def test_http_is_for_this_machine():
    assert all(map(is_safe, ("http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x", "https://x.test")))
    assert not any(
        map(is_safe, ("http://10.0.0.1/", "http://localhost.evil.test/", "https:///x", "https://x#f", None))
    )


def test_a_server_url_that_is_not_https_is_refused():
    with pytest.raises(ValueError, match="server_url must be an https URL"):
        begin(scheme(server_url="http://mcp.example.com/mcp"))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_is_not_taken_for_absence(status):
    with pytest.raises(BadAnswer, match=f"was answered {status}"):
        begin(scheme(), world={**WORLD, METADATA: (status, {}, "no")})


@pytest.mark.parametrize("page", ["<html>", "[]", "[" * 99_999], ids=["html", "list", "deep"])
def test_a_page_for_people_is_no_metadata(page):
    with pytest.raises(BadAnswer, match="found no metadata"):
        begin(scheme(), world={**WORLD, METADATA: (200, {}, page)})


# --- the client ------------------------------------------------------------------------------------------------------


def registered(seen):
    return next(request.json for request in seen if request.url == REGISTER)


def test_a_public_client_is_registered():
    seen = []
    begin(scheme(), seen=seen)

    assert {
        "client_name": "nango_py",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
        "scope": "tools",
    } == registered(seen)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8000/cb", "http://localhost/cb", "com.example.app:/cb"])
def test_a_client_on_the_users_machine_is_native(uri):
    seen = []
    begin(scheme(), seen=seen, redirect_uri=uri)

    assert "native" == registered(seen)["application_type"]


def test_declared_metadata_of_the_client_wins():
    seen = []
    begin(scheme(registration_params={"client_name": "Acme", "scope": None, "contacts": ["a@b.test"]}), seen=seen)

    assert ("Acme", ["a@b.test"]) == (registered(seen)["client_name"], registered(seen)["contacts"])
    assert "scope" not in registered(seen)


@pytest.mark.parametrize(
    ("supported", "asked"),
    [(None, "client_secret_basic"), (["client_secret_post"], "client_secret_post"), (["private_key_jwt"], "none")],
)
def test_the_client_asks_for_a_proof_that_the_server_takes(supported, asked):
    seen = []
    world = {
        **with_server(token_endpoint_auth_methods_supported=supported),
        REGISTER: (201, {}, {"client_id": "c", "client_secret": "s"}),
    }
    begun = begin(scheme(), world=world, seen=seen)

    assert (asked, asked) == (
        registered(seen)["token_endpoint_auth_method"],
        begun.kept["token_endpoint_auth_method"],
    )


@pytest.mark.parametrize(
    "answer",
    [{}, {"client_id": ""}, {"client_id": 5}, {"client_id": "c", "token_endpoint_auth_method": "private_key_jwt"},
     {"client_id": "c", "token_endpoint_auth_method": "client_secret_basic"}],
)  # fmt: skip
def test_a_registration_that_cannot_be_used_is_refused(answer):
    with pytest.raises(BadAnswer):
        begin(scheme(), world={**WORLD, REGISTER: (201, {}, answer)})


def test_a_refused_registration_says_why():
    with pytest.raises(Refused, match="invalid_redirect_uri"):
        begin(scheme(), world={**WORLD, REGISTER: (400, {}, {"error": "invalid_redirect_uri"})})


def test_the_integrations_own_client_comes_first():
    seen = []
    world = with_server(client_id_metadata_document_supported=True)
    auth = scheme(client_id_metadata_url="https://app.example.com/client.json")
    begun = begin(auth, account(client="own", secret=Secret("s")), world=world, seen=seen)

    assert "own" == query(begun.url)["client_id"]
    assert REGISTER not in [request.url for request in seen]
    assert "client_id" not in begun.kept


def test_a_document_about_the_client_comes_before_a_registration():
    auth = scheme(client_id_metadata_url="https://app.example.com/client.json")
    begun = begin(auth, world=with_server(client_id_metadata_document_supported=True))

    assert "https://app.example.com/client.json" == query(begun.url)["client_id"]
    assert "c-1" == query(begin(auth).url)["client_id"]  # the server takes no such document


def test_the_way_to_a_client_can_be_declared():
    auth = scheme(client_registration="dynamic")
    assert "c-1" == query(begin(auth, account(client="own")).url)["client_id"]

    with pytest.raises(ValueError, match="no oauth_client_id"):
        begin(scheme(client_registration="static"))


def test_without_any_client_the_remedy_is_named():
    with pytest.raises(ValueError, match="set oauth_client_id"):
        begin(scheme(), world=with_server(registration_endpoint=None))


# --- declared endpoints ----------------------------------------------------------------------------------------------


def test_declared_endpoints_ask_nobody_but_the_registration():
    seen = []
    auth = scheme(
        authorization_url="https://a.test/auth",
        token_url="https://a.test/token",
        registration_url="https://a.test/reg",
    )
    begun = begin(auth, world={"https://a.test/reg": (201, {}, {"client_id": "c-2"})}, seen=seen)

    assert [("https://a.test/reg", False)] == [(request.url, request.found) for request in seen]
    assert ("https://a.test/auth", MCP) == (begun.url.partition("?")[0], query(begun.url)["resource"])
    assert "token_url" not in begun.kept


def test_what_is_not_declared_is_found():
    auth = scheme(authorization_url="https://a.test/auth", token_url="https://a.test/token")
    begun = begin(auth)

    assert ("https://a.test/auth", "c-1") == (begun.url.partition("?")[0], query(begun.url)["client_id"])


# --- scopes ----------------------------------------------------------------------------------------------------------


def test_the_scopes_are_the_integrations_then_the_challenges_then_the_metadatas():
    bearer = WORLD[MCP][1]["WWW-Authenticate"]
    world = {**WORLD, MCP: (401, {"WWW-Authenticate": f'{bearer}, scope="files:read files:write"'}, None)}

    assert "mine" == query(begin(scheme(), account(scopes=("mine",)), world=world).url)["scope"]
    assert "files:read files:write" == query(begin(scheme(), world=world).url)["scope"]
    assert "tools offline_access" == query(begin(scheme(default_scopes=["offline_access"])).url)["scope"]


# --- tokens ----------------------------------------------------------------------------------------------------------


def finished(auth=None, world=WORLD, callback=None, who=None, seen=None):
    auth, who = auth or scheme(), who or account()
    begun = begin(auth, who, world)
    grant = auth.finish(who, callback or {"code": "k", "iss": ISSUER}, begun.kept, redirect_uri=CALLBACK)
    return talk(grant, world, seen).credentials


def test_a_code_is_exchanged_for_the_resource():
    seen = []
    finished(seen=seen)

    assert {
        "grant_type": "authorization_code",
        "code": "k",
        "redirect_uri": CALLBACK,
        "code_verifier": "n" * 64,
        "client_id": "c-1",
        "resource": MCP,
    } == dict(seen[0].form)
    assert (TOKEN, True, False) == (seen[0].url, seen[0].found, seen[0].is_repeatable)


def test_a_connection_remembers_what_was_found():
    kept = finished()

    assert {
        "client_id": "c-1",
        "token_endpoint_auth_method": "none",
        "token_url": TOKEN,
        "revocation_url": f"{ISSUER}/revoke",
        "resource": MCP,
        "issuer": ISSUER,
    } == {name: kept[name] for name in kept if name not in {"access_token", "refresh_token", "raw", "scope",
                                                          "expires_at", "obtained_at"}}  # fmt: skip


def renewed(credentials, auth=None, world=WORLD, **who):
    seen = []
    auth = auth or scheme()
    obtained = talk(auth.renew(account(credentials=credentials, **who)), world, seen)
    return obtained.credentials, seen


def test_a_renewal_asks_the_token_endpoint_alone_and_a_public_client_without_a_secret():
    credentials, seen = renewed({**finished(), "refresh_token": Secret("r-1")})

    assert [TOKEN] == [request.url for request in seen]
    assert {"grant_type": "refresh_token", "refresh_token": "r-1", "resource": MCP, "client_id": "c-1"} == dict(
        seen[0].form
    )
    assert "Authorization" not in seen[0].headers
    assert "a-1" == credentials["access_token"]


def test_the_old_refresh_token_is_kept():
    credentials, _ = renewed(finished(), world={TOKEN: {"access_token": "a-2"}})

    assert "refresh_token" not in credentials  # what is not named is not replaced


def test_a_confidential_client_proves_itself_as_it_was_registered():
    world = {
        **WORLD,
        REGISTER: (201, {}, {"client_id": "c", "client_secret": "s", "token_endpoint_auth_method": "client_secret_basic"}),
    }  # fmt: skip
    _, seen = renewed(finished(world=world))

    assert b"c:s" == b64decode(seen[0].headers["Authorization"].removeprefix("Basic "))
    assert "client_id" not in seen[0].form


def test_a_static_client_is_the_integrations_of_today():
    kept = finished(who=account(client="own", secret=Secret("old")))
    _, seen = renewed(kept, client="own", secret=Secret("new"))

    assert b"own:new" == b64decode(seen[0].headers["Authorization"].removeprefix("Basic "))


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_a_client_that_was_forgotten_cannot_heal(code):
    with pytest.raises(Refused) as caught:
        renewed(finished(), world={TOKEN: (401, {}, {"error": code})})

    assert caught.value.is_final


def test_a_static_client_may_be_set_right():
    kept = finished(who=account(client="own", secret=Secret("old")))
    with pytest.raises(Refused) as caught:
        renewed(kept, world={TOKEN: (401, {}, {"error": "invalid_client"})}, client="own", secret=Secret("wrong"))

    assert not caught.value.is_final


def test_only_a_connection_that_knows_where_can_be_renewed():
    assert scheme().can_renew({"refresh_token": "r", "token_url": TOKEN})
    assert scheme(token_url=TOKEN).can_renew({"refresh_token": "r"})
    assert not scheme().can_renew({"refresh_token": "r"})
    assert not scheme().can_renew({"token_url": TOKEN})


@pytest.mark.parametrize("sent", ["https://evil.example.com", f"{ISSUER}/t"])
def test_a_callback_of_another_issuer_is_refused(sent):
    with pytest.raises(Refused, match="another issuer"):
        finished(callback={"code": "k", "iss": sent})


def test_a_callback_without_issuer_is_refused_where_one_was_promised():
    assert "a-1" == finished(callback={"code": "k"})["access_token"]

    with pytest.raises(Refused, match="which server sent it"):
        finished(world=with_server(authorization_response_iss_parameter_supported=True), callback={"code": "k"})


def test_a_token_is_revoked_where_the_server_was_found_to_do_so():
    seen = []
    world = {f"{ISSUER}/revoke": (200, {}, "")}
    talk(scheme().revoke(account(credentials=finished())), world, seen)
    talk(scheme().revoke(account(credentials={"access_token": "a"})), world, seen)

    assert [(f"{ISSUER}/revoke", {"token": "r-1", "token_type_hint": "refresh_token", "client_id": "c-1"})] == [
        (request.url, dict(request.form)) for request in seen
    ]
