"""Whatever a schema admits comes through a request as it was given; nothing else is sent."""

from __future__ import annotations

import json
import math
from urllib.parse import parse_qsl, unquote

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py import InputError
from tests.actions.declared import Sent, load

FIELDS = {
    "text": {"type": ["string", "null"], "maxLength": 20},
    "number": {"type": ["number", "null"], "minimum": -1e6, "maximum": 1e6},
    "count": {"type": ["integer", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "kind": {"enum": ["wren", "tit", None]},
    "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
    "word": {"type": "string", "pattern": "^[a-z]+$"},
}
SCHEMA = {"type": "object", "properties": FIELDS, "required": ["word"], "additionalProperties": False}
NAMES = list(FIELDS)
QUERY = {name: f"${{input.{name}}}" for name in NAMES}
HEADERS = {f"X-{name}": f"${{input.{name}}}" for name in ("number", "count", "flag", "kind", "word")}
ACTION = {
    "input": SCHEMA,
    "request": {"method": "POST", "path": "birds/${input.word}", "params": QUERY, "headers": HEADERS},
}
PLACES = {
    "json": {**ACTION, "request": {**ACTION["request"], "json": {"bird": QUERY}}},
    "form": {**ACTION, "request": {**ACTION["request"], "form": QUERY}},
    "graphql": {**ACTION, "request": {**ACTION["request"], "graphql": {"query": "query { a }", "variables": QUERY}}},
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ADMITTED = st.fixed_dictionaries(
    {"word": st.from_regex(r"[a-z]{1,10}", fullmatch=True)},
    optional={
        "text": st.none() | TEXT,
        "number": st.none() | st.floats(-1e6, 1e6) | st.integers(-1000, 1000),
        "count": st.none() | st.integers(),
        "flag": st.none() | st.booleans(),
        "kind": st.sampled_from(["wren", "tit", None]),
        "ids": st.lists(st.integers(), max_size=3),
    },
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
ANY_INPUT = st.dictionaries(st.sampled_from([*NAMES, "other", "limit"]), ANYTHING, max_size=5)


def text_of(value):
    return json.dumps(value) if isinstance(value, bool) else str(value)


def pairs_of(given):
    """Return what a query or form has to hold: nulls and empty texts dropped, scalars as text, lists repeated."""
    for name in NAMES:
        value = given.get(name)
        for item in value if isinstance(value, list) else [value]:
            if item not in (None, ""):
                yield name, text_of(item)


def body_of(given):
    return {name: given[name] for name in NAMES if name in given and given[name] not in (None, "")}


@pytest.mark.parametrize("place", PLACES)
def test_what_the_schema_admits_comes_back_from_the_request(place):
    sent = Sent()
    with load(PLACES[place], sent) as nango:

        @settings(max_examples=150)
        @given(ADMITTED)
        def check(given):
            sent.requests.clear()
            nango.trigger_action("birds", "act", "u", given)
            request = sent.request
            assert list(pairs_of(given)) == parse_qsl(request.url.query.decode(), keep_blank_values=True)
            assert f"/v1/birds/{given['word']}" == unquote(request.url.raw_path.decode().partition("?")[0])
            for header in HEADERS:
                value = given.get(header.removeprefix("X-"))
                assert (None if value is None else text_of(value)) == request.headers.get(header)
            if place == "form":
                assert list(pairs_of(given)) == parse_qsl(request.content.decode())
            elif place == "json":
                assert {"bird": body_of(given)} == json.loads(request.content)
            else:
                assert body_of(given) == json.loads(request.content)["variables"]

        check()


def is_plain(value):
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return all(is_plain(item) for pair in value.items() for item in pair)
    return all(map(is_plain, value)) if isinstance(value, list) else not isinstance(value, bytes)


def test_everything_else_is_an_input_error_with_its_place_and_nothing_is_sent():
    sent = Sent()
    with load(PLACES["json"], sent) as nango:

        @settings(max_examples=400)
        @given(ANY_INPUT)
        def check(given):
            sent.requests.clear()
            errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(given))
            if not errors and is_plain(given):
                return
            with pytest.raises(InputError) as caught:
                nango.trigger_action("birds", "act", "u", given)
            assert [] == sent.requests
            unknown = [name for name in given if name not in FIELDS]
            wrong = {f"/{error.path[0]}" for error in errors if error.path} | {f"/{name}" for name in unknown}
            assert all(place in str(caught.value) for place in wrong)
            assert wrong or "word" in str(caught.value) or any(f"/{name}" in str(caught.value) for name in given)

        check()
