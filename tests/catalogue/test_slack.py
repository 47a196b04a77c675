"""The actions of blueprints/slack.yaml against Slack as https://docs.slack.dev/reference/methods describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError, RateLimitedError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

SLACK = Account(
    blueprint="slack:v0",
    credentials={"access_token": "xoxb-1"},
    integration={"oauth_client_id": "1.2", "oauth_client_secret": "s"},
)
API = "https://slack.com/api/"
MESSAGE = {"type": "message", "user": "U1", "text": "Hello", "ts": "1.2", "reply_count": 1, "bot_id": "B1"}
REPLY = {"type": "message", "user": "U2", "text": "Hi", "ts": "1.3", "thread_ts": "1.2"}
CHANNEL = {"id": "C1", "name": "general", "is_private": False, "is_archived": False, "is_member": True}
USER = {
    "id": "U1",
    "name": "ann",
    "deleted": False,
    "is_bot": False,
    "real_name": "Ann Lee",
    "profile": {"real_name": "Ann Lee", "email": "ann@example.com"},
}


def ok(**body):
    return json_answer({"ok": True, **body})


def channels(sent):
    if "cursor" not in sent.query:
        # Slack may answer with an empty page before the last one.
        return ok(channels=[], response_metadata={"next_cursor": "dGVhbQ=="})(sent)
    return ok(channels=[CHANNEL], response_metadata={"next_cursor": ""})(sent)


def posted(sent):
    if sent.body["channel"] == "C404":
        return json_answer({"ok": False, "error": "channel_not_found"})(sent)
    if sent.body["text"] == "too much":
        return json_answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "3600"})(sent)
    return ok(channel="C1", ts="1.2", message=MESSAGE)(sent)


def looked_up(sent):
    is_there = sent.query["email"] == "ann@example.com"
    return (ok(user=USER) if is_there else json_answer({"ok": False, "error": "users_not_found"}))(sent)


def slack():
    return Provider(
        headers={"Authorization": "Bearer xoxb-1"},
        refused=json_answer({"ok": False, "error": "invalid_auth"}),
        unknown=json_answer({"ok": False, "error": "unknown_method"}),
        answers={
            f"POST {API}chat.postMessage": posted,
            f"POST {API}chat.update": ok(channel="C1", ts="1.2", text="Hello!"),
            f"POST {API}chat.delete": ok(channel="C1", ts="1.2"),
            f"POST {API}reactions.add": ok(),
            f"GET {API}conversations.list": channels,
            f"GET {API}conversations.history": ok(messages=[MESSAGE], has_more=False),
            f"GET {API}conversations.replies": ok(messages=[MESSAGE, REPLY], has_more=False),
            f"POST {API}conversations.create": ok(channel=CHANNEL),
            f"POST {API}conversations.invite": ok(channel=CHANNEL),
            f"GET {API}users.list": ok(members=[USER], response_metadata={"next_cursor": ""}),
            f"GET {API}users.lookupByEmail": looked_up,
        },
    )


CASES = {
    "notify": Case(
        {"channelId": "C1", "msg": "Hello", "thread_ts": "1.1"},
        Sent(f"POST {API}chat.postMessage", body={"channel": "C1", "text": "Hello", "thread_ts": "1.1"}),
        {"channel": "C1", "ts": "1.2"},
    ),
    "update-message": Case(
        {"channel": "C1", "ts": "1.2", "text": "Hello!"},
        Sent(f"POST {API}chat.update", body={"channel": "C1", "ts": "1.2", "text": "Hello!"}),
        {"channel": "C1", "ts": "1.2"},
    ),
    "delete-message": Case(
        {"channel": "C1", "ts": "1.2"},
        Sent(f"POST {API}chat.delete", body={"channel": "C1", "ts": "1.2"}),
        {"channel": "C1", "ts": "1.2"},
    ),
    "react": Case(
        {"channel": "C1", "ts": "1.2", "emoji": "thumbsup"},
        Sent(f"POST {API}reactions.add", body={"channel": "C1", "timestamp": "1.2", "name": "thumbsup"}),
        {"channel": "C1", "ts": "1.2", "emoji": "thumbsup"},
    ),
    "list-channels": Case(
        {"types": ["public_channel", "private_channel"], "exclude_archived": True},
        [
            Sent(
                f"GET {API}conversations.list",
                {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": "200", **cursor},
            )
            for cursor in ({}, {"cursor": "dGVhbQ=="})
        ],
        [CHANNEL],
    ),
    "list-messages": Case(
        {"channel": "C1", "oldest": "1.0"},
        Sent(f"GET {API}conversations.history", {"channel": "C1", "oldest": "1.0", "limit": "200"}),
        [{"ts": "1.2", "user": "U1", "text": "Hello", "thread_ts": None, "reply_count": 1}],
    ),
    "list-replies": Case(
        {"channel": "C1", "ts": "1.2"},
        Sent(f"GET {API}conversations.replies", {"channel": "C1", "ts": "1.2", "limit": "200"}),
        [
            {"ts": "1.2", "user": "U1", "text": "Hello", "thread_ts": None},
            {"ts": "1.3", "user": "U2", "text": "Hi", "thread_ts": "1.2"},
        ],
    ),
    "create-channel": Case(
        {"name": "general", "is_private": False},
        Sent(f"POST {API}conversations.create", body={"name": "general", "is_private": False}),
        {"id": "C1", "name": "general", "is_private": False},
    ),
    "invite": Case(
        {"channel": "C1", "users": ["U1", "U2"]},
        Sent(f"POST {API}conversations.invite", body={"channel": "C1", "users": "U1,U2"}),
        {"id": "C1", "name": "general"},
    ),
    "notify-person": Case(
        {"email": "ann@example.com", "msg": "Hello"},
        [
            Sent(f"GET {API}users.lookupByEmail", {"email": "ann@example.com"}),
            Sent(f"POST {API}chat.postMessage", body={"channel": "U1", "text": "Hello"}),
        ],
        {"channel": "C1", "ts": "1.2"},
    ),
    "list-users": Case(
        {},
        Sent(f"GET {API}users.list", {"limit": "200"}),
        [
            {
                "id": "U1",
                "name": "ann",
                "real_name": "Ann Lee",
                "email": "ann@example.com",
                "is_bot": False,
                "deleted": False,
            }
        ],
    ),
    "find-user": Case(
        {"email": "ann@example.com"},
        Sent(f"GET {API}users.lookupByEmail", {"email": "ann@example.com"}),
        USER,
    ),
}


def test_every_action_has_a_case():
    assert SLACK.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_slack_documents_and_gives_what_it_promises(action):
    provider = slack()

    assert CASES[action].output == SLACK.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_an_ok_that_is_false_is_an_error_though_the_status_is_200():
    with pytest.raises(ActionError, match="no channel C404") as caught:
        SLACK.run(slack(), "notify", {"channelId": "C404", "msg": "Hello"})
    assert "not-found" == caught.value.name


def test_nobody_is_notified_where_nobody_has_the_address():
    provider = slack()

    with pytest.raises(ActionError) as caught:
        SLACK.run(provider, "notify-person", {"email": "bob@example.com", "msg": "Hello"})
    assert "not-found" == caught.value.name
    assert [f"GET {API}users.lookupByEmail"] == [sent.line for sent in provider.sent]


def test_a_used_up_limit_says_when_to_come_back():
    with pytest.raises(RateLimitedError) as caught:
        SLACK.run(slack(), "notify", {"channelId": "C1", "msg": "too much"})
    assert 3600 == caught.value.retry_after


def test_a_token_that_slack_refuses_is_an_error_of_credentials():
    other = Account(blueprint="slack:v0", credentials={"access_token": "xoxb-2"}, integration=SLACK.integration)

    with pytest.raises(AuthenticationError, match="invalid_auth"):
        other.run(slack(), "find-user", {"email": "ann@example.com"})
