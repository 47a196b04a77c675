"""The quick check and jsonschema agree about every value and every schema that the quick one knows."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from nango_py.declare.schema import _documents
from nango_py.json_schema import Schema
from nango_py.quick_check import quick_check

NAMES = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
LIMITS = st.integers(0, 3)
LEAVES = {
    "type": st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=3, unique=True)),
    "enum": st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=2, unique=True),
    "pattern": st.sampled_from(["^a", "b$", "."]),
    "const": st.sampled_from(["a", "b", None]),
    "description": st.just("words"),
    "format": st.sampled_from(["date", "binary"]),
    **dict.fromkeys(
        ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum",
         "exclusiveMinimum", "exclusiveMaximum"],
        LIMITS,
    ),
}  # fmt: skip


def with_inner(inner):
    words = {
        **LEAVES,
        "items": inner,
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": st.one_of(st.booleans(), inner),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b", "^c-"]), inner, max_size=2),
        "propertyNames": st.fixed_dictionaries(
            {}, optional={name: LEAVES[name] for name in ("pattern", "maxLength")}
        ),
        "if": inner,
        "then": inner,
        "else": inner,
    }
    return st.fixed_dictionaries({}, optional=words)


SCHEMAS = st.recursive(st.fixed_dictionaries({}, optional=LEAVES), with_inner, max_leaves=5)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 4), st.sampled_from([0.0, 1.0, 1.5, -2.5]), st.sampled_from(["", "a", "ab", "cab", "é"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


@given(SCHEMAS, VALUES)
def test_the_quick_check_and_jsonschema_agree(schema, value):
    check = quick_check(schema)
    assert check is not None
    assert jsonschema.Draft202012Validator(schema).is_valid(value) == check(value)


@pytest.mark.parametrize(
    "schema",
    [False, {"not": {}}, {"oneOf": [{}]}, {"const": 1}, {"enum": [1]}, {"properties": {"a": {"uniqueItems": True}}},
     {"$ref": "#/$defs/a", "$defs": {"a": {}}}, {"items": {"multipleOf": 2}}],
    ids=str,
)  # fmt: skip
def test_schema_with_another_word_is_left_to_jsonschema(schema):
    assert quick_check(schema) is None


def test_file_is_a_text_of_format_binary_where_files_are_taken():
    check = quick_check({"type": ["string", "null"], "format": "binary"}, takes_files=True)
    assert [True, True, False, False] == [check(value) for value in (b"a", None, "a", 1)]


def test_reference_is_followed_where_a_resolver_is_given_also_back_to_itself():
    tree = {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "additionalProperties": False}  # fmt: skip
    resource = DRAFT202012.create_resource({"$defs": {"tree": tree}})
    check = quick_check({"$ref": "#/$defs/tree"}, resolver=Registry().resolver_with_root(resource))

    assert [True, False] == [check({"below": [{"below": [{}]}]}), check({"below": [{"below": [{"a": 1}]}]})]


@pytest.mark.parametrize("name", sorted(_documents()))
def test_the_schemas_of_declarations_use_no_word_beyond(name):
    resolver = Schema({}, _documents())._resolver.lookup(name)
    whole = resolver.contents
    # What a reference leads to is looked at only when a value meets it, so each is asked for by itself.
    parts = {"": whole, **whole.get("$defs", {})}

    assert [] == [place for place, part in parts.items() if quick_check(part, resolver=resolver) is None]


def test_a_reference_to_a_word_beyond_leaves_the_answer_to_jsonschema():
    resource = DRAFT202012.create_resource({"$defs": {"other": {"not": {"type": "string"}}}})
    check = quick_check({"$ref": "#/$defs/other"}, resolver=Registry().resolver_with_root(resource))

    assert [False, False] == [check(1), check("a")]
