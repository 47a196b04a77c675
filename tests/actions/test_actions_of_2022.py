"""The action examples that shipped with Nango in 2022, each against its provider as the documentation describes it.

The fakes below were written from the pages that each one names. They check the whole request, to the byte where a
reader of the documentation could: method, URL, credentials, body. They share no code with what they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import parse_qsl, quote, unquote

import httpx
import pytest

from nango_py import ActionError, Nango
from nango_py.testing import ManualClock

APP = {"oauth_client_id": "the-client", "oauth_client_secret": "the-client-secret"}
TOKEN = {"access_token": "the-token"}


def said(status, body, **headers):
    return httpx.Response(status, json=body, headers=headers)


def bearer(request):
    return request.headers.get_list("authorization") == ["Bearer the-token"]


def is_json(request):
    return request.headers["content-type"].partition(";")[0] == "application/json"


def slack(request):
    """https://docs.slack.dev/reference/methods/chat.postMessage and /conversations.list."""
    if not bearer(request):
        return said(200, {"ok": False, "error": "not_authed"})
    match request.method, str(request.url):
        case "POST", "https://slack.com/api/chat.postMessage" if is_json(request):
            message = json.loads(request.content)
            if message["channel"] != "C012AB3CD":
                return said(200, {"ok": False, "error": "channel_not_found"})
            assert {"channel", "text"} == set(message)
            return said(
                200, {"ok": True, "channel": message["channel"], "ts": "1503435956.000247", "message": message}
            )
        case "GET", "https://slack.com/api/conversations.list?limit=200":
            more = {"next_cursor": "dGVhbTpDMDYxRkE1UEI="}
            return said(200, {"ok": True, "channels": [SLACK_CHANNELS[0]], "response_metadata": more})
        case "GET", "https://slack.com/api/conversations.list?cursor=dGVhbTpDMDYxRkE1UEI%3D&limit=200" | (
            "https://slack.com/api/conversations.list?limit=200&cursor=dGVhbTpDMDYxRkE1UEI%3D"
        ):
            return said(200, {"ok": True, "channels": [SLACK_CHANNELS[1]], "response_metadata": {"next_cursor": ""}})
    return said(200, {"ok": False, "error": "unknown_method"})


SLACK_CHANNELS = [
    {"id": "C012AB3CD", "name": "general", "is_private": False, "is_archived": False, "is_member": True},
    {"id": "C061EG9T2", "name": "random", "is_private": False, "is_archived": False, "is_member": False},
]


def ms_teams(request):
    """https://learn.microsoft.com/graph/api/channel-list and /graph/api/chatmessage-post."""
    team = "https://graph.microsoft.com/v1.0/teams/fbe2bf47-16c8-47cf-b4a5-4b9b187c508b"
    if not bearer(request):
        return said(401, {"error": {"code": "InvalidAuthenticationToken"}})
    general = {
        "id": "19:561fbdbbfca848a484f0a6f00ce9dbbd@thread.tacv2",
        "displayName": "General",
        "description": None,
    }
    match request.method, str(request.url):
        case "GET", url if url == f"{team}/channels":
            return said(200, {"@odata.nextLink": f"{team}/channels?$skiptoken=x", "value": [general]})
        case "GET", url if url in {f"{team}/channels?$skiptoken=x", f"{team}/channels?%24skiptoken=x"}:
            return said(200, {"value": [{**general, "id": "19:2@thread.tacv2", "displayName": "Two"}]})
        case "POST", url if unquote(url) == f"{team}/channels/{general['id']}/messages" and is_json(request):
            assert {"body": {"contentType": "text", "content": "Hello World"}} == json.loads(request.content)
            sent = {
                "id": "1616990032035",
                "webUrl": "https://teams.microsoft.com/l/message/1",
                "createdDateTime": NOW,
            }
            return said(201, sent)
    return said(404, {"error": {"code": "NotFound"}})


NOW = "2021-03-29T03:53:52.035Z"
TEAM = "fbe2bf47-16c8-47cf-b4a5-4b9b187c508b"
CHANNEL = "19:561fbdbbfca848a484f0a6f00ce9dbbd@thread.tacv2"


