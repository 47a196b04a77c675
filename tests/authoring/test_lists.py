"""How pages follow each other is guessed from names, and written down with what it was guessed from."""

from __future__ import annotations

import pytest

from tests.authoring.spec import answer, described, param, sent, taken, version

ITEM = {"type": "object", "properties": {"id": {"type": "string"}}}
LIST = {"type": "array", "items": ITEM}


def envelope(**members):
    return answer({"type": "object", "properties": {"data": LIST, **members}})


def nested(**members):
    return {"type": "object", "properties": members}


TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


@pytest.mark.parametrize(
    ("operation", "pagination"),
    [
        (
            {"parameters": [param("cursor"), param("limit", schema={"type": "integer", "maximum": 200})], **envelope(meta=nested(next_cursor=TEXT), has_more=FLAG)},
            {"type": "cursor", "cursor_name_in_request": "cursor", "cursor_path_in_response": "meta.next_cursor", "has_more_path_in_response": "has_more", "limit_name_in_request": "limit", "limit": 200, "response_path": "data"},
        ),
        (
            {"parameters": [param("after")], **envelope(paging=nested(next=nested(after=TEXT)))},
            {"type": "cursor", "cursor_name_in_request": "after", "cursor_path_in_response": "paging.next.after", "response_path": "data"},
        ),
        (
            {"parameters": [param("starting_after")], **envelope(has_more=FLAG)},
            {"type": "cursor", "cursor_name_in_request": "starting_after", "cursor_path_in_response": "data[-1].id", "has_more_path_in_response": "has_more", "response_path": "data"},
        ),
        (
            {"parameters": [param("page"), param("per_page")], **answer(LIST, headers={"Link": {}})},
            {"type": "link", "link_rel_in_response_header": "next", "limit_name_in_request": "per_page"},
        ),
        (
            {**envelope(links=nested(next=TEXT))},
            {"type": "link", "link_path_in_response_body": "links.next", "response_path": "data"},
        ),
        (
            {"parameters": [param("$skip"), param("$top")], **answer({"type": "object", "properties": {"value": LIST, "@odata.nextLink": TEXT}})},
            {"type": "link", "link_path_in_response_body": "@odata.nextLink", "limit_name_in_request": "$top", "response_path": "value"},
        ),
        (
            {"parameters": [param("startAt"), param("maxResults", schema={"type": "integer", "default": 50})], **answer({"type": "object", "properties": {"issues": LIST, "total": COUNT}})},
            {"type": "offset", "offset_name_in_request": "startAt", "limit_name_in_request": "maxResults", "limit": 50, "response_path": "issues"},
        ),
        (
            {"parameters": [param("page[number]", schema={"type": "integer", "minimum": 0}), param("page[size]")], **envelope(meta=nested(total_pages=COUNT))},
            {"type": "page", "page_name_in_request": "page[number]", "page_start_value": 0, "total_pages_path_in_response": "meta.total_pages", "limit_name_in_request": "page[size]", "response_path": "data"},
        ),
    ],
)  # fmt: skip
def test_pages_are_guessed_from_names(operation, pagination):
    made = version(described({"GET /things": operation}))

    assert pagination == made["pagination"]
    action = made["actions"]["get-things"]
    assert (True, {"schema": ITEM}) == (action["paginate"], action["output"])
    assert {"type": "object", "additionalProperties": False} == action["input"]


def test_the_guess_says_what_it_was_made_from():
    operation = {"parameters": [param("cursor")], **envelope(next_cursor=TEXT)}
    text = taken(described({"GET /a": operation, "GET /b": operation})).draft.text()

    assert (
        "    # A guess from the names in 2 operations, such as get-a: the parameter 'cursor', 'next_cursor' in the answer. Check\n"
        "    # it against the documentation.\n"
        "    pagination:\n"
    ) in text


def test_lists_that_differ_say_how():
    usual = {"parameters": [param("cursor"), param("limit")], **envelope(next_cursor=TEXT)}
    other = {"parameters": [param("page")], **answer(LIST)}
    made = taken(described({"GET /a": usual, "GET /b": usual, "GET /c": other}))
    action = made.draft.data["versions"]["v0"]["actions"]["get-c"]

    assert {
        "type": "page",
        "page_name_in_request": "page",
        "cursor_name_in_request": None,
        "cursor_path_in_response": None,
        "limit_name_in_request": None,
    } == action["paginate"]
    assert "@" == action["output"]["items"]
    assert "https://acme.example/api/c?page=1" == str(sent(made, "get-c").url)


def test_a_list_that_nothing_pages_says_so_and_one_that_asks_for_pages_is_left_to_the_author():
    actions = version(
        described({"GET /all": answer(LIST), "GET /some": {"parameters": [param("cursor")], **answer(LIST)}})
    )["actions"]

    assert "A guess: nothing in the description tells of pages." == actions["get-all"]["x-not-paged"]
    assert "x-not-paged" not in actions["get-some"]
    assert "paginate" not in actions["get-some"]


def test_an_object_that_holds_lists_is_no_list():
    one = answer({"type": "object", "properties": {"id": TEXT, "tags": {"type": "array", "items": TEXT}}})
    actions = version(described({"GET /one": {"parameters": [param("page")], **one}}))["actions"]

    assert "paginate" not in actions["get-one"]
