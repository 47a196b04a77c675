"""The actions of blueprints/notion.yaml against Notion as https://developers.notion.com/reference describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

NOTION = Account(
    blueprint="notion:v0",
    credentials={"access_token": "ntn_1"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://api.notion.com/v1/"
PAGE = {"object": "page", "id": "p1", "url": "https://www.notion.so/p1", "properties": {}}
ROW = {"object": "page", "id": "p2", "properties": {"Done": {"type": "checkbox", "checkbox": False}}}
ANN = {"object": "user", "id": "u1", "type": "person", "name": "Ann", "person": {"email": "ann@example.com"}}
TEXT = [{"text": {"content": "Hello"}}]
BLOCK = {"object": "block", "id": "b1", "type": "paragraph", "has_children": False, "paragraph": {"rich_text": TEXT}}
COMMENT = {"object": "comment", "id": "c1", "parent": {"type": "page_id", "page_id": "p1"}, "discussion_id": "t1"}


def listed(*items, after=None):
    return {"object": "list", "results": list(items), "next_cursor": after, "has_more": after is not None}


def in_two_pages(item):
    def answer(sent):
        return json_answer(listed(item) if "start_cursor" in (sent.body or sent.query) else listed(after="s2"))(sent)

    return answer


def notion():
    return Provider(
        headers={"Authorization": "Bearer ntn_1", "Notion-Version": "2025-09-03"},
        refused=json_answer({"object": "error", "status": 401, "code": "unauthorized"}, 401),
        unknown=json_answer({"object": "error", "status": 404, "code": "object_not_found"}, 404),
        answers={
            f"POST {API}search": in_two_pages(PAGE),
            f"POST {API}data_sources/d1/query": in_two_pages(ROW),
            f"GET {API}users": in_two_pages(ANN),
            f"GET {API}pages/p1": json_answer(PAGE),
            f"POST {API}pages": json_answer(PAGE),
            f"PATCH {API}pages/p1": json_answer(PAGE),
            f"GET {API}blocks/p1/children": in_two_pages(BLOCK),
            f"PATCH {API}blocks/p1/children": json_answer(listed(BLOCK)),
            f"POST {API}comments": json_answer(COMMENT),
        },
    )


def asked_twice(line, body=None):
    """Return the requests for two pages: POST carries the cursor in its body, GET in its query."""
    pages = ({}, {"start_cursor": "s2"})
    if body is None:
        return [Sent(line, {"page_size": "100", **page}) for page in pages]
    return [Sent(line, body={"page_size": 100, **body, **page}) for page in pages]


UNDONE = {"property": "Done", "checkbox": {"equals": False}}
TITLE = {"title": {"title": [{"text": {"content": "Plan"}}]}}
CHILDREN = [{"paragraph": {"rich_text": TEXT}}]

CASES = {
    "search": Case(
        {"query": "Plan", "object": "page", "direction": "descending"},
        asked_twice(
            f"POST {API}search",
            {
                "query": "Plan",
                "filter": {"property": "object", "value": "page"},
                "sort": {"timestamp": "last_edited_time", "direction": "descending"},
            },
        ),
        [PAGE],
    ),
    "query-data-source": Case(
        {"data_source": "d1", "filter": UNDONE, "sorts": [{"property": "Due", "direction": "ascending"}]},
        asked_twice(
            f"POST {API}data_sources/d1/query",
            {"filter": UNDONE, "sorts": [{"property": "Due", "direction": "ascending"}]},
        ),
        [ROW],
    ),
    "list-users": Case(
        {},
        asked_twice(f"GET {API}users"),
        [{"id": "u1", "type": "person", "name": "Ann", "email": "ann@example.com"}],
    ),
    "get-page": Case({"page": "p1"}, Sent(f"GET {API}pages/p1"), PAGE),
    "create-page": Case(
        {"parent": {"data_source": "d1"}, "properties": TITLE, "children": CHILDREN},
        Sent(
            f"POST {API}pages",
            body={"parent": {"data_source_id": "d1"}, "properties": TITLE, "children": CHILDREN},
        ),
        PAGE,
    ),
    "update-page": Case(
        # A written null empties a property, and false brings the page back.
        {"page": "p1", "properties": {"Due": {"date": None}}, "in_trash": False},
        Sent(f"PATCH {API}pages/p1", body={"properties": {"Due": {"date": None}}, "in_trash": False}),
        PAGE,
    ),
    "list-blocks": Case({"block": "p1"}, asked_twice(f"GET {API}blocks/p1/children"), [BLOCK]),
    "append-blocks": Case(
        {"block": "p1", "children": CHILDREN},
        Sent(f"PATCH {API}blocks/p1/children", body={"children": CHILDREN}),
        [BLOCK],
    ),
    "comment": Case(
        {"page": "p1", "text": "Hello"},
        Sent(f"POST {API}comments", body={"parent": {"page_id": "p1"}, "rich_text": TEXT}),
        {"id": "c1", "discussion": "t1"},
    ),
}


def test_every_action_has_a_case():
    assert NOTION.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_notion_documents_and_gives_what_it_promises(action):
    provider = notion()

    assert CASES[action].output == NOTION.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_search_for_everything_says_nothing_but_the_size_of_a_page():
    provider = notion()

    assert [PAGE] == NOTION.run(provider, "search", {})
    assert asked_twice(f"POST {API}search", {}) == provider.sent


def test_a_page_is_created_under_a_page():
    provider = notion()

    NOTION.run(provider, "create-page", {"parent": {"page": "p1"}, "properties": TITLE})
    assert [Sent(f"POST {API}pages", body={"parent": {"page_id": "p1"}, "properties": TITLE})] == provider.sent


@pytest.mark.parametrize(
    ("given", "place"),
    [({"block": "b1"}, {"parent": {"block_id": "b1"}}), ({"discussion": "t1"}, {"discussion_id": "t1"})],
)
def test_a_comment_goes_to_a_block_or_into_a_discussion(given, place):
    provider = notion()

    NOTION.run(provider, "comment", {"text": "Hello", **given})
    assert [Sent(f"POST {API}comments", body={**place, "rich_text": TEXT})] == provider.sent


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("query-data-source", {"data_source": "x9"}, "no data source x9 that"),
        ("get-page", {"page": "x9"}, "no page x9 that"),
        ("create-page", {"parent": {"page": "x9"}, "properties": TITLE}, "Nothing with the id x9"),
        ("create-page", {"parent": {"data_source": "x9"}, "properties": TITLE}, "Nothing with the id x9"),
        ("update-page", {"page": "x9", "in_trash": True}, "no page x9 that"),
        ("list-blocks", {"block": "x9"}, "no page or block x9 that"),
        ("append-blocks", {"block": "x9", "children": CHILDREN}, "no page or block x9 that"),
        ("comment", {"page": "x9", "text": "Hello"}, "Nothing with the id x9"),
        ("comment", {"block": "x9", "text": "Hello"}, "Nothing with the id x9"),
        ("comment", {"discussion": "x9", "text": "Hello"}, "Nothing with the id x9"),
    ],
)
def test_what_was_not_shared_is_not_found(action, given, message):
    provider = notion()
    provider.answers = {}

    with pytest.raises(ActionError, match=f"{message} was shared") as caught:
        NOTION.run(provider, action, given)
    assert "not-found" == caught.value.name
