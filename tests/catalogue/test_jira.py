"""The actions of blueprints/jira.yaml against Jira Cloud as https://developer.atlassian.com/cloud/jira describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError, RateLimitedError
from tests.catalogue.provider import Account, Case, Provider, Sent, empty, json_answer

SITE = "11223344-a1b2-3b33-c444-def123456789"
JIRA = Account(
    blueprint="jira:v0",
    credentials={"access_token": "t1"},
    integration={"oauth_client_id": "i", "oauth_client_secret": "s"},
    connection_config={"cloud_id": SITE},
)
API = f"https://api.atlassian.com/ex/jira/{SITE}/rest/api/3/"
ISSUE = {"id": "10002", "key": "ED-1", "self": f"{API}issue/10002", "fields": {"summary": "It breaks"}}
CREATED = {"id": "10000", "key": "ED-24", "self": f"{API}issue/10000"}
PROJECT = {"id": "10000", "key": "EX", "name": "Example", "projectTypeKey": "software", "simplified": False}
USER = {"accountId": "5b10", "accountType": "atlassian", "active": True, "displayName": "Mia Krystof"}
COMMENT = {
    "id": "10000",
    "author": USER,
    "body": {"type": "doc", "version": 1, "content": []},
    "created": "2021-01-17T12:34:00.000+0000",
    "updated": "2021-01-18T23:45:00.000+0000",
}
TRANSITION = {"id": "5", "name": "Resolve", "to": {"id": "10000", "name": "Done"}, "hasScreen": False}


def document(text):
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def found(sent):
    if "nextPageToken" not in sent.query:
        return json_answer({"issues": [ISSUE], "nextPageToken": "CAEa", "isLast": False})(sent)
    return json_answer({"issues": [{**ISSUE, "key": "ED-2"}], "isLast": True})(sent)


def commented(sent):
    if sent.body["body"] == document("too much"):
        return json_answer({}, 429, {"Retry-After": "1000", "RateLimit-Reason": "jira-quota-tenant-based"})(sent)
    return json_answer(COMMENT, 201)(sent)


def jira():
    return Provider(
        headers={"Authorization": "Bearer t1", "Accept": "application/json"},
        refused=json_answer({"code": 401, "message": "Unauthorized"}, 401),
        unknown=json_answer(
            {"errorMessages": ["Issue does not exist or you do not have permission to see it."]}, 404
        ),
        answers={
            f"GET {API}search/jql": found,
            f"GET {API}project/search": json_answer({"values": [PROJECT], "startAt": 0, "total": 1, "isLast": True}),
            f"GET {API}issue/ED-1": json_answer(ISSUE),
            f"POST {API}issue": json_answer(CREATED, 201),
            f"PUT {API}issue/ED-1": empty(204),
            f"DELETE {API}issue/ED-1": empty(204),
            f"PUT {API}issue/ED-1/assignee": empty(204),
            f"GET {API}issue/ED-1/transitions": json_answer({"transitions": [TRANSITION]}),
            f"POST {API}issue/ED-1/transitions": empty(204),
            f"GET {API}issue/ED-1/comment": json_answer({"comments": [COMMENT], "startAt": 0, "total": 1}),
            f"POST {API}issue/ED-1/comment": commented,
            f"GET {API}user/search": json_answer([USER]),
        },
    )


CASES = {
    "search": Case(
        {"jql": "project = ED", "fields": ["summary"]},
        [
            Sent(f"GET {API}search/jql", {"jql": "project = ED", "fields": "summary", "maxResults": "100", **cursor})
            for cursor in ({}, {"nextPageToken": "CAEa"})
        ],
        [{"id": "10002", "key": key, "fields": {"summary": "It breaks"}} for key in ("ED-1", "ED-2")],
    ),
    "list-projects": Case(
        {"query": "Ex"},
        Sent(f"GET {API}project/search", {"query": "Ex", "startAt": "0", "maxResults": "50"}),
        [{"id": "10000", "key": "EX", "name": "Example", "type": "software"}],
    ),
    "get-issue": Case(
        {"issue": "ED-1", "fields": ["summary", "status"]},
        Sent(f"GET {API}issue/ED-1", {"fields": "summary,status"}),
        ISSUE,
    ),
    "create-issue": Case(
        {"project": "ED", "summary": "It breaks", "description": "Often", "labels": ["bug"]},
        Sent(
            f"POST {API}issue",
            body={
                "fields": {
                    "project": {"key": "ED"},
                    "summary": "It breaks",
                    "issuetype": {"name": "Task"},
                    "description": document("Often"),
                    "labels": ["bug"],
                }
            },
        ),
        {"id": "10000", "key": "ED-24"},
    ),
    "update-issue": Case(
        {"issue": "ED-1", "summary": "It breaks", "priority": "High", "fields": {"customfield_10010": 1}},
        Sent(
            f"PUT {API}issue/ED-1",
            body={
                "fields": {"customfield_10010": 1},
                "update": {"summary": [{"set": "It breaks"}], "priority": [{"set": {"name": "High"}}]},
            },
        ),
        {"issue": "ED-1"},
    ),
    "delete-issue": Case(
        {"issue": "ED-1", "with_subtasks": True},
        Sent(f"DELETE {API}issue/ED-1", {"deleteSubtasks": "true"}),
        {"issue": "ED-1"},
    ),
    "assign": Case(
        {"issue": "ED-1", "account_id": "5b10"},
        Sent(f"PUT {API}issue/ED-1/assignee", body={"accountId": "5b10"}),
        {"issue": "ED-1", "account_id": "5b10"},
    ),
    "list-transitions": Case(
        {"issue": "ED-1"},
        Sent(f"GET {API}issue/ED-1/transitions"),
        [{"id": "5", "name": "Resolve", "to": "Done"}],
    ),
    "transition": Case(
        {"issue": "ED-1", "transition": "5", "comment": "Done at last"},
        Sent(
            f"POST {API}issue/ED-1/transitions",
            body={
                "transition": {"id": "5"},
                "update": {"comment": [{"add": {"body": document("Done at last")}}]},
            },
        ),
        {"issue": "ED-1"},
    ),
    "list-comments": Case(
        {"issue": "ED-1"},
        Sent(f"GET {API}issue/ED-1/comment", {"orderBy": "created", "startAt": "0", "maxResults": "50"}),
        [
            {
                "id": "10000",
                "author": "Mia Krystof",
                "body": COMMENT["body"],
                "created": COMMENT["created"],
                "updated": COMMENT["updated"],
            }
        ],
    ),
    "comment": Case(
        {"issue": "ED-1", "text": "Same here"},
        Sent(f"POST {API}issue/ED-1/comment", body={"body": document("Same here")}),
        {"id": "10000", "created": COMMENT["created"]},
    ),
    "find-users": Case(
        {"query": "mia"},
        Sent(f"GET {API}user/search", {"query": "mia", "maxResults": "50"}),
        [{"account_id": "5b10", "name": "Mia Krystof", "email": None, "is_active": True}],
    ),
}


def test_every_action_has_a_case():
    assert JIRA.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_jira_documents_and_gives_what_it_promises(action):
    provider = jira()

    assert CASES[action].output == JIRA.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_transition_without_a_comment_sends_none():
    provider = jira()

    JIRA.run(provider, "transition", {"issue": "ED-1", "transition": "5"})

    assert {"transition": {"id": "5"}} == provider.sent[0].body


def test_an_issue_that_is_not_there_is_an_error():
    with pytest.raises(ActionError, match="no issue ED-404") as caught:
        JIRA.run(jira(), "get-issue", {"issue": "ED-404"})
    assert "not-found" == caught.value.name


def test_a_used_up_quota_says_when_to_come_back():
    with pytest.raises(RateLimitedError) as caught:
        JIRA.run(jira(), "comment", {"issue": "ED-1", "text": "too much"})
    assert 1000 == caught.value.retry_after


def test_a_token_that_jira_refuses_is_an_error_of_credentials():
    other = Account(
        blueprint="jira:v0",
        credentials={"access_token": "t2"},
        integration=JIRA.integration,
        connection_config=JIRA.connection_config,
    )

    with pytest.raises(AuthenticationError, match="Unauthorized"):
        other.run(jira(), "get-issue", {"issue": "ED-1"})
