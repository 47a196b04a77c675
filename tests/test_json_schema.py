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
