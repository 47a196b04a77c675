"""Any schema at all: its types pass the checkers, and admit every value that the schema admits."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.tools.fakes import action, integration
from tests.typed.checkers import module_of, mypy, pyright

WORDS = [
    "a",
    "b",
    "class",
    "created-at",
    "list",
    "str",
    "self",
    "json",
    "_id",
    "__x",
    "model_config",
    "ünï",
    "x y",
    "$ref",
    "",
]
names = st.sampled_from(WORDS)
scalars = st.sampled_from([None, True, False, 0, 1, -3, 1.5, "", "a", "it's", 'say "x"', "\\n", "é\u2028"])
references = st.sampled_from(["#/$defs/one", "#/$defs/two", "#/$defs/three"]).map(lambda to: {"$ref": to})
leaves = st.one_of(
    references,
    st.sampled_from(
        [{}, True, {"type": "string", "format": "binary"}, {"type": ["string", "null"], "pattern": "^a"}]
    ),
    st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]).map(
        lambda kind: {"type": kind}
    ),
    st.lists(scalars, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    scalars.map(lambda value: {"const": value}),
    st.integers(0, 9).map(
        lambda number: {"type": "integer", "minimum": number, "description": 'At least\n\n so \\ """ much.'}
    ),
)


def wider(inner):
    lists = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(names, inner, min_size=1, max_size=4)},
        optional={"required": st.lists(names, max_size=3, unique=True), "additionalProperties": inner},
    )
    return st.one_of(
        objects,
        inner.map(lambda item: {"type": "array", "items": item}),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
        lists.map(lambda items: {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}),
        lists.map(lambda branches: {"anyOf": branches}),
        lists.map(lambda branches: {"oneOf": branches}),
        lists.map(lambda parts: {"allOf": parts}),
        st.tuples(objects, inner).map(lambda pair: {**pair[0], "anyOf": [pair[1], {"type": "object"}]}),
        st.tuples(references, objects).map(lambda pair: {**pair[0], **pair[1]}),
        inner.map(lambda schema: {"not": schema, "if": schema, "dependentRequired": {"a": ["b"]}}),
    )


schemas = st.recursive(leaves, wider, max_leaves=6)
# What is referred to is an object, so that no schema is nothing but itself: that says nothing of any value.
targets = schemas.map(lambda schema: {"type": "object", "properties": {"a": schema, "class": schema}})
documents = st.tuples(schemas, targets, targets, targets).map(
    lambda four: {"allOf": [four[0]], "$defs": {"one": four[1], "two": four[2], "three": four[3]}}
)
# The same schemas every time: what a commit breaks shows with that commit.
FIXED = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
FEW = settings(FIXED, max_examples=3)
"""A checker takes seconds, so an example holds many schemas; a failing one names the line, which is small enough."""


def faces_of(found, models):
    actions = {}
    for number, document in enumerate(found):
        whole = {"type": "object", "properties": {"it": document["allOf"][0]}, "$defs": document["$defs"]}
        actions[f"keys-{number}"] = action(whole, output={"schema": document})
        actions[f"one-{number}"] = action(document)
    return module_of({"acme": integration(**actions)}, models)


def written(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("any")
    for models in ("typeddict", "pydantic", "msgspec"):
        (folder / f"any_{models}.py").write_text(faces_of(found, models), "utf-8")
    return folder


@FEW
@given(found=st.lists(documents, min_size=12, max_size=12))
def test_the_types_of_any_schemas_pass_mypy(tmp_path_factory, found):
    folder = written(tmp_path_factory, found)
    assert "" == mypy(*sorted(folder.glob("*.py")))


@pytest.mark.server
@FEW
@given(found=st.lists(documents, min_size=12, max_size=12))
def test_the_types_of_any_schemas_pass_pyright(tmp_path_factory, found):
    assert [] == pyright(written(tmp_path_factory, found))


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=6,
)


@settings(FIXED, max_examples=40)
@given(
    document=documents,
    tried=st.lists(values, min_size=20, max_size=20),
    models=st.sampled_from(["pydantic", "msgspec"]),
)
def test_models_admit_what_the_schema_admits(tmp_path_factory, document, tried, models):
    path = tmp_path_factory.mktemp("model") / "model_under_test.py"
    path.write_text(
        module_of({"acme": integration(get=action(request={"path": "a"}, output={"schema": document}))}, models),
        "utf-8",
    )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    face = module.Acme(Answering(), "user-1")
    for value in tried:
        if admits(document, value):
            Answering.answer = value
            face.get()


def admits(document, value):
    try:
        return Draft202012Validator(document).is_valid(value)
    except RecursionError:  # a schema that is nothing but itself
        return False


class Answering:
    """Stand where an engine stands, and give a value that is known to keep the schema."""

    answer = None

    def trigger_action(self, *_words, **_options):
        return self.answer
