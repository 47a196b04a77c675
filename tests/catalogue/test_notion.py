"""Reading a page by blueprints/notion.yaml against Notion as https://developers.notion.com/reference describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError
from tests.catalogue.provider import Account, Provider, Sent, json_answer

NOTION = Account(
    blueprint="notion:v0",
    credentials={"access_token": "ntn_1"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://api.notion.com/v1/"
PAGE = {"object": "page", "id": "p1", "url": "https://www.notion.so/p1", "properties": {}}


def notion():
    return Provider(
        headers={"Authorization": "Bearer ntn_1", "Notion-Version": "2025-09-03"},
        refused=json_answer({"object": "error", "status": 401, "code": "unauthorized"}, 401),
        unknown=json_answer({"object": "error", "status": 404, "code": "object_not_found"}, 404),
        answers={f"GET {API}pages/p1": json_answer(PAGE)},
    )


def test_a_page_is_read_as_notion_documents_it():
    provider = notion()

    assert PAGE == NOTION.run(provider, "get-page", {"page": "p1"})
    assert [Sent(f"GET {API}pages/p1")] == provider.sent


def test_a_page_that_was_not_shared_is_not_found():
    with pytest.raises(ActionError, match="no page p2") as caught:
        NOTION.run(notion(), "get-page", {"page": "p2"})
    assert "not-found" == caught.value.name
