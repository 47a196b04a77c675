"""Schemas as types: each keyword, in words that two checkers agree with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tools.fakes import action, integration
from tests.typed.checkers import ROOT, module_of, mypy, pyright


def types_of(schema, models="typeddict"):
    """Return what is written for an output schema, without the faces."""
    text = module_of({"acme": integration(get=action(request={"path": "a"}, output={"schema": schema}))}, models)
    return text.partition("from nango_py.typed import AsyncFace, Face\n")[2].partition("class Acme(Face)")[0].strip()


def returned(schema):
    """Return the type that the method returns, and its docstring."""
    text = module_of({"acme": integration(get=action(request={"path": "a"}, output={"schema": schema}))})
    body = text.partition("    def get(self) -> ")[2].partition("        output: ")[0]
    head, _, about = body.partition(":\n")
    return head, about.strip().strip('"').partition("Run the action get.")[2].strip()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "str"),
        ({"type": "number"}, "float"),
        ({"type": ["integer", "null"]}, "int | None"),
        ({"type": "array", "items": {"type": "boolean"}}, "list[bool]"),
        ({"type": "array"}, "list[Any]"),
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"enum": ["b", "a", None, 3, True]}, "Literal['b', 'a', None, 3, True]".replace("'", '"')),
        ({"type": "string", "enum": ["a", 1]}, 'Literal["a"]'),
        ({"const": "it's"}, 'Literal["it\'s"]'),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "str | list[str]"),
        ({"oneOf": [{"const": "a"}, {"type": "string"}]}, "str"),
        ({"allOf": [{"type": ["string", "integer"]}, {"type": ["integer", "null"]}]}, "int"),
        ({"type": "string", "format": "binary"}, "bytes"),
        (
            {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "integer"}],
                "items": False,
                "minItems": 2,
            },
            "tuple[str, int]",
        ),
        ({"$ref": "#/$defs/id", "$defs": {"id": {"type": "integer"}}}, "int"),
        (
            {"type": "array", "items": {"allOf": [{"$ref": "#/$defs/a"}]}, "$defs": {"a": {"type": "null"}}},
            "list[None]",
        ),
        ({}, "Any"),
    ],
)
def test_a_schema_becomes_a_type(schema, expected):
    assert expected == returned(schema)[0]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "pattern": "^a", "minLength": 2}, 'pattern "^a"; minLength 2'),
        (
            {"type": "number", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
            "minimum 1; exclusiveMaximum 9; multipleOf 2",
        ),
        ({"type": "string", "format": "email"}, 'format "email"'),
        ({"not": {"type": "string"}}, 'not {"type": "string"}'),
        ({"if": {"type": "string"}, "then": {"minLength": 1}}, 'if {"type": "string"}; then {"minLength": 1}'),
        (
            {"type": "array", "items": {"type": "string", "maxLength": 3}, "uniqueItems": True},
            "item: maxLength 3; uniqueItems true",
        ),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, 'prefixItems [{"type": "string"}]'),
        ({"enum": [1.5, [1]]}, "enum [1.5, [1]]"),
        (
            {"oneOf": [{"type": "string", "pattern": "a"}, {"type": "string"}]},
            'pattern "a"; oneOf: exactly one of the forms',
        ),
        ({"allOf": [{"minimum": 1}, {"minimum": 2}], "type": "integer"}, "minimum 2; minimum 1"),
        ({"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False}, ""),
    ],
)
def test_what_no_type_can_say_is_listed(schema, expected):
    about = " ".join(returned(schema)[1].split())
    assert about == (f"What the type of the output does not say: {expected}." if expected else about)


def test_an_object_becomes_a_typed_dict_with_its_words():
    schema = {
        "type": "object",
        "description": "Somebody.",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "description": "Whose?", "pattern": "^u"},
            "tags": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        },
        "minProperties": 1,
    }
    assert '''\
class AcmeGetOutput(TypedDict):
    """Somebody."""

    id: str
    """Whose? Not in the type: pattern "^u"."""
    tags: NotRequired[list[AcmeGetOutputTagsItem]]


class AcmeGetOutputTagsItem(TypedDict):
    a: NotRequired[str]''' == types_of(schema)


def test_keys_that_are_no_names_make_a_functional_typed_dict():
    keys = {"class": {"type": "string"}, "created-at": {"type": "integer", "minimum": 0}, "__x": {"type": "null"}}
    assert """\
AcmeGetOutput = TypedDict(
    "AcmeGetOutput",
    {
        "class": "str",
        # Not in the type: minimum 0.
        "created-at": "NotRequired[int]",
        "__x": "NotRequired[None]",
    },
)""" == types_of({"type": "object", "properties": keys, "required": ["class"]})


TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "any": {"$ref": "#/$defs/json"},
            },
        },
        "json": {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"$ref": "#/$defs/json"}}]},
    },
}


def test_a_schema_may_contain_itself():
    assert """\
