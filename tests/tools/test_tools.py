"""``nango.tools``: the JSON that vendors want, and the calls that models make."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from jsonschema import Draft202012Validator

from nango_py import (
    AsyncNango,
    InputError,
    ResponseError,
    UnknownAction,
    UnknownConnection,
    UnknownIntegration,
    UsageError,
)
from nango_py.tools.arguments import MAX_FILE
from nango_py.tools.results import fit, json_of
from tests.tools.fakes import Fake, action, integration, nango

CLOSE = {"close": {"extends_blueprint": "close:v0"}}
LEADS = {"data": [{"id": "lead_1", "display_name": "Acme"}], "has_more": False}


def by_name(tools, key="name"):
    return {tool[key]: tool for tool in tools}


def test_openai_wants_a_function_with_parameters():
    words = {"type": "object", "properties": {"query": {"type": "string"}}, "additionalProperties": False}
    walk = {"type": "page", "page_name_in_request": "page"}
    declared = integration(**{"list-things": action(words, method="GET", description="Things.", paginate=walk)})
    limit = {"type": "integer", "minimum": 1, "description": "How many items to return at most.", "default": 100}
    tools = nango({"acme": declared}).tools()

    assert [
        {
            "type": "function",
            "function": {
                "name": "acme_list_things",
                "description": "Things.",
                "parameters": {
                    "type": "object",
                    "properties": {"query": {"type": "string"}, "limit": limit},
                    "additionalProperties": False,
                },
            },
        }
    ] == tools
    assert tools == json.loads(json.dumps(tools))


@pytest.mark.parametrize(
    ("vendor", "keys"),
    [
        ("anthropic", {"name", "description", "input_schema"}),
        ("langchain", {"name", "description", "args_schema"}),
        ("openai-responses", {"type", "name", "description", "parameters", "strict"}),
        ("mcp", {"name", "description", "inputSchema", "outputSchema", "annotations"}),
    ],
)
def test_each_vendor_has_its_keys(vendor, keys):
    (tool,) = nango(CLOSE).tools(format=vendor, actions=["close/me"])
    assert keys == set(tool)


def test_an_unknown_format_is_told():
    with pytest.raises(UsageError, match=r"Did you mean 'openai'"):
        nango(CLOSE).tools(format="opena")


def test_the_method_says_what_a_tool_does_and_the_declaration_says_it_better():
    declared = integration(
        read=action(method="GET", request={"path": "a"}),
        add=action(),
        replace=action(request={"method": "PUT", "path": "a"}),
        change=action(request={"method": "PATCH", "path": "a"}),
        remove=action(request={"method": "DELETE", "path": "a"}),
        search=action(annotations={"read_only": True}),
        once=action(annotations={"destructive": False, "idempotent": True}),
    )
    hints = {tool["name"]: tool["annotations"] for tool in nango({"acme": declared}).tools(format="mcp")}
    told = {
        name: tuple(hint.get(f"{word}Hint") for word in ("readOnly", "destructive", "idempotent"))
        for name, hint in hints.items()
    }

    assert {
        "acme_read": (True, False, True),
        "acme_add": (False, None, None),
        "acme_replace": (False, True, True),
        "acme_change": (False, True, None),
        "acme_remove": (False, True, True),
        "acme_search": (True, False, True),
        "acme_once": (False, False, True),
    } == told


def test_graphql_and_steps_are_known_by_what_they_send():
    def graphql(query):
        return action(request={"method": "POST", "path": "graphql", "graphql": {"query": query}})

    declared = integration(
        ask=graphql("# a comment\n query Mine { me { id } }"),
        short=graphql("{ me { id } }"),
        change=graphql("mutation { leave { id } }"),
        both=graphql("query A { me { id } } mutation B { leave { id } }"),
        reads={"steps": [{"name": "one", "request": {"path": "a"}}, {"name": "two", "action": "ask"}]},
        writes={"steps": [{"name": "one", "request": {"path": "a"}}, {"name": "two", "action": "remove"}]},
        remove=action(request={"method": "DELETE", "path": "a"}),
    )
    hints = {tool["name"]: tool["annotations"] for tool in nango({"acme": declared}).tools(format="mcp")}

    assert {"acme_ask", "acme_short", "acme_reads"} == {name for name, hint in hints.items() if hint["readOnlyHint"]}
    assert {"acme_writes", "acme_remove"} == {name for name, hint in hints.items() if hint.get("destructiveHint")}


def test_read_only_leaves_out_what_might_change_something():
    declared = integration(read=action(request={"path": "a"}), add=action())
    assert ["acme_read"] == [tool["name"] for tool in nango({"acme": declared}).tools(format="mcp", read_only=True)]


def test_what_is_chosen_must_be_there():
    loaded = nango(CLOSE)
    with pytest.raises(UnknownAction, match=r"no chosen integration has the action 'list-lead'"):
        loaded.tools(actions=["list-lead"])
    with pytest.raises(UnknownIntegration):
        loaded.tools(integrations=["clos"])
    with pytest.raises(UsageError, match="list of names"):
        loaded.tools(integrations="close")


def test_with_a_user_only_what_the_user_is_connected_to_is_a_tool():
    loaded = nango({**CLOSE, "acme": integration(add=action())})
    loaded.register_connection("acme", "user-1", {"api_key": "s3cr3t"})

    assert ["acme_add"] == list(by_name(loaded.tools(format="mcp", user_id="user-1")))
    assert [] == loaded.tools(format="mcp", user_id="user-2")
    with pytest.raises(UnknownIntegration):
        loaded.tools(integrations=["hubspot"], user_id="user-1")


def test_no_argument_names_the_account_or_a_credential():
    for tool in nango(CLOSE).tools(format="anthropic", actions=["list-leads", "create-lead", "me"]):
        words = set(tool["input_schema"]["properties"])
        assert set() == words & {"user_id", "username", "password", "connection", "headers", "idempotency_key"}


@pytest.mark.parametrize("header", ["authorization", "Cookie", "x-key", "Host"])
def test_an_action_whose_input_reaches_a_protected_header_is_no_tool(header):
    text = {"type": "object", "properties": {"x": {"type": "string"}}}
    declared = integration(
        odd=action(text, request={"path": "a", "headers": {header: "key ${input.x}"}}),
        fine=action(text, request={"path": "a", "headers": {"X-Other": "${input.x}"}}),
    )
    loaded = nango({"acme": declared})

    assert ["acme_fine"] == list(by_name(loaded.tools(format="mcp")))
    with pytest.raises(UsageError, match="reaches the header"):
        loaded.tools(actions=["odd"])


def test_a_call_runs_the_action_for_the_user_of_the_tools():
    fake = Fake(LEADS)
    loaded = nango(CLOSE, fake)
    loaded.register_connection("close", "user-1", {"username": "api_x"})
    tools = loaded.tools(user_id="user-1")

    assert [{"id": "lead_1", "name": "Acme"}] == tools.call("close_list_leads", '{"query": "acme", "limit": 5}')
    assert {"query": "acme", "_skip": "0", "_limit": "5"} == dict(fake.seen[0].url.params)


def test_what_a_model_writes_is_text_and_never_a_placeholder():
    fake = Fake()
    loaded = nango({"acme": integration(add=action({"type": "object"}))}, fake)
    loaded.register_connection("acme", "u", {"api_key": "s3cr3t"})
    loaded.tools(user_id="u").call("acme_add", {"x": "${api_key}", "${credentials.api_key}": "$${x}"})

    assert [{"given": {"x": "${api_key}", "${credentials.api_key}": "$${x}"}}] == fake.bodies


def test_without_a_word_a_tool_returns_a_hundred_items():
    fake = Fake(LEADS)
    loaded = nango(CLOSE, fake)
    loaded.register_connection("close", "user-1", {"username": "api_x"})
    loaded.tools(user_id="user-1").call("close_list_leads")

    assert "100" == fake.seen[0].url.params["_limit"]


def test_a_tool_that_was_not_offered_is_not_run():
    fake = Fake()
    loaded = nango(CLOSE, fake)
    loaded.register_connection("close", "user-1", {"username": "api_x"})
    with pytest.raises(UnknownAction, match="is none of these tools"):
        loaded.tools(actions=["me"], user_id="user-1").call("close_create_lead", {"name": "x"})
    assert [] == fake.seen


def test_a_call_needs_a_user_and_the_user_a_connection():
    tools = nango(CLOSE).tools(actions=["me"])
    with pytest.raises(UsageError, match="whose account"):
        tools.call("close_me")
    with pytest.raises(UnknownConnection):
        tools.call("close_me", user_id="user-9")


@pytest.mark.parametrize("arguments", ["[1]", "{", '"text"', [1]])
def test_arguments_that_are_no_object_are_refused(arguments):
    loaded = nango(CLOSE)
    loaded.register_connection("close", "user-1", {"username": "api_x"})
    with pytest.raises(InputError):
        loaded.tools(user_id="user-1").call("close_me", arguments)


def test_the_async_engine_has_the_same_tools():
    async def main():
        fake = Fake(LEADS)
        async with AsyncNango.load(
            {"integrations": CLOSE}, store="memory://", transport=httpx.MockTransport(fake)
        ) as loaded:
            await loaded.register_connection("close", "user-1", {"username": "api_x"})
            tools = await loaded.tools(format="anthropic", user_id="user-1")
            assert tools == nango(CLOSE).tools(format="anthropic")
            return await tools.call("close_list_leads", {"query": "x"})

    assert [{"id": "lead_1", "name": "Acme"}] == asyncio.run(main())


def test_a_file_comes_out_as_base64_and_not_if_it_is_too_large():
    headers = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a.png"'}
    bodies = [b"\x89PNG", b"x" * (MAX_FILE + 1)]
    declared = integration(**{"get-file": action(request={"path": "a"}, output={"download": True})})

    def provider(_request):
        return httpx.Response(200, content=bodies.pop(0), headers=headers)

    loaded = nango({"acme": declared}, provider)
    loaded.register_connection("acme", "u", {"api_key": "s3cr3t"})
    tools = loaded.tools(user_id="u")

    assert {"filename": "a.png", "content_type": "image/png", "size": 4, "base64": "iVBORw=="} == (
        tools.call("acme_get_file")
    )
    with pytest.raises(ResponseError, match="more than a model may get"):
        tools.call("acme_get_file")


TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node"}},
    "required": ["root"],
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"$name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["$name"],
            "x-mcp-header": "Authorization",
        }
    },
}


def test_odd_property_names_are_spelt_for_the_model_and_back_for_the_action():
    fake = Fake()
    loaded = nango({"acme": integration(grow=action(TREE))}, fake)
    loaded.register_connection("acme", "u", {"api_key": "s3cr3t"})
    tools = loaded.tools(format="anthropic", user_id="u")
    schema = tools[0]["input_schema"]
    (spelt,) = schema["$defs"]["node"]["required"]
    Draft202012Validator.check_schema(schema)

    assert spelt.startswith("_name_")
    assert "x-mcp-header" not in json.dumps(schema)
    tools.call("acme_grow", {"root": {spelt: "a", "kids": [{spelt: "b"}]}})
    assert {"given": {"root": {"$name": "a", "kids": [{"$name": "b"}]}}} == fake.bodies[0]


def test_an_input_with_alternatives_at_the_top_stands_below_one_argument():
    either = {
        "anyOf": [
            {"$ref": "#/$defs/by_id"},
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        ],
        "$defs": {"by_id": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}},
    }
    fake = Fake()
    loaded = nango({"acme": integration(find=action(either))}, fake)
    loaded.register_connection("acme", "u", {"api_key": "s3cr3t"})
    tools = loaded.tools(format="anthropic", user_id="u")
    schema = tools[0]["input_schema"]

    assert {"type", "properties", "required", "additionalProperties"} == set(schema)
    assert Draft202012Validator(schema).is_valid({"input": {"id": 1}})
    assert not Draft202012Validator(schema).is_valid({"input": {"id": "1"}})
    tools.call("acme_find", {"input": {"id": 1}})
    assert {"given": {"id": 1}} == fake.bodies[0]
    with pytest.raises(InputError, match="the only argument is 'input'"):
        tools.call("acme_find", {"id": 1})


def test_a_promised_list_is_told_as_items_whose_references_still_lead_somewhere():
    item = {
        "$ref": "#/$defs/thing",
        "$defs": {"thing": {"type": "object", "properties": {"next": {"$ref": "#/$defs/thing"}}}},
    }
    declared = integration(walk=action(request={"path": "a"}, output={"schema": item}))
    schema = nango({"acme": declared}).tools(format="mcp")[0]["outputSchema"]
    validator = Draft202012Validator(schema)

    assert validator.is_valid({"result": {"next": {"next": {}}}})
    assert not validator.is_valid({"result": {"next": {"next": 1}}})


def test_bytes_and_odd_numbers_become_json():
    assert {"file": "aGk=", "1": [None, "inf"]} == json_of({"file": b"hi", 1: (None, float("inf"))})


def test_a_list_that_is_too_long_keeps_its_first_items_whole():
    fitted = fit([{"id": number} for number in range(1000)], 200)
    assert fitted.value == [{"id": number} for number in range(len(fitted.value))]
    assert f"Cut: the first {len(fitted.value)} of 1000 items, which fit into 200 characters." == fitted.note
    assert len(json.dumps(fitted.value)) <= 200


def test_a_text_that_is_too_long_is_shortened_and_says_so():
    fitted = fit({"id": 1, "body": "x" * 5000}, 1000)
    assert {"id": 1, "body": "x" * 500 + "..."} == fitted.value
    assert fitted.note.startswith("Cut: of 5,0")


def test_what_cannot_be_shortened_is_left_out():
    fitted = fit({str(number): number for number in range(5000)}, 1000)
    assert fitted.value is None
    assert fitted.note.startswith("Left out")


def test_arguments_that_are_nested_too_deeply_are_refused():
    tools = nango({"acme": integration(it=action({"type": "object"}))}).tools()
    with pytest.raises(InputError, match="tool 'acme_it': the arguments are nested too deeply"):
        tools.call("acme_it", '{"deep": ' + "[" * 100_000 + "]" * 100_000 + "}", user_id="u")
