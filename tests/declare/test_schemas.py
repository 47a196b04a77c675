"""The published schemas teach: every key has a description and an example, and the defaults are those of the engine."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from nango_py.auth import SCHEMES
from nango_py.declare.schema import SCHEMAS, load_schema
from nango_py.field import Field
from nango_py.model import GraphQL, Network, Output, Raw, Requests, Timeouts, Verification
from nango_py.policy.breaker import CircuitBreaker
from nango_py.policy.pagination import Pagination
from nango_py.policy.rate_limit_rule import RateLimit
from nango_py.policy.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = sorted(path.relative_to(SCHEMAS).as_posix() for path in SCHEMAS.rglob("*.schema.json"))
BASE = "https://nango-py.invalid/schemas/v0/"


def keys_of(schema: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key that a schema declares, at any depth, with its own schema."""
    if not isinstance(schema, dict):
        return
    for name, key in schema.get("properties", {}).items():
        yield f"{pointer}/properties/{name}", key
        yield from keys_of(key, f"{pointer}/properties/{name}")
    for name, part in schema.get("$defs", {}).items():
        yield from keys_of(part, f"{pointer}/$defs/{name}")
    for word in ("items", "additionalProperties"):
        yield from keys_of(schema.get(word), f"{pointer}/{word}")


KEYS = [(name, pointer, key) for name in NAMES for pointer, key in keys_of(load_schema(name))]


@cache
def registry() -> Registry:
    return Registry().with_resources((BASE + name, Resource.from_contents(load_schema(name))) for name in NAMES)


def test_every_schema_has_an_id_with_its_version():
    assert [BASE + name for name in NAMES] == [load_schema(name)["$id"] for name in NAMES]


def test_every_key_is_described():
    described = [(name, pointer) for name, pointer, key in KEYS if key.get("description") or "$ref" in key]

    assert [(name, pointer) for name, pointer, _ in KEYS] == described


def test_every_definition_that_a_key_refers_to_is_described():
    definitions = load_schema("blueprint.schema.json")["$defs"] | load_schema("integrations.schema.json")["$defs"]

    assert [] == [name for name, part in definitions.items() if not part.get("description")]


def test_every_key_has_an_example_or_lists_its_values():
    def teaches(key: dict[str, Any]) -> bool:
        is_listed = "enum" in key or key.get("type") == "boolean" or "properties" in key or "$ref" in key
        return bool(key.get("examples")) or is_listed

    assert [] == [(name, pointer) for name, pointer, key in KEYS if not teaches(key)]


def test_every_example_and_every_default_keeps_its_schema():
    wrong = []
    for name, pointer, key in KEYS:
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"{BASE}{name}#{pointer}"}
        validator = Draft202012Validator(schema, registry=registry())
        given = [*key.get("examples", ()), *([key["default"]] if "default" in key else [])]
        wrong += [(name, pointer, value) for value in given if not validator.is_valid(value)]

    assert [] == wrong


SCALARS = (bool, int, float, str)
DEFINED = {
    "circuit_breaker": CircuitBreaker,
    "field": Field,
    "graphql": GraphQL,
    "network": Network,
    "output": Output,
    "pagination": Pagination,
    "rate_limit": RateLimit,
    "raw": Raw,
    "requests": Requests,
    "retry": RetryPolicy,
    "timeouts": Timeouts,
    "verification": Verification,
}
OTHERWISE = {
    "field.description": "an empty text is no description",
    "field.example": "an empty text is no example",
    "field.prefix": "an empty text is no prefix",
    "field.suffix": "an empty text is no suffix",
    "field.title": "an empty text is no title",
    "timeouts.total": "None is no limit, which people write as 0",
}
TEMPLATES = {"role_session_name", "value"}


def defaults_of(kind: type) -> dict[str, Any]:
    fields = {field.name: field.default for field in dataclasses.fields(kind)}
    return {name: value for name, value in fields.items() if isinstance(value, SCALARS)}


@pytest.mark.parametrize("definition", ["action", "step"])
def test_an_actions_own_pagination_has_the_keys_of_the_common_one(definition):
    definitions = load_schema("blueprint.schema.json")["$defs"]
    own = definitions[definition]["properties"]["paginate"]["properties"]

    assert definitions["pagination"]["properties"] == own


@pytest.mark.parametrize("definition", DEFINED)
def test_the_default_of_a_key_is_the_one_of_the_engine(definition):
    keys = load_schema("blueprint.schema.json")["$defs"][definition]["properties"]
    told = {name: key["default"] for name, key in keys.items() if "default" in key}
    engine = defaults_of(DEFINED[definition])

    assert {} == {
        name: (told.get(name), engine.get(name))
        for name in {*told, *engine}
        if f"{definition}.{name}" not in OTHERWISE and told.get(name) != engine.get(name)
    }


@pytest.mark.parametrize("mode", sorted(SCHEMES))
def test_the_default_of_a_key_of_auth_is_the_one_of_its_scheme(mode):
    keys = load_schema(f"auth/{mode.lower()}.schema.json")["properties"]
    # A template has no default to hold: it is parsed where it is used.
    told = {name: key["default"] for name, key in keys.items() if "default" in key and name not in TEMPLATES}

    assert defaults_of(SCHEMES[mode]) == told