def github(request):
    """https://docs.github.com/rest/activity/starring#star-a-repository-for-the-authenticated-user."""
    if not bearer(request) or not re.match("nango-py/", request.headers["user-agent"]):
        return said(401, {"message": "Bad credentials"})
    assert "application/vnd.github+json" == request.headers["accept"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", request.headers["x-github-api-version"])
    if (request.method, str(request.url)) != ("PUT", "https://api.github.com/user/starred/octocat/Hello-World"):
        return said(404, {"message": "Not Found"})
    # "Note that you'll need to set Content-Length to zero when calling out to this endpoint."
    assert ("0", b"") == (request.headers["content-length"], request.content)
    return httpx.Response(204)


def asana(request):
    """https://developers.asana.com/reference/getusers and /docs/pagination."""
    if not bearer(request):
        return said(401, {"errors": [{"message": "Not Authorized"}]})
    assert ("GET", "https://app.asana.com/api/1.0/users") == (request.method, str(request.url).partition("?")[0])
    query = dict(parse_qsl(request.url.query.decode()))
    assert "100" == query.pop("limit")
    assert {"name", "email"} == set(query.pop("opt_fields").split(","))
    match query:
        case {"workspace": "1331", **rest} if not rest:
            page = {"offset": "eyJ0eXAiOJiKV1iQLCJhbGciOiJIUzI1NiJ9", "path": "/users?x", "uri": "https://x.test"}
            return said(200, {"data": [ASANA_USERS[0]], "next_page": page})
        case {"workspace": "1331", "offset": "eyJ0eXAiOJiKV1iQLCJhbGciOiJIUzI1NiJ9", **rest} if not rest:
            return said(200, {"data": [ASANA_USERS[1]], "next_page": None})
    return said(400, {"errors": [{"message": "bad request"}]})


ASANA_USERS = [
    {"gid": "12345", "name": "Greg Sanchez", "email": "gsanchez@example.com"},
    {"gid": "12346", "name": "Ada", "email": "ada@example.com"},
]


def twitter(request):
    """https://docs.x.com/x-api/posts/create-post, signed as RFC 5849 says."""
    if not is_signed(request, "the-client-secret", "the-token-secret"):
        return said(401, {"title": "Unauthorized"})
    assert ("POST", "https://api.x.com/2/tweets") == (request.method, str(request.url))
    assert is_json(request)
    assert {"text": "Hello world! 100% & more"} == json.loads(request.content)
    return said(201, {"data": {"id": "1445880548472328192", "text": "Hello world! 100% & more"}})


def is_signed(request, client_secret, token_secret):
    """Check an OAuth 1.0 signature: RFC 5849 sections 3.4.1 and 3.4.2; a JSON body is not signed (3.4.1.3.1)."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    given = {unquote(k): unquote(v) for k, v in re.findall(r'([^=,\s]+)="([^"]*)"', rest)}
    signature = given.pop("oauth_signature")
    given.pop("realm", None)
    assert ("OAuth", "HMAC-SHA1", "1.0") == (scheme, given["oauth_signature_method"], given["oauth_version"])
    assert ("the-client", "the-token") == (given["oauth_consumer_key"], given["oauth_token"])
    enc = lambda text: quote(text, safe="-._~")  # noqa: E731
    pairs = sorted((enc(k), enc(v)) for k, v in {**given, **dict(request.url.params)}.items())
    base = "&".join(
        enc(part)
        for part in (request.method, str(request.url).partition("?")[0], "&".join(f"{k}={v}" for k, v in pairs))
    )
    digest = hmac.new(f"{enc(client_secret)}&{enc(token_secret)}".encode(), base.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode() == signature


def hubspot(request):
    """https://developers.hubspot.com/docs/api-reference/2026-03/crm: properties, contacts and notes."""
    if not bearer(request):
        return said(401, {"status": "error", "category": "INVALID_AUTHENTICATION"})
    url, _, query = str(request.url).partition("?")
    asked = dict(parse_qsl(query))
    match request.method, url.removeprefix("https://api.hubapi.com/"):
        case "GET", "crm/properties/2026-03/contacts":
            assert {} == asked
            return said(200, {"results": [{"name": "email", "type": "string"}, {"name": "phone", "type": "string"}]})
        case "GET", "crm/objects/2026-03/contacts":
            assert {"limit": "100", "properties": "email,phone"} == {k: v for k, v in asked.items() if k != "after"}
            if "after" not in asked:
                return said(
                    200, {"results": [contact("1")], "paging": {"next": {"after": "NTI1Cg%3D%3D", "link": "?"}}}
                )
            assert "NTI1Cg%3D%3D" == asked["after"]
            return said(200, {"results": [contact("2")]})
        case "POST", "crm/objects/2026-03/notes":
            assert {} == asked
            assert is_json(request)
            types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]
            properties = {"hs_timestamp": "2021-11-12T15:48:22Z", "hs_note_body": "Spoke with decision maker."}
            assert {
                "properties": properties,
                "associations": [{"to": {"id": "301"}, "types": types}],
            } == json.loads(request.content)
            return said(201, {"id": "17591596434", "properties": properties, "archived": False})
    return said(404, {"status": "error", "category": "OBJECT_NOT_FOUND"})


