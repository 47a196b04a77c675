"""The actions of blueprints/ms-teams.yaml against Graph as https://learn.microsoft.com/en-us/graph/api describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

TEAMS = Account(
    blueprint="ms-teams:v0",
    credentials={"access_token": "eyJ0"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://graph.microsoft.com/v1.0/"
CHANNELS = f"{API}teams/t1/channels"
MESSAGES = f"{CHANNELS}/c1/messages"
AT, URL = "2021-03-29T03:53:52.035Z", "https://teams.microsoft.com/l/message/c1/1"
MESSAGE = {"id": "1", "messageType": "message", "createdDateTime": AT, "webUrl": URL, "subject": None}
REPLY = {**MESSAGE, "id": "2", "replyToId": "1"}
MEMBER = {"id": "m1", "roles": ["owner"], "displayName": "Ann Lee", "userId": "u1", "email": "ann@example.com"}
CHANNEL = {"id": "c1", "displayName": "General", "description": None, "webUrl": None}


def values(*items):
    return json_answer({"value": list(items)})


def messages(sent):
    if "$skiptoken" not in sent.query:
        return json_answer({"value": [], "@odata.nextLink": f"{MESSAGES}?$top=50&$skiptoken=p2"})(sent)
    return values(MESSAGE)(sent)


def teams():
    return Provider(
        headers={"Authorization": "Bearer eyJ0"},
        refused=json_answer({"error": {"code": "InvalidAuthenticationToken", "message": "Expired."}}, 401),
        unknown=json_answer({"error": {"code": "NotFound", "message": "Not found."}}, 404),
        answers={
            f"GET {API}me/joinedTeams": values({"id": "t1", "displayName": "Sales", "description": None}),
            f"GET {CHANNELS}": values(CHANNEL),
            f"POST {CHANNELS}": json_answer(CHANNEL, 201),
            f"GET {MESSAGES}": messages,
            f"POST {MESSAGES}": json_answer(MESSAGE, 201),
            f"GET {MESSAGES}/1/replies": values(REPLY),
            f"POST {MESSAGES}/1/replies": json_answer(REPLY, 201),
            f"GET {API}teams/t1/members": values(MEMBER),
        },
    )


IN_CHANNEL = {"team_id": "t1", "channel_id": "c1"}
CASES = {
    "list-teams": Case({}, Sent(f"GET {API}me/joinedTeams"), [{"id": "t1", "name": "Sales", "description": None}]),
    "list-channels": Case(
        {"team_id": "t1"}, Sent(f"GET {CHANNELS}"), [{"id": "c1", "name": "General", "description": None}]
    ),
    "list-messages": Case(
        IN_CHANNEL,
        [Sent(f"GET {MESSAGES}", {"$top": "50", **page}) for page in ({}, {"$skiptoken": "p2"})],
        [MESSAGE],
    ),
    "notify": Case(
        {**IN_CHANNEL, "msg": "Hello", "subject": "News"},
        Sent(f"POST {MESSAGES}", body={"subject": "News", "body": {"contentType": "text", "content": "Hello"}}),
        {"id": "1", "url": URL, "created_at": AT},
    ),
    "list-replies": Case(
        {**IN_CHANNEL, "message_id": "1"}, Sent(f"GET {MESSAGES}/1/replies", {"$top": "50"}), [REPLY]
    ),
    "reply": Case(
        {**IN_CHANNEL, "message_id": "1", "msg": "<b>Hi</b>", "content_type": "html"},
        Sent(f"POST {MESSAGES}/1/replies", body={"body": {"contentType": "html", "content": "<b>Hi</b>"}}),
        {"id": "2", "url": URL, "created_at": AT},
    ),
    "list-members": Case(
        {"team_id": "t1"},
        Sent(f"GET {API}teams/t1/members"),
        [{"id": "m1", "user_id": "u1", "name": "Ann Lee", "email": "ann@example.com", "roles": ["owner"]}],
    ),
    "create-channel": Case(
        {"team_id": "t1", "name": "General"},
        Sent(f"POST {CHANNELS}", body={"displayName": "General", "membershipType": "standard"}),
        {"id": "c1", "name": "General", "url": None},
    ),
}


def test_every_action_has_a_case():
    assert TEAMS.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_graph_documents_and_gives_what_it_promises(action):
    provider = teams()

    assert CASES[action].output == TEAMS.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_channel_that_is_not_there_is_named():
    with pytest.raises(ActionError, match="no channel c404 in the team t1") as caught:
        TEAMS.run(teams(), "notify", {"team_id": "t1", "channel_id": "c404", "msg": "Hello"})
    assert "not-found" == caught.value.name
