"""A blueprint made of an OpenAPI description sends what the description asks for."""

from __future__ import annotations

import json
import re

import pytest

from nango_py.authoring.openapi.blueprint import Choice
from nango_py.authoring.openapi.spec import Spec
from nango_py.errors import UsageError
from nango_py.yaml_text import parse
from tests.authoring.spec import answer, body, described, param, sent, taken, version


def test_the_servers_variables_are_connection_config():
    region = {"enum": ["eu", "us"], "default": "eu", "description": "Where the data is."}
    servers = [
        {
            "url": "https://{tenant}.{region}.acme.example:{port}/{base}",
            "variables": {
                "tenant": {"default": "your-tenant"},
                "region": region,
                "port": {"default": "8443"},
                "base": {"default": "v2"},
            },
        },
        {"url": "https://sandbox.acme.example"},
    ]
    made = taken(described({"GET /me": {}}, servers=servers))

    config = made.draft.data["versions"]["v0"]["connection_config"]
    assert {"title": "Tenant", "format": "domain-label", "example": "your-tenant"} == config["tenant"]
    assert {"title": "Region", "description": "Where the data is.", "enum": ["eu", "us"], "default": "eu"} == config[
        "region"
    ]
    request = sent(made, "get-me", config={"tenant": "ann"})
    assert "https://ann.eu.acme.example:8443/v2/me" == str(request.url)
    assert "# The first server; the description also names https://sandbox.acme.example" in made.draft.text()


