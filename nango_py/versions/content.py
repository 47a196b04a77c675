"""A blueprint version as data: what it and its ancestors declare, laid over each other, in one canonical form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.auth import SPELLINGS
from nango_py.declare.catalogue import Catalogue, read_written
from nango_py.declare.merge import merge
from nango_py.declare.resolve import resolve
from nango_py.declare.schema import load_schema
from nango_py.errors import ConfigError, UsageError
from nango_py.location import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nango_py.declare.resolve import Chain
    from nango_py.model import UsedBlueprint

__all__ = ["Content", "canonical", "content_of", "digest", "find", "text_of"]

_COMMAND_LINE = Location(source="<command line>")
_UNSEEN = frozenset({"comment", "example", "extends_blueprint"})
"""Keys of a version or an action that no program of a user sees."""
_ORDERED = frozenset({"authorization_url_replacements", "cost", "refresh_token_params", "token_params"})
"""Mappings whose order says something: patterns of which the first that fits counts, elements of an XML body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a blueprint version declares, its ancestors included, in canonical form."""

    key: str
    data: Mapping[str, Any]
    locate: Callable[[str], Location]
    """Say where the value at a JSON pointer into ``data`` was written."""
    blueprints: tuple[UsedBlueprint, ...] = ()
    """The chain that it is made of, outermost ancestor first."""


def find(written: str, blueprints: Sequence[str | Path] = ()) -> Content:
    """Return the version that *written* names: ``close:v0``, ``close.yaml:v0``, or either without a version.

    Raises:
        UsageError: There is none.
        ConfigError: It is broken.
    """
    key, folders = read_written(written)
    catalogue = Catalogue(folders=(*folders, *map(Path, blueprints)))
    chain = resolve(key, catalogue, _COMMAND_LINE, pinned=False)
    try:
        return content_of(chain, key, _COMMAND_LINE)
    except ConfigError as error:
        if any(problem.location != _COMMAND_LINE for problem in error.problems):
            raise
        said = (f"{problem.message} {problem.hint}".rstrip() for problem in error.problems)
        raise UsageError(" ".join(said)) from None


def content_of(chain: Chain, written: str, location: Location) -> Content:
    """Return what a *chain* of blueprints declares together; the key *written* at *location* led to it.

    Raises:
        ConfigError: A blueprint of it is broken, or there is none.
    """
    errors = tuple(problem for problem in chain.problems if problem.severity == "error")
    if errors or not chain.blueprints:
        raise ConfigError(errors or _no_key(written, location))
    merged = merge(tuple(chain.layers))
    here = chain.layers[-1].document.locate(chain.layers[-1].pointer)
    return Content(
        key=chain.blueprints[-1].key,
        data=canonical(merged.data),
        locate=lambda pointer: merged.locate(pointer) or here,
        blueprints=tuple(chain.blueprints),
    )


def canonical(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a version that a program of a user can see, sorted where their order says nothing."""
    schema = {"$ref": "#/$defs/version"}
    return dict(_members({name: value for name, value in data.items() if name not in _UNSEEN}, schema))


def digest(data: Any) -> str:
    """Return the SHA-256 of canonical *data*, in hexadecimal digits."""
    return sha256(text_of(data).encode()).hexdigest()


def text_of(data: Any) -> str:
    """Return canonical *data* as one line of JSON: two values are the same where these texts are."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _members(data: Mapping[str, Any], schema: Any, *, ordered: bool = False) -> Iterator[tuple[str, Any]]:
    schema = _chosen(schema, data)
    known, of_others = schema.get("properties", {}), schema.get("additionalProperties", {})
    ignores = "^x-" in schema.get("patternProperties", {})
    for name in data if ordered else sorted(data):
        if not (ignores and name.startswith("x-")):
            inner = known.get(name, of_others)
            yield name, _value(data[name], inner, ordered=ordered or (name in _ORDERED and name in known))


def _value(value: Any, schema: Any, *, ordered: bool) -> Any:
    if isinstance(value, Mapping):
        is_action = isinstance(schema, Mapping) and schema.get("$ref", "").endswith("/action")
        seen = {name: item for name, item in value.items() if not (is_action and name in _UNSEEN)}
        return dict(_members(seen, schema, ordered=ordered))
    if isinstance(value, list):
        items = schema.get("items", {}) if isinstance(schema, Mapping) else {}
        return [_value(item, items, ordered=ordered) for item in value]
    return value


def _chosen(schema: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the published schema that *data* keeps, with its references followed."""
    if not isinstance(schema, Mapping):
        return {}
    reference = schema.get("$ref", "")
    if "#/$defs/" in reference:
        schema = load_schema("blueprint.schema.json")["$defs"][reference.rpartition("/")[2]]
    if "auth_mode" in schema.get("properties", {}):
        mode = data.get("auth_mode")
        name = SPELLINGS.get(mode, mode) if isinstance(mode, str) else None
        return load_schema(f"auth/{name.lower()}.schema.json") if name else schema
    choices: Any = schema.get("anyOf", ())
    return _chosen(choices[-1], data) if choices else schema


def _no_key(written: str, location: Location) -> Problem:
    return Problem(
        location=location,
        code="blueprint.key",
        message=f"{written!r} is no blueprint key.",
        hint="Write name:version, such as close:v0, or file:version, such as blueprints/close.yaml:v0.",
        pointer=location.pointer,
    )