AcmeGetOutputJson: TypeAlias = "str | list[AcmeGetOutputJson] | None"


class AcmeGetOutput(TypedDict):
    kids: NotRequired[list[AcmeGetOutput]]
    any: NotRequired[AcmeGetOutputJson]""" == types_of(TREE)


def test_all_of_merges_objects():
    both = {
        "allOf": [
            {"$ref": "#/$defs/base"},
            {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ],
        "$defs": {"base": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
    }
    assert "class AcmeGetOutput(TypedDict):\n    a: str\n    b: int" == types_of(both)


def test_an_input_becomes_keyword_arguments_required_ones_first():
    schema = {
        "type": "object",
        "properties": {
            "note": {"type": "string"},
            "from": {"type": ["string", "null"]},
            "name": {"type": "string"},
            "list": {"type": "array", "items": {"type": "string"}},
            "file": {"type": "string", "format": "binary"},
        },
        "required": ["name"],
        "additionalProperties": {"type": "integer"},
    }
    text = module_of({"acme": integration(send=action(schema))})

    assert (
        """\
    def send(
        self,
        *,
        name: str,
        note: str | None = None,
        from_: str | None | Omitted = OMITTED,
        list_: list[str] | None = None,
        file: File | None = None,
        **others: int,
    ) -> Any:
"""
        in text
    )
    assert (
        """\
            {
                "name": name,
                "from": from_,
                **others,
            },
            {
                "note": note,
                "list": list_,
                "file": file,
            },
"""
        in text
    )


ODD = {
    "auth": {"auth_mode": "NONE"},
    "requests": {"base_url": "https://api.acme.example/"},
    "actions": {
        "list": action({"type": "object", "properties": {"self": {"type": "string"}, "output": {"type": "array"}}}),
        "with-options": action(),
        "with_options": action({"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"type": "object", "properties": {"b": {"type": "integer"}}}]}),
        "class": action(request={"path": "a"}, output={"schema": TREE}),
        "2-fast": action({"type": "object"}, description='Says """quoted""" things\\ about C:\\new, "in the end"'),
        "walk": action(
            {"type": "object", "properties": {"item": {"type": "string"}, "limit": {"type": "integer"}}},
            request={"path": "a"},
            paginate={"type": "page", "page_name_in_request": "p"},
            output={"schema": {"type": "object", "properties": {"str": {"type": "string"}, "n": {"type": "string"}}}},
        ),
        "tuple": action(
            {"type": "object", "properties": {"at": {"type": "array", "prefixItems": [{"type": "number"}] * 2, "items": False, "minItems": 2}}},
            request={"path": "a"},
            output={"schema": {"type": "object", "properties": {"kind": {"enum": ["a", 1, True, None]}, "x": {"anyOf": [TREE["$defs"]["node"] | {"properties": {}}, {"type": "object", "required": ["z"]}]}, "json": {"type": "string"}, "_id": {"type": "string"}, "model_config": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}}, "copy": {"type": "boolean"}}}},
        ),
    },
}  # fmt: skip
EVERY = {"typeddict", "pydantic", "msgspec"}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    for models in sorted(EVERY):
        (folder / f"odd_{models}.py").write_text(module_of({"acme": ODD, "any": ODD}, models), "utf-8")
    return folder


def test_odd_names_pass_mypy_and_can_be_imported(odd):
    assert "" == mypy(*sorted(odd.glob("*.py")))
    code = "import odd_typeddict, odd_pydantic, odd_msgspec"
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=odd, check=True)


@pytest.mark.server
def test_odd_names_pass_pyright(odd):
    assert [] == pyright(odd)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Every built-in blueprint as generated modules, one for each kind of models."""
    folder = tmp_path_factory.mktemp("catalogue")
    newest = {path.stem: {"extends_blueprint": path.stem} for path in sorted((ROOT / "blueprints").glob("*.yaml"))}
    for models in sorted(EVERY):
        (folder / f"faces_{models}.py").write_text(catalogue_module(newest, models), "utf-8")
    return folder


def catalogue_module(integrations, models):
    from nango_py import Nango
    from nango_py.typed.module import write_module
    from tests.typed.checkers import faces

    return write_module(faces(Nango.load({"integrations": integrations}, store="memory://", environ={})), models)


def test_the_faces_of_every_blueprint_pass_mypy_and_can_be_imported(catalogue):
    assert "" == mypy(*sorted(catalogue.glob("*.py")))
    code = "import faces_typeddict, faces_pydantic, faces_msgspec"
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=catalogue, check=True)


@pytest.mark.server
def test_the_faces_of_every_blueprint_pass_pyright(catalogue):
    assert [] == pyright(catalogue)
