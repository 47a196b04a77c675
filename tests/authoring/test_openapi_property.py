"""Whatever a description holds, it gives a blueprint that loads, or is refused in words."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py.authoring.openapi.blueprint import Choice, from_openapi
from nango_py.authoring.openapi.spec import Spec
from nango_py.errors import UsageError
from nango_py.yaml_text import parse

NAMES = st.sampled_from(["id", "a-b", "limit", "page", "x[y]", "${env.HOME}", "class", "", "é", "next", "data", "9"])
TEXTS = st.one_of(
    st.sampled_from(["${input.x}", "a: b", "#", "null", "2024-01-01", "\x00", "on"]), st.text(max_size=8)
)
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(TEXTS, inner, max_size=2)),
    max_leaves=4,
)
REFERENCES = st.sampled_from(
    ["#/components/schemas/a", "#/components/schemas/b", "#/nowhere", "other.json#/x", "#/paths"]
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.builds(lambda ref: {"$ref": ref}, REFERENCES),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["string", "integer", "number", "boolean", "file", "odd", ["string", "null"]])},
            optional={"enum": st.lists(JUNK, max_size=3), "pattern": TEXTS, "minimum": JUNK, "maxLength": JUNK,
                      "format": st.sampled_from(["binary", "uuid", "x"]), "description": TEXTS, "nullable": JUNK},
        ),
        JUNK,
    ),
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda properties, required, more: {
                "type": "object", "properties": properties, "required": required, "additionalProperties": more
            },
            st.dictionaries(NAMES, inner, max_size=3), st.lists(NAMES, max_size=2), inner,
        ),
        st.builds(lambda word, parts: {word: parts}, st.sampled_from(["allOf", "anyOf", "oneOf"]), st.lists(inner, max_size=2)),
    ),
    max_leaves=6,
)  # fmt: skip


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([strategy] * 9 + [JUNK]).flatmap(lambda chosen: chosen)


def keyed(keys: Any, values: Any, most: int = 2) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(keys), values, min_size=1, max_size=most)


PLACES = ["path", "query", "query", "header", "cookie", "body", "formData"]
STYLES = ["form", "deepObject", "pipeDelimited", "simple", "x"]
MEDIA = ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "text/plain", "x"]
URLS = [
    "https://a.example", "https://{h}.example/{p}", "/v1", "{x}", "https://a.example:{p}", "https://${x}.example",
]  # fmt: skip
PATHS = ["/a", "/a/{id}", "/me", "/{a}/{a}", "/${x}", "/a?b=c&d={e}", "a b/{é}", "/{", "", "//{x}/..", "/:{a-b}"]
METHODS = ["get", "get", "post", "put", "delete", "trace"]
PARAMETERS = mostly(
    st.fixed_dictionaries(
        {"name": NAMES, "in": st.sampled_from(PLACES), "schema": mostly(SCHEMAS)},
        optional={
            "required": st.booleans(),
            "style": st.sampled_from(STYLES),
            "explode": st.booleans(),
            "content": JUNK,
        },
    )
)
CONTENT = keyed(MEDIA, mostly(st.builds(lambda schema: {"schema": schema}, SCHEMAS)))
BODIES = st.builds(lambda content, required: {"content": content, "required": required}, CONTENT, st.booleans())
SECURITY = st.lists(st.dictionaries(st.sampled_from(["k", "o", "o"]), mostly(st.just(["s"])), max_size=2), max_size=2)
OPERATIONS = mostly(
    st.fixed_dictionaries(
        {
            "parameters": mostly(st.lists(PARAMETERS, max_size=3)),
            "responses": mostly(keyed(["200", "default", "2XX"], st.builds(lambda content: {"content": content}, CONTENT))),
        },
        optional={
            "requestBody": mostly(BODIES), "operationId": TEXTS, "summary": JUNK, "tags": JUNK, "security": SECURITY,
        },
    )
)  # fmt: skip
FLOWS = keyed(
    ["authorizationCode", "clientCredentials", "implicit"],
    keyed(["tokenUrl", "authorizationUrl"], st.one_of(TEXTS, st.just("https://a.example/t"), st.just("/t"))),
)
SCHEMES = mostly(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["apiKey", "apiKey", "http", "oauth2", "basic"]),
            "name": st.one_of(st.sampled_from(["X-Key", "Authorization"]), TEXTS),
            "in": st.sampled_from(["header", "query", "cookie"]),
            "scheme": st.sampled_from(["basic", "bearer", "odd"]),
            "flows": FLOWS,
        }
    )
)
VARIABLES = keyed(["h", "p", "x"], mostly(st.fixed_dictionaries({"default": TEXTS}, optional={"enum": JUNK})))
SERVERS = st.lists(
    mostly(st.fixed_dictionaries({"url": st.sampled_from(URLS)}, optional={"variables": VARIABLES})), max_size=2
)
DESCRIPTIONS = st.builds(
    lambda version, servers, paths, schemes, schemas, security, info: {
        **version, "servers": servers, "host": "a.example", "paths": paths, "security": security, "info": info,
        "components": {"securitySchemes": schemes, "schemas": schemas}, "securityDefinitions": schemes,
    },
    st.sampled_from([{"openapi": "3.1.0"}, {"openapi": "3.0.3"}, {"swagger": "2.0"}]),
    mostly(SERVERS),
    keyed(PATHS, mostly(keyed(METHODS, OPERATIONS)), most=3),
    mostly(keyed(["k", "o"], SCHEMES)),
    mostly(keyed(["a", "b"], SCHEMAS)),
    mostly(SECURITY),
    JUNK,
)  # fmt: skip


@settings(max_examples=30)
@given(DESCRIPTIONS, st.sampled_from([None, *["https://acme.example/"] * 4]))
def test_a_description_gives_a_blueprint_that_loads_or_a_clear_refusal(document, base_url):
    made, refusal = None, "acme.json: "
    try:
        made = from_openapi(Spec(document, "acme.json"), "acme", choice=Choice(), base_url=base_url)
    except UsageError as error:
        refusal = str(error)
    assert refusal.startswith("acme.json: ")
    assert "nothing that loads" not in refusal
    if made is not None:
        assert set(made.integration.actions) == set(made.draft.data["versions"]["v0"].get("actions", ()))
        assert made.draft.data == parse(made.draft.text(), "acme").data
