"""Released versions stand still: from 1.0 on they may gain actions, and nothing else that users build on changes.

A freeze file lists, for each released version, a digest of its auth, credentials, connection config, requests and of
each action. Retries, limits and pagination follow the provider, and words for people are free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.versions.content import digest
from nango_py.versions.schemas import NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Frozen", "broken", "freeze", "frozen_text"]

Frozen = Mapping[str, Mapping[str, Any]]
"""By version key: the digest of each part, and under ``actions`` those of the actions."""

_PARTS = ("auth", "credentials", "connection_config", "requests")
_DIGITS = 32
_HEAD = """\
# What released versions of blueprints must not change: their auth, fields, requests and existing actions.
# Written by `make freeze`, which adds and never replaces; tests/catalogue/test_frozen.py compares.
"""


def freeze(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digests of a version's content, to be kept once it is released."""
    parts = {name: _short(_part(name, data[name])) for name in _PARTS if name in data}
    actions = {name: _short(_action(keys)) for name, keys in data.get("actions", {}).items()}
    return {**parts, "actions": actions} if actions else parts


def broken(frozen: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a version has changed though it is *frozen*."""
    now = freeze(data)
    for name in _PARTS:
        if frozen.get(name) != now.get(name):
            yield name
    actions = now.get("actions", {})
    yield from (f"actions.{name}" for name, was in frozen.get("actions", {}).items() if actions.get(name) != was)


def frozen_text(frozen: Frozen) -> str:
    """Return the text of a freeze file, YAML with one digest a line."""
    return _HEAD + ("".join(_lines(frozen)) or "{}\n")


def _lines(frozen: Frozen) -> Iterator[str]:
    for key in sorted(frozen):
        yield f'"{key}":\n'
        parts = frozen[key]
        yield from (f"  {name}: {parts[name]}\n" for name in _PARTS if name in parts)
        if parts.get("actions"):
            yield "  actions:\n"
            yield from (f"    {name}: {parts['actions'][name]}\n" for name in sorted(parts["actions"]))


def _short(data: Any) -> str:
    return digest(data)[:_DIGITS]


def _part(name: str, data: Mapping[str, Any]) -> Any:
    if name not in ("credentials", "connection_config"):
        return data
    return {field: _without_words(keys) for field, keys in data.items()}


def _action(keys: Mapping[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in keys.items() if name != "description"}
    if "input" in bare:
        bare["input"] = _bare(bare["input"])
    if "schema" in bare.get("output", {}):
        bare["output"] = {**bare["output"], "schema": _bare(bare["output"]["schema"])}
    return bare


def _bare(schema: Any) -> Any:
    """Return a JSON Schema without its words for people."""
    if not isinstance(schema, Mapping):
        return [_bare(inner) for inner in schema] if isinstance(schema, list) else schema
    bare: dict[str, Any] = {}
    for word, value in _without_words(schema).items():
        is_named = word in ("properties", "$defs") and isinstance(value, Mapping)
        bare[word] = {name: _bare(inner) for name, inner in value.items()} if is_named else _bare(value)
    return bare


def _without_words(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if name not in NOTES}
