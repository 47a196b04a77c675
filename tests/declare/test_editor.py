"""The schemas for editors: one document each, which agrees with what the engine says of a file."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from nango_py.declare.catalogue import built_in_folder
from nango_py.declare.editor import KINDS, editor_schema, modeline, write_schemas
from nango_py.declare.schema import check_blueprint
from nango_py.yaml_text import parse

if TYPE_CHECKING:
    from pathlib import Path

    from nango_py.declare.editor import Kind


@cache
def validator(kind: Kind) -> Draft202012Validator:
    schema = json.loads(editor_schema(kind))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(kind: Kind, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(document)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_refers_to_nothing_outside_of_itself(kind):
    text = editor_schema(kind)
    schema = json.loads(text)
    names = {f"#/$defs/{name}" for name in schema["$defs"]}

    def references(part: Any):
        if isinstance(part, dict):
            yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    assert set(references(schema)) == names
    assert 1 == text.count('"$id"')


@pytest.mark.parametrize("path", sorted(built_in_folder().glob("*.yaml"))[::4], ids=lambda path: path.stem)
def test_no_blueprint_of_ours_is_marked(path):
    document = parse(path.read_text("utf-8"), path.name)
    checked = [problem for version in document.data["versions"] for problem in check_blueprint(document, version)]

    assert [] == checked
    assert [] == errors("blueprint", document.data)


@pytest.mark.parametrize(
    "keys",
    [
        {"extends_blueprint": "close:v0"},
        {"extends_blueprint": "close:v0", "pagination": {"limit": 20}, "auth": {"placement": "none"}},
        {"extends_blueprint": "close:v0", "pagination": None, "retry": {"after": None}, "log_level": None},
        {"extends_blueprint": "close:v0", "http_request_timeout_seconds": "${env.TIMEOUT}"},
        {"auth": {"auth_mode": "API_KEY", "name": "X-Key"}, "requests": {"base_url": "https://api.example.com/"}},
    ],
)
def test_what_the_engine_takes_is_not_marked(keys):
    assert [] == errors("integrations", {"integrations": {"it": keys}})


@pytest.mark.parametrize(
    ("keys", "marked"),
    [
        ({"requests": {"base_url": "https://api.example.com/"}}, "'auth' is a required property"),
        ({"auth": {"auth_mode": "API_KEY"}, "requests": {}}, "'base_url' is a required property"),
        ({"extends_blueprint": "close:v0", "retry": {"max_atempts": 2}}, "'max_atempts' does not match"),
        ({"extends_blueprint": "close:v0", "retry": {"max_attempts": "many"}}, "'many' does not match"),
        (
            {"extends_blueprint": "close:v0", "auth": {"auth_mode": "BASIC", "token_url": "x"}},
            "'token_url' does not match",
        ),
    ],
)
def test_what_the_engine_refuses_is_marked(keys, marked):
    found = errors("integrations", {"integrations": {"it": keys}})

    assert [True] == [marked in error for error in found]


def test_blueprints_at_hand_are_suggested_newest_first(tmp_path: Path):
    (tmp_path / "acme.yaml").write_text("name: acme\nversions:\n  v9: {}\n  v10: {}\n", "utf-8")
    schema = json.loads(editor_schema("integrations", (tmp_path,)))
    suggested = [
        one["body"] for one in schema["$defs"]["integration"]["properties"]["extends_blueprint"]["defaultSnippets"]
    ]

    assert ["acme:v10", "acme:v9"] == suggested[:2]
    assert {"close:v0", "airtable:v0"} <= set(suggested)


def test_schemas_are_written_beside_the_integrations_and_kept_out_of_version_control(tmp_path: Path):
    paths = write_schemas(tmp_path)

    assert ["integrations.schema.json", "blueprint.schema.json"] == [path.name for path in paths]
    assert [editor_schema(kind) for kind in KINDS] == [path.read_text("utf-8") for path in paths]
    assert "*\n" == (tmp_path / ".nango" / ".gitignore").read_text("utf-8")
    assert "# yaml-language-server: $schema=.nango/schemas/integrations.schema.json" == modeline(
        "integrations", tmp_path / "integrations.yaml", tmp_path
    )
    assert "# yaml-language-server: $schema=../.nango/schemas/blueprint.schema.json" == modeline(
        "blueprint", tmp_path / "blueprints" / "acme.yaml", tmp_path
    )