def contact(number):
    return {"id": number, "properties": {"email": f"{number}@example.com", "phone": None}, "archived": False}


def renamed(channel):
    return {name: channel[name] for name in ("id", "name", "is_private", "is_archived", "is_member")}


EXAMPLES = {
    "slack notify": (
        slack,
        {"channelId": "C012AB3CD", "msg": "Hello <!here>"},
        {"channel": "C012AB3CD", "ts": "1503435956.000247"},
    ),
    "slack list-channels": (slack, {}, [renamed(channel) for channel in SLACK_CHANNELS]),
    "ms-teams list-channels": (
        ms_teams,
        {"team_id": TEAM},
        [
            {"id": CHANNEL, "name": "General", "description": None},
            {"id": "19:2@thread.tacv2", "name": "Two", "description": None},
        ],
    ),
    "ms-teams notify": (
        ms_teams,
        {"team_id": TEAM, "channel_id": CHANNEL, "msg": "Hello World"},
        {"id": "1616990032035", "url": "https://teams.microsoft.com/l/message/1", "created_at": NOW},
    ),
    "github star": (github, {"owner": "octocat", "repo": "Hello-World"}, None),
    "asana users": (asana, {"workspace": "1331"}, ASANA_USERS),
    "twitter1 tweet": (
        twitter,
        {"text": "Hello world! 100% & more"},
        {"id": "1445880548472328192", "text": "Hello world! 100% & more"},
    ),
    "hubspot get-all-contacts": (hubspot, {}, [contact("1"), contact("2")]),
    "hubspot add-contact-note": (
        hubspot,
        {"contact_id": "301", "body": "Spoke with decision maker.", "timestamp": "2021-11-12T15:48:22Z"},
        {
            "id": "17591596434",
            "properties": {"hs_timestamp": "2021-11-12T15:48:22Z", "hs_note_body": "Spoke with decision maker."},
            "archived": False,
        },
    ),
}


def opened(blueprint, provider):
    nango = Nango.load(
        {"integrations": {blueprint: {"extends_blueprint": f"{blueprint}:v0", **APP}}},
        store="memory://",
        environ={},
        clock=ManualClock(),
        transport=httpx.MockTransport(provider),
    )
    assert () == nango.problems
    credentials = (
        {"oauth_token": "the-token", "oauth_token_secret": "the-token-secret"} if blueprint == "twitter1" else TOKEN
    )
    nango.register_connection(blueprint, "u", credentials)
    return nango


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_does_what_it_did(name):
    provider, given, expected = EXAMPLES[name]
    blueprint, action = name.split()
    with opened(blueprint, provider) as nango:
        assert expected == nango.trigger_action(blueprint, action, "u", given)


def test_all_contacts_stream_page_by_page():
    asked = []

    def provider(request):
        asked.append(request.url.path)
        return hubspot(request)

    with opened("hubspot", provider) as nango:
        stream = nango.stream_action("hubspot", "get-all-contacts", "u")
        assert contact("1") == next(stream)
        assert ["/crm/properties/2026-03/contacts", "/crm/objects/2026-03/contacts"] == asked
        assert [contact("2")] == list(stream)


def test_the_error_in_an_answer_of_200_is_an_error_with_a_name():
    with opened("slack", slack) as nango, pytest.raises(ActionError) as caught:
        nango.trigger_action("slack", "notify", "u", {"channelId": "nowhere", "msg": "x"})
    assert "not-found" == caught.value.name


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_fake_refuses_who_shows_no_credentials(name):
    provider = EXAMPLES[name][0]
    request = httpx.Request("GET", "https://x.test/", headers={"Authorization": 'OAuth oauth_signature="x"'})
    if provider is twitter:
        with pytest.raises(KeyError):
            provider(request)
        return
    answer = provider(request)
    assert 401 == answer.status_code or answer.json()["error"] == "not_authed"
