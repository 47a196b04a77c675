"""Each kind of body is sent as its standard says, with the caller's values in it and nothing else."""

from __future__ import annotations

import email
import email.policy
import json
from urllib.parse import parse_qsl

import httpx
import pytest

from nango_py import Nango, ResponseError
from tests.actions.declared import API, Sent, load, run

TEXTS = {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in "abc"}}
LIST = {"type": "object", "properties": {"ids": {"type": "array", "items": {"type": ["integer", "null"]}}}}
QUERY = "query Birds($first: Int, $after: String) { birds(first: $first, after: $after) { nodes { name } } }"


def sent_by(action, given=None, **options):
    sent = Sent()
    run(action, given, sent, **options)
    return sent.request


def parts_of(request):
    """Return the parts of a multipart body as the standard library reads it."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    return list(email.message_from_bytes(head + request.content, policy=email.policy.HTTP).iter_parts())


def problems_of(action):
    with Nango.load({"integrations": {"birds": {**API, "actions": {"act": action}}}}, store="memory://") as nango:
        return [(problem.code, problem.pointer) for problem in nango.problems]


def test_form_values_are_single_texts_and_nulls_are_dropped():
    form = {"a": "${input.a}", "b": "${input.b}", "fixed": True, "count": 3}
    request = sent_by({"input": TEXTS, "request": {"method": "POST", "path": "x", "form": form}}, {"a": "1 & 2=ü"})
    assert [("a", "1 & 2=ü"), ("fixed", "true"), ("count", "3")] == parse_qsl(request.content.decode())
    assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]


@pytest.mark.parametrize(
    ("style", "query"),
    [
        (None, "ids=1&ids=2"),
        ("repeat", "ids=1&ids=2"),
        ("comma", "ids=1%2C2"),
        ("brackets", "ids%5B%5D=1&ids%5B%5D=2"),
    ],
)
@pytest.mark.parametrize("place", ["params", "form"])
def test_lists_are_written_in_the_style_of_the_provider(place, style, query):
    request = {"method": "POST", "path": "x", place: {"ids": "${input.ids}"}, "list_style": style or "repeat"}
    sent = sent_by({"input": LIST, "request": request}, {"ids": [1, None, 2]})
    assert query == (sent.url.query if place == "params" else sent.content).decode()


def test_list_of_nothing_is_no_parameter():
    request = {"path": "x", "params": {"ids": "${input.ids}"}, "list_style": "comma"}
    assert "https://birds.test/v1/x" == str(sent_by({"input": LIST, "request": request}, {"ids": [None]}).url)


def test_multipart_texts_are_parts_without_a_filename():
    action = {
        "input": TEXTS,
        "request": {"method": "POST", "path": "x", "multipart": {"a": "${input.a}", "b": "${input.b}", "n": 5}},
    }
    parts = parts_of(sent_by(action, {"a": "grün"}))
    assert [("a", None, "grün".encode()), ("n", None, b"5")] == [
        (part.get_param("name", header="Content-Disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in parts
    ]


def test_body_wins_over_the_media_type_of_the_integration():
    requests = {**API["requests"], "headers": {"Content-Type": "application/json"}}
    action = {"request": {"method": "POST", "path": "x", "multipart": {"a": "1"}}}
    assert sent_by(action, requests=requests).headers["Content-Type"].startswith("multipart/form-data; boundary=")


def test_raw_text_is_sent_as_utf8():
    raw = {"content": "${input.a}", "content_type": "text/${input.b}"}
    request = sent_by(
        {"input": TEXTS, "request": {"method": "PUT", "path": "x", "raw": raw}}, {"a": "grün", "b": "csv"}
    )
    assert ("grün".encode(), "text/csv", "5") == (
        request.content, request.headers["Content-Type"], request.headers["Content-Length"],
    )  # fmt: skip


def test_raw_body_without_content_is_none():
    request = sent_by({"input": TEXTS, "request": {"method": "PUT", "path": "x", "raw": {"content": "${input.a}"}}})
    assert (b"", None) == (request.content, request.headers.get("Content-Type"))


def graphql(**keys):
    return {"input": TEXTS, "request": {"path": "graphql", "graphql": {"query": QUERY, **keys}}}


def test_graphql_is_posted_with_its_variables():
    request = sent_by(
        graphql(variables={"after": "${input.a}", "first": 5}, operation_name="Birds"), {"a": '"} evil'}
    )
    body = {"query": QUERY, "variables": {"after": '"} evil', "first": 5}, "operationName": "Birds"}
    assert ("POST", body) == (request.method, json.loads(request.content))


@pytest.mark.parametrize(
    ("errors", "said"),
    [([{"message": "no such field"}], "no such field"), ([{}], "without a message"), ("odd", "without a message")],
)
def test_graphql_errors_in_a_good_answer_are_the_actions_error(errors, said):
    sent = Sent(lambda _request: httpx.Response(200, json={"data": None, "errors": errors}))
    with pytest.raises(ResponseError, match=said):
        run(graphql(), sent=sent)


def test_graphql_errors_are_an_output_where_that_is_declared():
    body = {"data": {"a": 1}, "errors": [{"message": "half of it"}]}
    assert body == run(graphql(allow_errors=True), sent=Sent(lambda _request: httpx.Response(200, json=body)))


def test_graphql_list_is_walked_by_its_page_info():
    pages = {None: (["wren"], "c1"), "c1": (["tit"], None)}

    def answer(request):
        names, cursor = pages[json.loads(request.content)["variables"].get("after")]
        info = {"hasNextPage": cursor is not None, "endCursor": cursor}
        return httpx.Response(200, json={"data": {"birds": {"nodes": names, "pageInfo": info}}})

    walk = {
        "type": "cursor", "cursor_name_in_request": "variables.after", "response_path": "data.birds.nodes",
        "cursor_path_in_response": "data.birds.pageInfo.endCursor", "limit_name_in_request": "variables.first",
        "has_more_path_in_response": "data.birds.pageInfo.hasNextPage", "in_body": True, "limit": 1,
    }  # fmt: skip
    assert ["wren", "tit"] == run({**graphql(), "paginate": walk}, sent=Sent(answer))


def test_second_body_is_a_problem():
    request = {"method": "POST", "path": "x", "json": {}, "raw": {"content": "a"}}
    assert [("request.bodies", "/actions/act/request/raw")] == problems_of({"request": request})


def test_placeholder_in_a_graphql_document_is_a_problem():
    request = {"path": "x", "graphql": {"query": "{ bird(id: ${input.id}) }"}}
    assert [("graphql.query", "/actions/act/request/graphql/query")] == problems_of({"request": request})


def test_null_in_json_is_dropped_when_a_placeholder_gives_it_and_kept_when_it_is_written():
    body = {"a": "${input.a}", "b": None, "c": {"d": "${input.b}"}}
    request = sent_by({"input": TEXTS, "request": {"method": "POST", "path": "x", "json": body}})
    assert {"b": None} == json.loads(request.content)


def test_reserved_inputs_are_named_where_a_paginated_action_refuses_one():
    action = {
        "input": {"type": "object", "additionalProperties": False},
        "request": {"path": "x"},
        "paginate": {"type": "link", "link_rel_in_response_header": "next"},
    }
    with load(action, Sent()) as nango, pytest.raises(Exception, match="also takes 'limit' and 'page_size'"):
        nango.trigger_action("birds", "act", "u", {"page": 2})
