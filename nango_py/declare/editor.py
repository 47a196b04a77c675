"""The published schemas as editors want them: one file each, for a text that is still being written.

A blueprint or an integration is one layer of several, so here nothing is required that another layer may bring, a
null deletes, and in ``integrations.yaml`` an environment variable may stand for a number.
"""

from __future__ import annotations

import copy
import json
import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from nango_py.declare.catalogue import Catalogue
from nango_py.declare.schema import SCHEMAS, load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "KINDS", "Kind", "editor_schema", "modeline", "write_schemas"]

Kind = Literal["integrations", "blueprint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDER = Path(".nango", "schemas")
"""Where the schemas of a project lie, beside its ``integrations.yaml``; not for version control."""
_FRAGMENTS = {"integrations": ("integration", "defaults"), "blueprint": ("version",)}
_ENVIRONMENT = r"^\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}$"
_VERSION = re.compile(r"^  (v[0-9]+):", re.MULTILINE)
"""A version in a blueprint file as such files are written; this is for suggestions only."""


def editor_schema(kind: Kind, folders: tuple[Path, ...] = ()) -> str:
    """Return the JSON Schema of ``integrations.yaml`` or of a blueprint file, referring to no other file.

    Blueprints at hand, in *folders* too, are suggested for ``extends_blueprint``.
    """
    root = copy.deepcopy(load_schema(f"{kind}.schema.json"))
    definitions = {**copy.deepcopy(load_schema("blueprint.schema.json")["$defs"]), **root["$defs"]}
    for path in sorted((SCHEMAS / "auth").glob("*.schema.json")):
        scheme = copy.deepcopy(load_schema(f"auth/{path.name}"))
        definitions[_auth_name(path.name)] = {k: v for k, v in scheme.items() if not k.startswith("$")}
    schema = {
        **root,
        "$id": root["$id"].replace(f"{kind}.schema", f"editor/{kind}.schema"),
        "$comment": f"Written by nango_py {version('nango-py')}; anew by: nango-py schema --write",
        "$defs": definitions,
    }
    _bundle(schema)
    _loosen(definitions, _FRAGMENTS[kind])
    if kind == "integrations":
        _allow_variables(definitions)
        _require_what_nobody_else_brings(definitions["integration"])
    for part in _parts(schema):
        _word_for_hover(part)
    # Examples would be suggested as well, but shown one below the other to whoever only asks what the key means.
    suggestions = [{"label": key, "body": key} for key in _keys(folders)]
    for name in {"integration", "version"} & definitions.keys():
        definitions[name]["properties"]["extends_blueprint"]["defaultSnippets"] = suggestions
    used = _reachable(schema, definitions)
    schema["$defs"] = {name: part for name, part in definitions.items() if name in used}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write_schemas(project: Path) -> tuple[Path, ...]:
    """Write the schemas for the editors of a *project*, the folder of its ``integrations.yaml``; return their paths.

    Raises:
        OSError: They cannot be written.
    """
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder.parent / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", "utf-8")
    for kind in KINDS:
        _path(project, kind).write_text(editor_schema(kind, (project / "blueprints",)), "utf-8", newline="\n")
    return tuple(_path(project, kind) for kind in KINDS)


def modeline(kind: Kind, file: Path, project: Path) -> str:
    """Return the comment that tells yaml-language-server the schema of *file*, a path relative to that file."""
    target = os.path.relpath(_path(project.resolve(), kind), file.resolve().parent)
    return f"# yaml-language-server: $schema={Path(target).as_posix()}"


def _path(project: Path, kind: Kind) -> Path:
    return project / FOLDER / f"{kind}.schema.json"


def _auth_name(file: str) -> str:
    return f"auth_{file.removesuffix('.schema.json')}"


def _bundle(schema: Any) -> None:
    """Let references lead into this document."""
    for part in _parts(schema):
        reference = part.get("$ref", "")
        if reference.startswith("auth/"):
            part["$ref"] = f"#/$defs/{_auth_name(reference.removeprefix('auth/'))}"
        elif "#" in reference:
            part["$ref"] = f"#{reference.partition('#')[2]}"


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema inside of one, itself first; what is data is passed over."""
    if not isinstance(schema, dict):
        return
    yield schema
    for word in ("properties", "patternProperties", "$defs"):
        for inner in schema.get(word, {}).values():
            yield from _parts(inner)
    for word in ("items", "additionalProperties", "if", "then"):
        yield from _parts(schema.get(word))
    for word in ("allOf", "anyOf"):
        for inner in schema.get(word, ()):
            yield from _parts(inner)


def _loosen(definitions: dict[str, Any], fragments: tuple[str, ...]) -> None:
    """Require nothing, and allow null, wherever a value is laid over an inherited one."""
    seen: set[int] = set()
    ways = [definitions[name] for name in fragments]
    while ways:
        schema = ways.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        schema.pop("required", None)
        for name, key in schema.get("properties", {}).items():
            if name != "auth_mode":
                _allow_null(key)
            ways.append(key)
        if isinstance(others := schema.get("additionalProperties"), dict):
            _allow_null(others)
            ways.append(others)
        ways += [branch["then"] for branch in schema.get("allOf", ()) if "then" in branch]
        if target := schema.get("$ref", "").removeprefix("#/$defs/"):
            _allow_null(definitions[target])
            ways.append(definitions[target])


def _allow_null(schema: dict[str, Any]) -> None:
    kinds = schema.get("type")
    if isinstance(kinds, str):
        schema["type"] = [kinds, "null"]
    elif kinds and "null" not in kinds:
        schema["type"] = [*kinds, "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]


def _allow_variables(definitions: dict[str, Any]) -> None:
    for part in _parts({"$defs": definitions}):
        kinds = part.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if {"boolean", "integer", "number"} & {*kinds} and "string" not in kinds and "enum" not in part:
            part["type"] = [*kinds, "string"]
            part["pattern"] = _ENVIRONMENT


def _require_what_nobody_else_brings(integration: dict[str, Any]) -> None:
    integration["if"] = {"not": {"required": ["extends_blueprint"]}}
    integration["then"] = {
        "required": ["auth", "requests"],
        "properties": {"auth": {"required": ["auth_mode"]}, "requests": {"required": ["base_url"]}},
    }


def _word_for_hover(schema: dict[str, Any]) -> None:
    """Say the default, which editors leave out, and let backticks be the Markdown that they are."""
    if "description" in schema:
        told = f" Default: `{json.dumps(schema['default'])}`." if "default" in schema else ""
        schema["markdownDescription"] = schema["description"] + told


def _keys(folders: tuple[Path, ...]) -> Iterator[str]:
    """Yield the key of every version at hand, the newest of each blueprint first."""
    catalogue = Catalogue(folders=folders)
    seen = set()
    for source in catalogue.sources():
        for name in source.names():
            if name not in seen:
                seen.add(name)
                path = source.file(name)
                text = path.read_text("utf-8", "replace") if path else ""
                for found in sorted(set(_VERSION.findall(text)), key=lambda name: int(name[1:]), reverse=True):
                    yield f"{name}:{found}"


def _reachable(schema: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    ways = [{key: value for key, value in schema.items() if key != "$defs"}]
    while ways:
        for part in _parts(ways.pop()):
            name = part.get("$ref", "").removeprefix("#/$defs/")
            if name and name not in found:
                found.add(name)
                ways.append(definitions[name])
    return found
