"""What changes for users between two versions: every difference is found, and judged by what it does to them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nango_py.declare.catalogue import built_in_folder
from nango_py.errors import UsageError
from nango_py.versions.content import canonical, find, text_of
from nango_py.versions.diff import compare_versions, diff
from nango_py.versions.schemas import Effect, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE: dict[str, Any] = {
    "auth": {"auth_mode": "OAUTH2", "token_url": "https://acme.example/token", "default_scopes": ["read"]},
    "connection_config": {"region": {"enum": ["eu", "us"], "default": "eu"}, "site": {"pattern": "^[a-z]+$"}},
    "requests": {
        "base_url": "https://api.acme.example/v1/",
        "headers": {"Accept": "application/json"},
        "allowed_origins": ["https://files.acme.example"],
    },
    "retry": {"after": "Retry-After"},
    "pagination": {"type": "link", "link_rel_in_response_header": "next", "limit": 50},
    "verification": {"path": "me"},
    "actions": {
        "find": {
            "description": "Find things.",
            "input": {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "What."},
                    "sort": {"enum": ["up", "down"], "default": "up"},
                    "most": {"type": "integer", "minimum": 1, "maximum": 100},
                    "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
                    "since": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                },
                "required": ["query"],
                "additionalProperties": False,
                "$defs": {"tag": {"type": "string"}},
            },
            "request": {"method": "GET", "path": "find", "params": {"q": "${input.query}"}},
            "paginate": True,
            "output": {
                "items": "data",
                "map": {"id": "${item.id}", "name": "${item.name}"},
                "schema": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": {"type": "string"}, "state": {"enum": ["open", "closed"]}},
                },
            },
            "on_error": [{"when": {"status": "404"}, "name": "not-found", "message": "No."}],
            "requires_scopes": ["read"],
        },
        "get": {"description": "Get one.", "request": {"path": "one"}},
    },
}
GONE = object()

CASES = [
    ("BREAKING", "auth.auth_mode", "auth/auth_mode", "OAUTH2_CC"),
    ("BREAKING", "auth.token_url", "auth/token_url", "https://other.example/token"),
    ("RISKY", "auth.token_url", "auth/token_url", "https://acme.example/v2/token"),
    ("RISKY", "auth.default_scopes", "auth/default_scopes", ["read", "write"]),
    ("RISKY", "auth.value", "auth/value", "Token ${access_token}"),
    ("SAFE", "auth.revocation_url", "auth/revocation_url", "https://acme.example/revoke"),
    ("BREAKING", "credentials.key", "credentials", {"key": {"secret": True}}),
    ("SAFE", "credentials.key", "credentials", {"key": {"secret": True, "optional": True}}),
    ("BREAKING", "connection_config.team", "connection_config/team", {}),
    ("BREAKING", "connection_config.site", "connection_config/site", GONE),
    ("BREAKING", "connection_config.site", "connection_config/site/pattern", "^[a-z]{3}$"),
    ("SAFE", "connection_config.site", "connection_config/site/pattern", GONE),
    ("BREAKING", "connection_config.region", "connection_config/region/default", GONE),
    ("RISKY", "connection_config.region", "connection_config/region/default", "us"),
    ("BREAKING", "connection_config.region", "connection_config/region/enum", ["eu"]),
    ("SAFE", "connection_config.region", "connection_config/region/enum", ["eu", "us", "au"]),
    ("SAFE", "connection_config.region", "connection_config/region/title", "The region"),
    ("BREAKING", "requests.base_url", "requests/base_url", "https://api.acme.test/v1/"),
    ("BREAKING", "requests.base_url", "requests/base_url", "https://api.acme.example/v2/"),
    ("RISKY", "requests.base_url", "requests/base_url", "https://api.acme.example/v1"),
    ("RISKY", "requests.headers.Accept", "requests/headers/Accept", "text/html"),
    ("BREAKING", "requests.allowed_origins", "requests/allowed_origins", GONE),
    ("RISKY", "retry.after", "retry/after", "X-Wait"),
    ("RISKY", "timeouts", "timeouts", {"total": 9}),
    ("RISKY", "rate_limit", "rate_limit", [{"limit": 5, "per": 1}]),
    ("BREAKING", "pagination", "pagination", GONE),
    ("RISKY", "pagination.limit", "pagination/limit", 20),
    ("BREAKING", "verification", "verification", GONE),
    ("RISKY", "verification.path", "verification/path", "you"),
    ("BREAKING", "actions.get", "actions/get", GONE),
    ("SAFE", "actions.new", "actions/new", {"request": {"path": "new"}}),
    ("SAFE", "actions.find.description", "actions/find/description", "Find."),
    ("BREAKING", "actions.find.paginate", "actions/find/paginate", GONE),
    ("RISKY", "actions.find.paginate", "actions/find/paginate", {"limit": 7}),
    ("RISKY", "actions.find.request.path", "actions/find/request/path", "search"),
    ("RISKY", "actions.find.ok", "actions/find/ok", {"path": "ok", "value": True}),
    ("BREAKING", "actions.find.requires_scopes", "actions/find/requires_scopes", ["read", "write"]),
    ("SAFE", "actions.find.requires_scopes", "actions/find/requires_scopes", GONE),
    ("BREAKING", "actions.find.on_error", "actions/find/on_error", GONE),
    ("RISKY", "actions.find.on_error", "actions/find/on_error/0/when/status", "410"),
    ("SAFE", "actions.find.on_error", "actions/find/on_error/0/message", "Gone."),
    ("RISKY", "actions.find.output.items", "actions/find/output/items", "items"),
    ("BREAKING", "actions.find.output.flatten", "actions/find/output/flatten", True),
    ("BREAKING", "actions.find.output.map.name", "actions/find/output/map/name", GONE),
    ("SAFE", "actions.find.output.map.url", "actions/find/output/map/url", "${item.url}"),
    ("RISKY", "actions.find.output.map.id", "actions/find/output/map/id", "${item.uuid}"),
    ("RISKY", "actions.find.output.schema", "actions/find/output/schema", GONE),
    ("BREAKING", "actions.find.input", "actions/find/input", GONE),
]

IN = "actions/find/input/properties"
OUT = "actions/find/output/schema"
SCHEMA_CASES = [
    ("SAFE", "actions.find.input.page", f"{IN}/page", {"type": "integer"}),
    ("BREAKING", "actions.find.input.most", f"{IN}/most", GONE),
    ("BREAKING", "actions.find.input.sort", "actions/find/input/required", ["query", "sort"]),
    ("SAFE", "actions.find.input.query", "actions/find/input/required", []),
    ("BREAKING", "actions.find.input.query", f"{IN}/query/type", "integer"),
    ("SAFE", "actions.find.input.query", f"{IN}/query/type", ["string", "null"]),
    ("BREAKING", "actions.find.input.query", f"{IN}/query", {"enum": ["a", "b"], "description": "What."}),
    ("BREAKING", "actions.find.input.query", f"{IN}/query/pattern", "^a"),
    ("BREAKING", "actions.find.input.query", f"{IN}/query/format", "binary"),
    ("SAFE", "actions.find.input.query.description", f"{IN}/query/description", "Which."),
    ("RISKY", "actions.find.input.query.not", f"{IN}/query/not", {"const": "x"}),
    ("BREAKING", "actions.find.input.sort", f"{IN}/sort/enum", ["up"]),
    ("SAFE", "actions.find.input.sort", f"{IN}/sort/enum", ["up", "down", "none"]),
    ("RISKY", "actions.find.input.sort.default", f"{IN}/sort/default", "down"),
    ("BREAKING", "actions.find.input.most", f"{IN}/most/minimum", 2),
    ("SAFE", "actions.find.input.most", f"{IN}/most/minimum", GONE),
    ("BREAKING", "actions.find.input.most", f"{IN}/most/maximum", 10),
    ("SAFE", "actions.find.input.most", f"{IN}/most/maximum", 1000),
    ("BREAKING", "actions.find.input.tags[]", "actions/find/input/$defs/tag/type", "integer"),
    ("BREAKING", "actions.find.input.since.anyOf", f"{IN}/since/anyOf", [{"type": "string"}]),
    ("SAFE", "actions.find.input.additionalProperties", "actions/find/input/additionalProperties", True),
    ("BREAKING", "actions.find.output.schema.id", f"{OUT}/properties/id", GONE),
    ("BREAKING", "actions.find.output.schema.id", f"{OUT}/properties/id/type", "integer"),
    ("BREAKING", "actions.find.output.schema.id", f"{OUT}/properties/id/type", ["string", "null"]),
    ("BREAKING", "actions.find.output.schema.id", f"{OUT}/required", []),
    ("RISKY", "actions.find.output.schema.state", f"{OUT}/required", ["id", "state"]),
    ("SAFE", "actions.find.output.schema.url", f"{OUT}/properties/url", {"type": "string"}),
    ("RISKY", "actions.find.output.schema.state", f"{OUT}/properties/state/enum", ["open", "closed", "lost"]),
    ("RISKY", "actions.find.output.schema.state", f"{OUT}/properties/state/enum", ["open"]),
    ("RISKY", "actions.find.output.schema.additionalProperties", f"{OUT}/additionalProperties", False),
    ("BREAKING", "actions.find.input.most", f"{IN}/most", False),
    ("BREAKING", "actions.find.input.query.allOf.0", f"{IN}/query/allOf", [{"minLength": 1}]),
]


def edited(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(BASE)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    inner: Any = data
    for part in parents:
        inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner[part]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return data


@pytest.fixture
def versions(tmp_path: Path):
    def write(after: dict[str, Any]) -> tuple[str, str]:
        document = {"name": "acme", "versions": {"v0": BASE, "v1": after}}
        (tmp_path / "acme.yaml").write_text(json.dumps(document, indent=1), "utf-8")
        return f"{tmp_path}/acme.yaml:v0", f"{tmp_path}/acme.yaml:v1"

    return write


@pytest.mark.parametrize(("level", "path", "edit", "value"), [*CASES, *SCHEMA_CASES])
def test_a_change_is_judged_by_what_it_does_to_users(versions, level, path, edit, value):
    before, after = map(find, versions(edited(edit, value)))
    (change,) = diff(before, after)

    assert (level, path) == (change.level, change.path)
    assert change.location.source.endswith("acme.yaml")
    assert change.location.line > 1


def test_the_way_back_of_a_safe_addition_is_breaking():
    new = canonical(edited("actions/find/input/properties/page", {"type": "integer"}))
    (found,) = compare_versions(new, canonical(BASE))

    assert "BREAKING" == found.level


def test_a_change_is_located_where_it_stands_and_a_removal_where_it_stood(versions):
    before, after = map(find, versions(edited("actions/get", GONE)))
    (removed,) = diff(before, after)
    (added,) = diff(after, before)

    assert before.locate("/actions/get") == removed.location == added.location


def test_what_nobody_sees_is_no_change(versions):
    data = edited("actions/find/example", {"output": []})
    data |= {"comment": "New words.", "x-sources": {"auth": 1}}
    data["requests"]["headers"] = {"Accept": "application/json"}
    before, after = map(find, versions(dict(reversed(data.items()))))

    assert () == diff(before, after)


def test_the_order_of_costs_is_a_change_since_the_first_that_fits_counts():
    one, other = (
        {"rate_limit": [{"limit": 1, "per": 1, "cost": dict(cost)}]}
        for cost in ([("a*", 1), ("*", 2)], [("*", 2), ("a*", 1)])
    )

    assert ["RISKY"] == [found.level for found in compare_versions(canonical(one), canonical(other))]


def test_a_header_that_begins_with_x_is_none_of_the_ignored_keys():
    data = {"requests": {"headers": {"x-api-version": "1"}, "x-note": "ignored"}}

    assert {"requests": {"headers": {"x-api-version": "1"}}} == canonical(data)


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    if not members:
        yield path
    for key, value in members:
        yield from leaves(value, (*path, key))


def other_than(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {"x": {}}
    return f"{value}x" if isinstance(value, str) else ["x"] if isinstance(value, list) else (value or 0) + 1


@pytest.mark.parametrize("key", ["google-calendar:v0", "zoho-crm:v0"])
def test_no_edit_of_a_leaf_goes_unseen(key):
    before = find(key).data
    unseen = []
    for path in leaves(before):
        after = copy.deepcopy(before)
        inner = after
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = other_than(inner[path[-1]])
        if not list(compare_versions(before, after)):
            unseen.append(path)

    assert [] == unseen


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["string", "integer", "#", "#/$defs/a", "binary"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "enum", "anyOf", "$ref", "$defs", "a", "minimum", "format",
                 "additionalProperties", "default", "const", "not", "pattern"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(ODD, ODD)
def test_whatever_stands_in_place_of_a_schema_is_compared_somehow(old, new):
    before, after = ({"actions": {"find": {"input": one, "output": {"schema": one}}}} for one in (old, new))
    found = list(compare_versions(before, after))

    assert (text_of(old) == text_of(new)) <= (not found)


def test_a_schema_that_refers_to_itself_is_walked_once():
    def tree(kind: str) -> dict[str, Any]:
        node = {"properties": {name: {"$ref": "#/$defs/node"} for name in "abcdef"} | {"value": {"type": kind}}}
        return {"$ref": "#/$defs/node", "$defs": {"node": node}}

    before, after = ({"actions": {"find": {"input": tree(kind)}}} for kind in ("string", "integer"))
    (found,) = compare_versions(before, after)

    assert ("BREAKING", "/actions/find/input/properties/value") == (found.level, found.pointer)


def test_one_reference_in_the_place_of_two_schemas_is_compared_with_each():
    both = {"$ref": "#/$defs/name"}
    old = {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}
    new = {"type": "object", "properties": {"name": both, "count": both}, "$defs": {"name": {"type": "string"}}}

    changes = list(compare(old, new, ""))

    assert [(Effect.RETYPED, "/properties/count")] == [(found.effect, found.pointer) for found in changes]


def test_a_word_beside_a_reference_is_compared():
    old = {"properties": {"name": {"$ref": "#/$defs/name"}}, "$defs": {"name": {"type": "string"}}}
    new = {**old, "properties": {"name": {"$ref": "#/$defs/name", "enum": ["x"]}}}

    changes = list(compare(old, new, ""))

    assert [(Effect.NARROWER, "/properties/name")] == [(found.effect, found.pointer) for found in changes]


@pytest.mark.parametrize(
    "rest",
    [
        {"allOf": [{"$ref": "#/$defs/a"}]},
        {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        {"oneOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        {"not": {"not": {"$ref": "#/$defs/a"}}},
        {"contains": {"$ref": "#/$defs/b"}, "$defs": {"b": {"items": {"$ref": "#/$defs/a"}}}},
    ],
    ids=str,
)
def test_what_stands_behind_a_reference_within_other_words_is_compared(rest):
    old, new = ({**rest, "$defs": {**rest.get("$defs", {}), "a": {"type": kind}}} for kind in ("string", "integer"))

    assert any(found.effect in {Effect.RETYPED, Effect.OTHER} for found in compare(old, new, ""))


def test_a_word_that_a_reference_repeats_is_compared_on_both_sides_of_it():
    old = {"type": "object", "maximum": 3}
    new = {**old, "$ref": "#/$defs/a", "$defs": {"a": {"type": "string", "maximum": 2}}}

    assert Effect.NARROWER in {found.effect for found in compare(old, new, "")}


def test_a_word_that_looks_at_items_takes_them_from_those_that_nobody_else_looked_at():
    old = {"unevaluatedItems": {"type": "integer"}}

    assert Effect.OTHER in {found.effect for found in compare(old, {**old, "items": {}}, "")}
    assert [Effect.NOTE] == [found.effect for found in compare(old, {**old, "description": "words"}, "")]


def test_forms_of_which_one_is_to_fit_are_watched_for_those_that_fit_two():
    old, new = ({"oneOf": [{"maxLength": 1}, {"minLength": limit}]} for limit in (3, 1))
    apart_old, apart_new = ({"oneOf": [{"type": "null"}, {"type": "string", "minLength": n}]} for n in (3, 1))

    assert {Effect.OTHER, Effect.WIDER} == {found.effect for found in compare(old, new, "")}
    assert {Effect.WIDER} == {found.effect for found in compare(apart_old, apart_new, "")}


@pytest.mark.parametrize(("required", "level"), [([], "SAFE"), (["query"], "BREAKING")])
def test_an_input_where_none_was_taken_breaks_calls_only_if_it_must_be_given(required, level):
    taken = {"type": "object", "properties": {"query": {"type": "string"}}, "required": required, "additionalProperties": False}  # fmt: skip
    before, after = ({"actions": {"find": {**one}}} for one in ({}, {"input": taken}))

    assert [level] == [found.level for found in compare_versions(before, after)]


def test_a_credential_that_is_declared_must_be_given_even_where_the_scheme_has_a_default():
    before = canonical({"auth": {"auth_mode": "BASIC"}})
    after = canonical({"auth": {"auth_mode": "BASIC"}, "credentials": {"password": {"title": "Password"}}})

    assert [("BREAKING", "/credentials/password")] == [
        (found.level, found.pointer) for found in compare_versions(before, after)
    ]


WORDS = {
    "type": st.sampled_from(["object", "array", "string", "integer", "null", ["string", "null"], ["number", "object"]]),
    "enum": st.sampled_from([["a"], ["a", "b"], [1, None], [{}]]),
    "const": st.sampled_from(["a", 1, []]),
    "pattern": st.sampled_from(["^a", "b$"]),
    "uniqueItems": st.booleans(),
    "required": st.sampled_from([[], ["a"], ["a", "b"]]),
    "dependentRequired": st.sampled_from([{"a": ["b"]}, {"b": ["a"]}]),
    "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b"]),
    "description": st.sampled_from(["one", "other"]),
    **dict.fromkeys(["maxLength", "minLength", "maxItems", "minItems", "maximum", "exclusiveMinimum"], st.integers(0, 2)),
}  # fmt: skip


def with_inner(inner):
    one, some = inner | st.booleans(), st.lists(inner, min_size=1, max_size=2)
    by_name = st.dictionaries(st.sampled_from(["a", "b"]), inner, min_size=1)
    words = {
        **WORDS, "items": one, "additionalProperties": one, "properties": by_name, "patternProperties": by_name,
        "prefixItems": some, "allOf": some, "anyOf": some, "oneOf": some, "not": inner, "if": inner, "then": inner,
        "unevaluatedProperties": one, "propertyNames": st.just({"maxLength": 1}), "contains": inner,
    }  # fmt: skip
    return st.lists(st.sampled_from(sorted(words)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: words[name] for name in names})
    )


LEAVES = st.fixed_dictionaries({"maxLength": st.integers(0, 2)}, optional={"type": WORDS["type"]})
PARTS = st.recursive(with_inner(st.just({})), with_inner, max_leaves=4)
PAIRS = st.builds(
    lambda one, more, turned: ({**one, **more}, one)[:: -1 if turned else 1], PARTS, PARTS, st.booleans()
)
"""A schema, and the same with a word more or less."""
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, 1.5, "", "a", "ab", "b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "cc"]), inner, max_size=2),
    max_leaves=4,
)


def levels(place: str, old: Any, new: Any) -> set[str]:
    before, after = (
        {"actions": {"find": {"input": one} if place == "input" else {"output": {"schema": one}}}}
        for one in (old, new)
    )
    return {found.level for found in compare_versions(before, after)}


@settings(max_examples=100)
@given(PARTS, PAIRS, st.tuples(LEAVES, LEAVES), st.lists(VALUES, min_size=8, max_size=8))
def test_a_change_that_keeps_a_value_out_or_lets_one_in_is_not_safe(kept, parts, leaves, values):
    old, new = (
        {**kept, "properties": {"a": part}, "$defs": {"a": leaf, "b": {}}}
        for part, leaf in zip(parts, leaves, strict=True)
    )
    before, after = Draft202012Validator(old), Draft202012Validator(new)
    changed = [
        (stays, comes) for value in values if (stays := before.is_valid(value)) != (comes := after.is_valid(value))
    ]
    if not changed or Effect.NEW in {found.effect for found in compare(old, new, "")}:
        return  # what had no name before was given by nobody
    assert levels("output", old, new) - {"SAFE"}
    if (True, False) in changed:
        assert levels("input", old, new) - {"SAFE"}


def test_another_format_lets_values_in_and_keeps_values_out():
    changes = list(compare({"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, ""))

    assert {Effect.NARROWER, Effect.WIDER} == {found.effect for found in changes}


def test_incomplete_errors_and_nulls_are_compared_as_well():
    before = canonical({"actions": {"find": {"on_error": [{"name": "gone"}], "input": None}}})
    after = canonical({"actions": {"find": {"on_error": [{"when": {"status": 404}}], "output": {"schema": None}}}})

    assert {"BREAKING", "RISKY"} == {found.level for found in compare_versions(before, after)}


@pytest.mark.parametrize("name", sorted(path.stem for path in built_in_folder().glob("*.yaml"))[::5])
def test_a_version_does_not_differ_from_itself(name):
    assert () == diff(find(name), find(f"{built_in_folder()}/{name}.yaml"))


@pytest.mark.parametrize(
    ("written", "message"),
    [("nothing-like-it:v0", "no blueprint"), ("close:v77", "no version"), ("Close!", "no blueprint key")],
)
def test_a_version_that_is_not_there_is_wrong_use(written, message):
    with pytest.raises(UsageError, match=message):
        find(written)
