"""Schemas at a glance: what is taken for sound is sound, and sound files do not pay for jsonschema."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nango_py.json_schema import Schema

WORDS = st.sampled_from(
    [
        "type", "properties", "items", "additionalProperties", "required", "enum", "const", "pattern", "minLength",
        "maxProperties", "minimum", "anyOf", "allOf", "title", "examples", "default", "format", "$ref", "not",
    ]
)  # fmt: skip
PIECES = st.sampled_from(
    ["string", "object", "a", ["string"], [], ["a"], {}, {"a": {}}, True, None, 3, -3, 1.5, [{}]]
)
SCHEMAS = st.recursive(
    PIECES, lambda inner: st.dictionaries(WORDS, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=6
)


@given(SCHEMAS)
def test_a_schema_without_a_flaw_is_sound(document):
    if isinstance(document, dict) and "$ref" not in str(document):
        meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
        assert meta.is_valid(document) == (not list(Schema(document).flaws()))


@pytest.mark.parametrize("key", ["close:v0", "hubspot:v0", "zoho-crm:v0"])
def test_a_sound_blueprint_is_loaded_without_jsonschema(key):
    program = (
        "import sys; from nango_py import Nango\n"
        f"nango = Nango.load({{'integrations': {{'it': {{'extends_blueprint': {key!r}, 'oauth_client_id': 'i',"
        " 'oauth_client_secret': 's'}}}, store='memory://', environ={})\n"
        "assert nango.problems == (), nango.problems\n"
        "print('jsonschema' in sys.modules, 'referencing' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "False False" == done.stdout.strip()


@pytest.mark.parametrize(
    ("document", "flaw"),
    [
        ({"$ref": "#"}, "back to itself"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{}, {"$ref": "#"}]}}}, "back to itself"),
        ({"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"dependentSchemas": {"b": {"$ref": "#/items"}}}}}, "back to itself"),
        ({"$ref": "#/$defs/0", "$defs": {str(n): {"$ref": f"#/$defs/{n + 1}"} for n in range(2000)}}, "too many in a row"),
        ({"$dynamicRef": "#gone"}, "leads nowhere"),
        ({"properties": {"a": {"$id": "http://other/", "$ref": "#/properties"}}}, "leads nowhere"),
        ({"$ref": "#/x-a", "x-a": {"type": "text"}}, "leads nowhere"),
        ({"$ref": "#/title", "title": "no schema"}, "leads nowhere"),
        ({"$ref": "#/x-a", "x-a": {"$ref": "#/x-gone"}}, "'#/x-gone' leads nowhere"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_reference_that_ends_in_an_exception_when_it_is_followed_is_a_flaw(document, flaw):
    assert flaw in next(Schema(document).flaws(), "")


@pytest.mark.parametrize(
    "document",
    [
        {"items": {"$ref": "#"}},
        {"$id": "http://a/", "$ref": "b", "$defs": {"b": {"$id": "b", "items": {"$ref": "#"}}}},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": True}},
        {"$dynamicAnchor": "node", "properties": {"below": {"$dynamicRef": "#node"}}},
    ],
    ids=str,
)
def test_a_reference_to_what_stands_around_it_is_sound_where_a_step_leads_there(document):
    assert [] == list(Schema(document).flaws())


def test_a_value_too_deep_or_too_large_to_be_checked_breaks_its_schema():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert ["the value is nested too deeply to be checked."] == [str(found) for found in Schema({"items": {"$ref": "#"}}).violations(deep)]  # fmt: skip
    assert ["the value holds too large a number to be checked."] == [str(found) for found in Schema({"multipleOf": 0.1}).violations(10**400)]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        {"patternProperties": {"^a": {}}},
        {"patternProperties": {"a$": {}}, "additionalProperties": False},
        {"not": {}},
    ],
    ids=str,
)
def test_a_key_that_is_no_text_breaks_a_schema_where_names_are_looked_at(words):
    found = [str(one) for one in Schema({"properties": {"a": words}, "required": ["b"]}).violations({"a": {1: 2}})]

    assert ["/a: a key of 'a' is no text."] == found


def test_a_deep_value_that_fits_is_not_too_deep():
    deep = []
    for _ in range(600):
        deep = [deep]

    assert [] == list(Schema({"type": "array", "uniqueItems": True}).violations(deep))