def test_a_description_without_a_host_needs_a_base_url():
    document = described({"GET /me": {}}, servers=[{"url": "/api/v3"}])

    with pytest.raises(UsageError, match="give --base-url"):
        taken(document)
    made = taken(document, base_url="https://acme.example/api/v3/")
    assert "https://acme.example/api/v3/me" == str(sent(made, "get-me").url)


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "http", "scheme": "basic"}, {"auth_mode": "BASIC"}),
        ({"type": "http", "scheme": "Bearer"}, {"auth_mode": "API_KEY"}),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"auth_mode": "API_KEY", "name": "X-Key"}),
        (
            {"type": "apiKey", "in": "query", "name": "key"},
            {"auth_mode": "API_KEY", "placement": "query", "name": "key"},
        ),
        (
            {"type": "apiKey", "in": "cookie", "name": "session"},
            {"auth_mode": "API_KEY", "name": "Cookie", "value": "session=${api_key}"},
        ),
        (
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token <key>`"},
            {"auth_mode": "API_KEY", "name": "Authorization", "value": "Token ${api_key}"},
        ),
        (
            {
                "type": "oauth2",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": "https://acme.example/authorize",
                        "tokenUrl": "/token",
                        "refreshUrl": "/token",
                        "scopes": {"read": ""},
                    }
                },
            },
            {
                "auth_mode": "OAUTH2",
                "authorization_url": "https://acme.example/authorize",
                "token_url": "https://acme.example/token",
            },
        ),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://acme.example/token"}}},
            {"auth_mode": "OAUTH2_CC", "token_url": "https://acme.example/token"},
        ),
        (
            {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://a.example/"}}},
            {"auth_mode": "OAUTH2"},
        ),
    ],
)
def test_a_security_scheme_becomes_an_auth_mode(scheme, auth):
    document = described({"GET /me": {"security": [{"it": []}]}}, components={"securitySchemes": {"it": scheme}})
    assert auth == version(document)["auth"]


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ({"type": "openIdConnect", "openIdConnectUrl": "https://a.example/"}, "OpenID Connect are not looked up"),
        ({"type": "mutualTLS"}, "a client certificate is the integration's"),
        ({"type": "http", "scheme": "digest"}, "the HTTP scheme 'digest' is not known"),
        (
            {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://a.example/"}}},
            "its flows .password. are not",
        ),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "http://a.example/"}}},
            "its token URL is none that credentials may go to",
        ),
    ],
)
def test_a_scheme_that_nothing_is_made_of_is_named_with_the_reason(scheme, reason):
    made = taken(described({"GET /me": {}}, components={"securitySchemes": {"it": scheme}}))

    assert {"auth_mode": "NONE"} == made.draft.data["versions"]["v0"]["auth"]
    (finding,) = made.report.entries[0].findings
    assert "security.it" == finding.key
    assert re.search(reason, finding.reason)


def test_credentials_go_to_no_url_in_the_clear():
    flow = {"authorizationUrl": "http://acme.example/a", "tokenUrl": "http://acme.example/t", "scopes": {}}
    scheme = {"type": "oauth2", "flows": {"authorizationCode": flow}}
    made = taken(described({"GET /me": {}}, components={"securitySchemes": {"it": scheme}}))

    assert {"auth_mode": "OAUTH2"} == made.draft.data["versions"]["v0"]["auth"]
    assert "# No token URL is named that credentials may go to: write it here." in made.draft.text()


@pytest.mark.parametrize(
    "url", ["https://[", "https://[::1/x", "//[x]:y", "https://:99", "https://a:99999", "https://a%b"]
)
def test_a_url_that_is_none_is_no_traceback(url):
    flows = {"authorizationCode": {"authorizationUrl": url, "tokenUrl": url}}
    schemes = {"k": {"type": "oauth2", "flows": flows}}
    operations = {"GET /a": {"servers": [{"url": url}]}, "GET /b": {}}
    made = taken(described(operations, components={"securitySchemes": schemes}))

    assert {"auth_mode": "OAUTH2"} == made.draft.data["versions"]["v0"]["auth"]
    assert {"GET /a": "it has a server of its own"} == {
        one.key: one.reason for one in made.report.entries[0].findings
    }
    with pytest.raises(UsageError, match="no server with a host"):
        taken(described(operations, servers=[{"url": url}]))


def test_two_keys_that_stand_together_are_both_sent():
    schemes = {
        "Key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        "App": {"type": "apiKey", "in": "query", "name": "app id"},
    }
    document = described({"GET /me": {}}, security=[{"Key": [], "App": []}], components={"securitySchemes": schemes})
    request = sent(taken(document), "get-me", credentials={"api_key": "k", "app_id": "a"})

    assert ("k", "a") == (request.headers["X-Api-Key"], request.url.params["app id"])


def test_operations_that_are_signed_another_way_are_left_out():
    schemes = {"Key": {"type": "apiKey", "in": "header", "name": "X"}, "Admin": {"type": "http", "scheme": "basic"}}
    document = described(
        {
            "GET /a": {},
            "GET /b": {"security": []},
            "GET /c": {"security": [{"Admin": []}]},
            "GET /d": {"security": [{"Admin": []}, {"Key": []}]},
        },
        security=[{"Key": []}],
        components={"securitySchemes": schemes},
    )
    made = taken(document)

    assert ["get-a", "get-b", "get-d"] == list(made.integration.actions)
    reasons = {finding.key: finding.reason for finding in made.report.entries[0].findings}
    assert {
        "GET /c": "it is signed another way: Admin",
        "security.Admin": "another scheme signs the requests",
    } == reasons


def test_what_is_known_better_takes_the_place_of_what_is_described():
    document = described({"GET /c": {"security": [{"Odd": []}]}})
    made = taken(document, auth={"auth_mode": "API_KEY", "name": "X-Key"}, facts={"display_name": "ACME"})

    assert "k" == sent(made, "get-c", credentials={"api_key": "k"}).headers["X-Key"]
    assert "ACME" == made.draft.data["display_name"]


def test_scopes_of_alternatives_are_required_as_they_are_written():
    flows = {"authorizationCode": {"authorizationUrl": "https://a.example/", "tokenUrl": "https://a.example/t"}}
    document = described(
        {
            "GET /one": {"security": [{"it": ["a", "b"]}]},
            "GET /two": {"security": [{"it": ["a", "b"]}, {"it": ["c"]}]},
            "GET /none": {"security": [{"it": ["a"]}, {"it": []}]},
        },
        components={"securitySchemes": {"it": {"type": "oauth2", "flows": flows}}},
    )
    actions = version(document)["actions"]

    assert ["a", "b"] == actions["get-one"]["requires_scopes"]
    assert [["a", "c"], ["b", "c"]] == actions["get-two"]["requires_scopes"]
    assert "requires_scopes" not in actions["get-none"]


def test_no_action_gets_a_name_that_is_nobodys():
    ids = ["x", "x", "x-a", "xa"]
    made = taken(described({f"GET /{at}": {"operationId": name} for at, name in enumerate(ids)}))

    assert ["get-x", "get-x-2", "get-x-a", "xa"] == list(made.integration.actions)


def test_names_that_collide_say_where_they_belong():
    document = described(
        {
            "POST /orders/{id}": {
                "operationId": "Orders_addLine",
                "parameters": [param("id", "path"), param("id"), param("X-Id", "header")],
                **body({"type": "object", "properties": {"id": {"type": "integer"}, "a-b": {}}, "required": ["id"]}),
            }
        }
    )
    made = taken(document)
    action = made.integration.actions["orders-add-line"]
    request = sent(made, "orders-add-line", {"id": "7", "query_id": "q", "X_Id": "h", "body_id": 1, "a_b": [1]})

    assert ["id", "body_id"] == action.input.document["required"]
    assert "https://acme.example/api/orders/7?id=q" == str(request.url)
    assert "h" == request.headers["X-Id"]
    assert {"id": 1, "a-b": [1]} == json.loads(request.content)


@pytest.mark.parametrize(
    ("keys", "given", "query"),
    [
        ({"schema": {"type": "array", "items": {"type": "integer"}}}, [1, 2], "x=1&x=2"),
        ({"schema": {"type": "array"}, "explode": False}, ["a", "b"], "x=a%2Cb"),
        ({"schema": {"type": "array"}, "style": "pipeDelimited", "explode": False}, ["a", "b"], "x=a%7Cb"),
        (
            {"style": "deepObject", "schema": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}}},
            {"a": 1},
            "x%5Ba%5D=1",
        ),
        ({"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}, {"a": 1}, "a=1"),
        ({"content": {"application/json": {"schema": {"type": "object"}}}}, {"a": 1}, "x=%7B%22a%22%3A1%7D"),
    ],
)
def test_a_query_parameter_is_written_in_its_style(keys, given, query):
    document = described({"GET /list": {"parameters": [{"name": "x", "in": "query", **keys}]}})

    assert query == sent(taken(document), "get-list", {"x": given}).url.query.decode().replace("x[a]", "x%5Ba%5D")


def test_parameters_without_a_form_are_left_out_and_required_ones_leave_out_the_operation():
    odd = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    document = described(
        {
            "GET /a": {"parameters": [param("meta", **odd), param("crumb", "cookie")]},
            "GET /b": {"parameters": [{**param("meta", **odd), "required": True}]},
            "POST /c": body({"type": "object"}, "application/xml"),
            "OPTIONS /d": {},
            "GET /e#part": {},
            "GET /f": {"servers": [{"url": "https://elsewhere.example"}]},
        }
    )
    made = taken(document)

    assert ["get-a"] == list(made.integration.actions)
    assert {
        "GET /a meta": "an optional parameter: an object of any members has no form in a query",
        "GET /a crumb": "an optional parameter: cookies are not sent by actions",
        "GET /b": "the query parameter 'meta' is required: an object of any members has no form in a query",
        "POST /c": "its body is XML",
        "OPTIONS /d": "actions have no method OPTIONS",
        "GET /e#part": "its path has a fragment",
        "GET /f": "it has a server of its own",
    } == {finding.key: finding.reason for finding in made.report.entries[0].findings}


def test_each_kind_of_body_is_sent_as_it_is_described():
    members = {"type": "object", "properties": {"name": {"type": "string"}, "on": {"type": "boolean"}}}
    file = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, "tags": {"type": "object"}},
    }
    document = described(
        {
            "POST /json": body(members, "application/vnd.api+json"),
            "POST /form": body(members, "application/x-www-form-urlencoded"),
            "POST /file": body(file, "multipart/form-data"),
            "POST /raw": body({"type": "string", "format": "binary"}, "image/png"),
            "POST /list": body({"type": "array", "items": {"type": "integer"}}),
        }
    )
    made = taken(document)

    request = sent(made, "post-json", {"name": "a"})
    assert ("application/vnd.api+json", b'{"name":"a"}') == (request.headers["Content-Type"], request.content)
    assert b"name=a&on=true" == sent(made, "post-form", {"name": "a", "on": True}).content
    parts = sent(made, "post-file", {"file": b"PNG", "tags": {"a": 1}}).content
    assert b'name="file"; filename="file"' in parts
    assert b'{"a":1}' in parts
    request = sent(made, "post-raw", {"body": b"PNG"})
    assert ("image/png", b"PNG") == (request.headers["Content-Type"], request.content)
    assert b"[1,2]" == sent(made, "post-list", {"body": [1, 2]}).content


def test_a_body_that_has_to_be_there_is_never_left_out():
    optional = {"type": "object", "properties": {"name": {"type": "string"}}}
    document = described(
        {"POST /alone": body(optional), "POST /beside": {"parameters": [param("dry")], **body(optional)}}
    )
    made = taken(document)

    assert 1 == made.integration.actions["post-alone"].input.document["minProperties"]
    assert b"{}" == sent(made, "post-beside", {"body": {}}).content


def test_schemas_that_refer_to_themselves_end():
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}},
    }
    loop = {"$ref": "#/components/schemas/Loop"}
    document = described(
        {"POST /nodes": {**body({"$ref": "#/components/schemas/Node"}), **answer(loop)}},
        components={"schemas": {"Node": node, "Loop": loop}},
    )
    action = taken(document).integration.actions["post-nodes"]

    assert {"type": "object"} == action.input.document["properties"]["next"]
    assert action.output.schema is None


def test_schemas_that_fan_out_are_cut():
    refs = [{"$ref": f"#/components/schemas/s{number}"} for number in range(30)]
    wide = {
        "type": "object",
        "properties": {f"p{n}": ref for n, ref in enumerate(refs)},
        "allOf": refs,
        "anyOf": refs[:8],
    }
    document = described({"POST /one": body(refs[0])}, components={"schemas": {f"s{n}": wide for n in range(30)}})
    made = version(document)["actions"]["post-one"]["input"]

    assert 30 == len(made["properties"])
    assert len(json.dumps(made)) < 50_000


def test_what_comes_out_promises_shape_and_types_only():
    schema = {
        "allOf": [
            {"type": "object", "properties": {"id": {"type": "string", "pattern": "^x"}}, "required": ["id"]},
            {"properties": {"kind": {"type": "string", "enum": ["a"], "nullable": True}, "pin": {"writeOnly": True}}},
        ]
    }
    found = version(described({"GET /one": answer(schema)}))["actions"]["get-one"]["output"]["schema"]

    assert {
        "type": "object",
        "properties": {"id": {"type": "string"}, "kind": {"type": ["string", "null"]}},
        "required": ["id"],
    } == found


def test_what_goes_in_keeps_its_rules():
    schema = {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9},
            "kind": {"type": ["string", "null"], "enum": ["a", "b"]},
            "code": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 3},
            "odd": {"type": "string", "pattern": "\\p{L}"},
            "id": {"type": "string", "readOnly": True},
        },
        "required": ["size", "id", "other"],
    }
    made = version(described({"POST /one": body(schema)}))["actions"]["post-one"]["input"]

    assert {
        "size": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
        "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
        "code": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 3},
        "odd": {"type": "string"},
        "other": {},
    } == made["properties"]
    assert ["size", "other"] == made["required"]


def test_a_request_that_tells_who_one_is_becomes_the_verification():
    me = {"type": "object", "properties": {"data": {"type": "object", "properties": {"email": {"type": "string"}}}}}
    document = described(
        {
            "GET /users": answer({"type": "array"}),
            "GET /users/{id}": {"parameters": [param("id", "path")]},
            "GET /v1/users/me": answer(me),
        }
    )
    made = taken(document)

    assert {"method": "GET", "path": "v1/users/me", "identity": "data.email"} == made.draft.data["versions"]["v0"][
        "verification"
    ]
    assert "# A guess from the path of GET /v1/users/me" in made.draft.text()


def test_the_identity_is_found_in_alternatives_too():
    user = {"type": "object", "properties": {"login": {"type": "string"}}}
    made = version(described({"GET /user": answer({"oneOf": [user, {**user, "required": ["login"]}]})}))

    assert {"method": "GET", "path": "user", "identity": "login"} == made["verification"]


def test_operations_are_chosen_by_name_tag_and_number():
    document = described(
        {
            "GET /a": {"operationId": "getA", "tags": ["x"]},
            "GET /b": {"operationId": "getB", "tags": ["y"], "deprecated": True},
            "GET /c": {"operationId": "getC", "tags": ["x"]},
        }
    )

    def names(**choice):
        return list(taken(document, choice=Choice(**choice)).integration.actions)

    assert ["get-a", "get-c"] == names()
    assert ["get-b"] == names(only=["getB"])
    assert ["get-c"] == names(only=["GET /c"])
    assert ["get-a", "get-c"] == names(tags=["x"])
    assert ["get-a"] == names(most=1)
    with pytest.raises(UsageError, match=r"--only-tags 'z' is nothing there\. Known here: x, y\."):
        names(tags=["x", "z"])
    with pytest.raises(UsageError, match=r"--only 'getAa' is nothing there\. Did you mean 'getA'\?"):
        names(only=["getC", "getAa"])


def test_swagger_2_is_read_as_well():
    document = {
        "swagger": "2.0",
        "info": {"title": "Acme", "version": "1"},
        "host": "acme.example",
        "basePath": "/v1",
        "schemes": ["http", "https"],
        "securityDefinitions": {"it": {"type": "basic"}},
        "security": [{"it": []}],
        "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
        "paths": {
            "/pets": {
                "get": {
                    "parameters": [
                        {"name": "status", "in": "query", "type": "array", "items": {"type": "string"}},
                        {"name": "tag", "in": "query", "type": "array", "collectionFormat": "multi"},
                    ],
                    "responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}}},
                },
                "post": {
                    "parameters": [
                        {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}
                    ]
                },
            },
            "/pets/{id}/photo": {
                "parameters": [{"name": "id", "in": "path", "type": "integer", "required": True}],
                "get": {"responses": {"200": {"schema": {"type": "file"}}}},
                "post": {
                    "consumes": ["multipart/form-data"],
                    "parameters": [{"name": "file", "in": "formData", "type": "file", "required": True}],
                },
            },
        },
    }
    made = taken(document)
    basic = {"username": "ann", "password": "p"}

    request = sent(made, "get-pets", {"status": ["a", "b"], "tag": ["c", "d"]}, credentials=basic)
    assert "https://acme.example/v1/pets?status=a%2Cb&tag=c&tag=d" == str(request.url)
    assert b'{"name":"Rex"}' == sent(made, "post-pets", {"name": "Rex"}, credentials=basic).content
    assert b'name="file"' in sent(made, "post-pets-id-photo", {"id": 1, "file": b"x"}, credentials=basic).content
    assert made.integration.actions["get-pets-id-photo"].output.download


def test_null_in_alternatives_makes_a_value_nullable():
    nullable = {"anyOf": [{"type": ["string", "null"], "enum": ["a"]}, {"type": "null"}]}
    action = version(described({"POST /one": body({"type": "object", "properties": {"a": nullable}})}))["actions"]

    assert {"type": ["string", "null"], "enum": ["a", None]} == action["post-one"]["input"]["properties"]["a"]


@pytest.mark.parametrize("document", [{}, {"openapi": "4.0.0"}, {"swagger": "1.2"}, {"openapi": 3}])
def test_what_is_no_description_is_wrong_use(document):
    with pytest.raises(UsageError, match=r"acme\.json: .* no OpenAPI description from 2\.0 to 3\.2"):
        Spec(document, "acme.json")


@pytest.mark.parametrize("odd", [{}, ["a"], 7, True, None])
def test_a_place_or_format_that_is_no_word_is_no_traceback(odd):
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": odd}}}
    operations = {"POST /a": body(schema) | answer(schema), "GET /b": {"parameters": [{"name": "p", "in": odd}]}}

    assert ["post-a"] == list(taken(described(operations)).integration.actions)


PIECES = {
    "GET /a": {"parameters": [{"$ref": "common.yaml#/limit"}]},
    "GET /b": {"parameters": [{"name": "q", "in": "querystring", "schema": {}}]},
    "GET /c": {"parameters": {"name": "q"}},
    "POST /d": {"requestBody": {"$ref": "https://acme.example/bodies.yaml"}},
    "POST /e": body({"$ref": "schemas/pet.yaml"}) | {"callbacks": {}, "servrs": []},
    "GET /f": {"responses": {"200": {"$ref": "#/components/responses/none"}}},
}


def test_what_cannot_be_read_is_left_out_with_the_reason_and_never_sent_without():
    document = described(PIECES, webhooks={}, compnents={})
    document["paths"] |= {"/g": {"$ref": "paths/g.yaml"}, "/h": {"get": [1]}, "/i": {"additionalOperations": {}}}
    made = taken(document)

    other, nowhere = "a reference into another file, which is not read", "a reference that leads nowhere"
    assert ["post-e", "get-f"] == list(made.integration.actions)
    assert {
        "GET /a": "one of its parameters cannot be read",
        "GET /b": "a parameter goes to an unknown place",
        "GET /c": "its parameters are no list",
        "POST /d": "its body cannot be read",
        "/g": "nothing there is an operation that can be read",
        "GET /h": "it is no operation that can be read",
        "/i additionalOperations": "actions have no such methods",
        "POST /e callbacks": "nango_py receives no webhooks",
        "POST /e servrs": "no rule knows this key",
        "webhooks": "nango_py receives no webhooks",
        "compnents": "no rule knows this key",
        "common.yaml#/limit": other,
        "https://acme.example/bodies.yaml": other,
        "schemas/pet.yaml": other,
        "paths/g.yaml": other,
        "#/components/responses/none": nowhere,
    } == {found.key: found.reason.partition(":")[0] for found in made.report.entries[0].findings}


def test_a_reference_in_place_of_an_operation_is_followed():
    document = described({"GET /me": {}, "GET /it": {"$ref": "#/paths/~1me/get"}})
    document["paths"]["/me"]["get"]["operationId"] = "who-am-i"

    assert ["who-am-i", "who-am-i-2"] == list(taken(document).integration.actions)


def test_comments_stand_above_their_keys_and_change_nothing():
    odd = {"securitySchemes": {"\x00": {"type": "odd"}, "# nango-py: allow(x)": {"type": "yaml-language-server: y"}}}
    made = taken(described({"GET /a": {"summary": "Line\none: #1 ${input.x} \x07"}}, components=odd))
    text = made.draft.text()

    assert made.draft.data == parse(text, "acme").data
    assert "      # GET /a\n      get-a:\n        description: " in text
    assert "nango-py:" not in text
    assert "yaml-language-server:" not in text
