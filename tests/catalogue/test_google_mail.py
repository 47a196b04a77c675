"""The actions of blueprints/google-mail.yaml against https://developers.google.com/workspace/gmail/api/reference/rest."""

from __future__ import annotations

import pytest

from nango_py import ActionError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

GMAIL = Account(
    blueprint="google-mail:v0",
    credentials={"access_token": "ya29.1"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://gmail.googleapis.com/gmail/v1/users/me/"
RAW = "VG86IGJvYkBleGFtcGxlLmNvbQ0KDQpIaQ"
MESSAGE = {"id": "m1", "threadId": "t1", "labelIds": ["INBOX"], "snippet": "Hello"}
THREAD = {"id": "t1", "historyId": "1", "messages": [MESSAGE]}
LABEL = {"id": "Label_1", "name": "Bills", "type": "user"}


def messages(sent):
    if "pageToken" not in sent.query:
        return json_answer({"messages": [{"id": "m1", "threadId": "t1"}], "nextPageToken": "p2"})(sent)
    # An empty result has no messages key.
    return json_answer({"resultSizeEstimate": 0})(sent)


def sent_message(sent):
    if sent.body["raw"] != RAW:
        return json_answer({"error": {"code": 400, "message": "Recipient address required"}}, 400)(sent)
    return json_answer(MESSAGE)(sent)


def gmail():
    return Provider(
        headers={"Authorization": "Bearer ya29.1"},
        refused=json_answer({"error": {"code": 401, "message": "Invalid Credentials"}}, 401),
        unknown=json_answer({"error": {"code": 404, "message": "Requested entity was not found."}}, 404),
        answers={
            f"GET {API}messages": messages,
            f"GET {API}messages/m1": json_answer(MESSAGE),
            f"POST {API}messages/send": sent_message,
            f"GET {API}labels": json_answer({"labels": [LABEL]}),
            f"POST {API}messages/m1/modify": json_answer(MESSAGE),
            f"POST {API}messages/m1/trash": json_answer(MESSAGE),
            f"GET {API}threads/t1": json_answer(THREAD),
            f"POST {API}drafts": json_answer({"id": "d1", "message": MESSAGE}),
        },
    )


CASES = {
    "list-messages": Case(
        {"query": "is:unread"},
        [
            Sent(f"GET {API}messages", {"q": "is:unread", "maxResults": "500", **page})
            for page in ({}, {"pageToken": "p2"})
        ],
        [{"id": "m1", "threadId": "t1"}],
    ),
    "get-message": Case(
        {"id": "m1", "format": "metadata"}, Sent(f"GET {API}messages/m1", {"format": "metadata"}), MESSAGE
    ),
    "send-message": Case(
        {"raw": RAW, "thread_id": "t1"},
        Sent(f"POST {API}messages/send", body={"raw": RAW, "threadId": "t1"}),
        MESSAGE,
    ),
    "list-labels": Case({}, Sent(f"GET {API}labels"), [LABEL]),
    "label-message": Case(
        {"id": "m1", "remove": ["UNREAD"]},
        Sent(f"POST {API}messages/m1/modify", body={"removeLabelIds": ["UNREAD"]}),
        MESSAGE,
    ),
    "trash-message": Case({"id": "m1"}, Sent(f"POST {API}messages/m1/trash"), MESSAGE),
    "get-thread": Case({"id": "t1"}, Sent(f"GET {API}threads/t1"), THREAD),
    "create-draft": Case(
        {"raw": RAW},
        Sent(f"POST {API}drafts", body={"message": {"raw": RAW}}),
        {"id": "d1", "message_id": "m1", "thread_id": "t1"},
    ),
}


def test_every_action_has_a_case():
    assert GMAIL.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_google_documents_and_gives_what_it_promises(action):
    provider = gmail()

    assert CASES[action].output == GMAIL.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


@pytest.mark.parametrize(("action", "what"), [("get-message", "message"), ("get-thread", "thread")])
def test_what_is_not_in_the_mailbox_is_named(action, what):
    with pytest.raises(ActionError, match=f"no {what} x404 in the mailbox") as caught:
        GMAIL.run(gmail(), action, {"id": "x404"})
    assert "not-found" == caught.value.name


def test_a_message_without_a_recipient_is_refused_by_name():
    with pytest.raises(ActionError, match="Recipient address required") as caught:
        GMAIL.run(gmail(), "send-message", {"raw": "SGk"})
    assert "invalid-message" == caught.value.name
