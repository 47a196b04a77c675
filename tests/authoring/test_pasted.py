"""Secrets that somebody pasted into a description go into no blueprint."""

from __future__ import annotations

import pytest

from nango_py.authoring.pasted import PASTED, is_pasted
from nango_py.importers.airbyte.importer import manifest_draft
from nango_py.importers.nango.entry import convert
from nango_py.yaml_writer import yaml_text
from tests.authoring.spec import body, described, param, taken

KEY = "sk_live_51Hx"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Api-Key", KEY), ("Authorization", f"Bearer {KEY}"), ("client_secret", "a1"), ("authorization", "Basic YWJj"),
     ("password", "hunter2"), ("accessToken", "$${x}9"), ("Cookie", "sid=abc")],
)  # fmt: skip
def test_a_literal_under_the_name_of_a_secret_is_taken_for_one(name, value):
    assert is_pasted(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Api-Key", "${api_key}"), ("Authorization", "Bearer ${credentials.k}"), ("X-Atlassian-Token", "no-check"),
     ("password", "X"), ("password", ""), ("authorization", "basic"), ("grant_type", "client_credentials_1"),
     ("pageToken", "0"), ("next_token", "100"), ("sync_token", "*"), ("x-csrf-token", "1"), ("X-Signature", "v1"),
     ("Authorization", "Bearer "), ("token_type", "urn:x:1"), ("X-Api-Version", "2026-01-01"), ("api_key", None), ("token", 7)],
)  # fmt: skip
def test_a_value_that_belongs_there_is_not(name, value):
    assert not is_pasted(name, value)


AUTHENTICATORS = [
    {"type": "BearerAuthenticator", "api_token": KEY},
    {"type": "ApiKeyAuthenticator", "header": "X-Key", "api_token": f"Token {KEY}"},
    {"type": "BasicHttpAuthenticator", "username": KEY, "password": ""},
    {"type": "BasicHttpAuthenticator", "username": "ann", "password": KEY},
    {"type": "BasicHttpAuthenticator", "username": "{{ config['user'] }}", "password": KEY},
    {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "https://desk.example/token",
        "client_id": KEY,
        "client_secret": KEY,
        "refresh_token": KEY,
        "refresh_request_body": {"client_secret": KEY},
        "refresh_request_headers": {"Authorization": f"Basic {KEY}"},
    },
    {
        "type": "SessionTokenAuthenticator",
        "login_requester": {"url_base": "https://desk.example/", "path": "login", "http_method": "POST",
                            "request_body_json": {"user": {"password": KEY}}},
        "session_token_path": ["token"],
        "request_authentication": {"type": "Bearer"},
    },
]  # fmt: skip


@pytest.mark.parametrize("authenticator", AUTHENTICATORS)
def test_a_manifest_with_a_key_in_it_gives_a_blueprint_without(authenticator):
    requester = {
        "url_base": "https://desk.example/",
        "path": "things",
        "http_method": "POST",
        "authenticator": authenticator,
        "request_headers": {"X-Api-Key": KEY},
        "request_parameters": {"access_token": KEY},
        "request_body_json": {"auth": [{"secret": KEY}], "key": "{{ config['key'] }}"},
    }
    field = {"type": "string", "airbyte_secret": True, "default": KEY}
    stream = {"name": "things", "retriever": {"requester": requester}}
    draft, entry = manifest_draft(
        {"streams": [stream], "spec": {"connection_specification": {"properties": {"key": field, "user": {}}}}},
        "manifest.yaml",
        "desk",
    )

    assert ("", True) == (entry.problem, entry.ok)
    assert KEY not in draft.text()
    found = {one.key: one.reason for one in entry.findings}
    at = "streams.0.retriever.requester"
    for key in ("request_headers.X-Api-Key", "request_parameters.access_token", "request_body_json.auth"):
        assert PASTED == found[f"{at}.{key}"]
    assert PASTED == found["spec.connection_specification.properties.key.default"]
    assert any(key.startswith(f"{at}.authenticator.") for key in found)


def test_an_entry_with_a_key_in_it_gives_a_blueprint_without():
    entry = {
        "auth_mode": "TWO_STEP",
        "token_url": "https://acme.test/login",
        "token_params": {"user": "${credentials.user}", "client_secret": KEY},
        "token_headers": {"authorization": f"Basic {KEY}"},
        "token_response": {"token": "data.0.token"},
        "proxy": {
            "base_url": "https://acme.test",
            "headers": {"x-api-key": KEY, "x-token-kind": "v1"},
            "query": {"token": KEY},
            "verification": {"method": "GET", "endpoints": ["/me"], "headers": {"Authorization": f"Bearer {KEY}"}},
        },
        "credentials": {"user": {"type": "string", "title": "User"},
                        "password": {"type": "string", "title": "Password", "default_value": KEY},
                        "pin": {"type": "string", "title": "PIN", "default_value": "x"}},
    }  # fmt: skip
    made = convert("acme", entry)

    assert KEY not in yaml_text(made.document)
    assert {
        "token_params.client_secret",
        "token_headers.authorization",
        "proxy.headers.x-api-key",
        "proxy.query.token",
        "proxy.verification.headers.Authorization",
        "credentials.password.default_value",
    } == {one.key for one in made.findings if one.reason == PASTED}
    version = made.document["versions"]["v0"]
    assert {"x-token-kind": "v1"} == version["requests"]["headers"]
    assert "x" == version["credentials"]["pin"]["default"]


def test_a_description_with_a_key_in_it_gives_a_blueprint_without():
    words = {"type": "string", "enum": [KEY]}
    operations = {
        "GET /a": {"parameters": [param("X-Api-Key", "header", required=True, schema=words)]},
        "POST /b": body({"type": "object", "properties": {"secret": words, "kind": words}, "required": ["secret"]}),
        f"GET /c?api_key={KEY}": {},
    }
    servers = [
        {"url": "https://acme.example/{token}", "variables": {"token": {"default": KEY}}}
    ]  # fmt: skip
    made = taken(described(operations, servers=servers))

    assert ["get-a", "post-b"] == list(made.integration.actions)
    text = made.draft.text()
    assert [f"- {KEY}"] == [line.strip() for line in text.splitlines() if KEY in line]
    assert {
        "GET /a X-Api-Key": f"what it may be: {PASTED}",
        "POST /b secret": f"what it may be: {PASTED}",
        f"GET /c?api_key={KEY}": f"the query in its path: {PASTED}",
    } == {one.key: one.reason for one in made.report.entries[0].findings}
    assert (
        "${input.X_Api_Key}"
        == made.draft.data["versions"]["v0"]["actions"]["get-a"]["request"]["headers"]["X-Api-Key"]
    )
