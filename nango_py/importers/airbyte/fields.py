"""What an account says about itself: the fields of ``spec.connection_specification``, under names of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.fields import fields_named
from nango_py.authoring.foreign import mapping
from nango_py.authoring.names import field_name, one_line, unused
from nango_py.authoring.pasted import is_pasted
from nango_py.importers.airbyte.language import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.authoring.report import Outcome
    from nango_py.importers.airbyte.language import LookUp

__all__ = ["Fields"]

Path = tuple[str, ...]
_READ: Final = frozenset(
    {
        "airbyte_secret", "const", "default", "description", "enum", "oneOf", "properties", "required", "title",
        "type",
    }
)  # fmt: skip
_OF_FORMS: Final = frozenset(
    {
        "$schema", "additionalProperties", "airbyte_hidden", "always_show", "display_type", "examples", "group",
        "groups", "multiline", "order", "pattern_descriptor",
    }
)  # fmt: skip


@dataclass(slots=True)
class Fields:
    """Hold the fields that a specification declares; those that something names are declared in the blueprint."""

    declared: Mapping[Path, Mapping[str, Any]]
    """The fields, and the mappings around them; the outermost has no path."""
    required: frozenset[Path]
    bound: dict[Path, str] = field(default_factory=dict)
    """Fields that are credentials of the auth mode, with the name that the mode has for them."""
    used: dict[Path, str] = field(default_factory=dict)
    defaults: dict[Path, str] = field(default_factory=dict)
    """What stands for a field where an interpolation says so."""
    pasted: list[Path] = field(default_factory=list)
    """Fields whose default looks like a secret."""

    @classmethod
    def read(cls, specification: Any) -> Fields:
        """Return the fields of a JSON Schema, those of its inner objects and alternatives included."""
        declared: dict[Path, Mapping[str, Any]] = {(): specification} if isinstance(specification, Mapping) else {}
        required: set[Path] = set()
        for path, schema, is_required in _fields(specification, ()):
            declared.setdefault(path, schema)
            if is_required:
                required.add(path)
        return cls(declared, frozenset(required))

    def bind(self, path: Path, name: str) -> None:
        """Say that a field is what the auth mode calls *name*."""
        self.bound[path] = name

    def name(self, found: LookUp) -> str:
        """Return the placeholder of a look-up.

        Raises:
            Untranslatable: It looks up something else than the account's fields.
        """
        if found.root != "config" or not found.path:
            raise Untranslatable(f"it names {found.root!r}, which is not known here")
        if found.path in self.bound:
            return f"${{{self.bound[found.path]}}}"
        section = "credentials" if self._is_secret(found.path) else "connection_config"
        if found.default:
            self.defaults.setdefault(found.path, found.default)
        if found.path not in self.used:
            name = field_name(found.path[-1]).lower().strip("_") or "field"
            name = name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else f"field_{field_name(name)}"
            self.used[found.path] = unused(name, {*self.used.values(), *self.bound.values()}, joint="_")
        return f"${{{section}.{self.used[found.path]}}}"

    def sections(self, texts: list[str]) -> dict[str, dict[str, Any]]:
        """Return ``credentials`` and ``connection_config``; *texts* show where values stand in URLs."""
        made: dict[str, dict[str, Any]] = {"credentials": {}, "connection_config": {}}
        for path, name in self.bound.items():
            # A client is the integration's, not the account's.
            if not name.startswith("oauth_client") and (described := self._keys(path, is_bound=True)):
                made["credentials"][name] = described
        for path, name in self.used.items():
            section = "credentials" if self._is_secret(path) else "connection_config"
            shaped = fields_named(texts, section).get(name, {})
            made[section][name] = {**shaped, **self._keys(path, is_bound=False, is_in_url="format" in shaped)}
        return {section: fields for section, fields in made.items() if fields}

    def unused(self) -> Iterator[str]:
        """Yield the fields that nothing names."""
        for path, schema in self.declared.items():
            is_known = path in self.bound or path in self.used or "const" in schema or not path
            if not is_known and not _inner(schema):
                yield ".".join(path)

    def unread(self) -> Iterator[tuple[str, Outcome, str]]:
        """Yield the keys of fields that came along, and of what is around them, that no rule reads."""
        left_out = {*self.unused()}
        for path, schema in self.declared.items():
            if ".".join(path) not in left_out:
                for key in schema.keys() - _READ:
                    place = ".".join((*path, key))
                    if key in _OF_FORMS:
                        yield place, "not_needed", "it is about the form that asks for values"
                    else:
                        yield place, "lost", "values of accounts are not checked for it"
                for name, one in mapping(schema.get("properties")).items():
                    if not isinstance(one, Mapping):
                        yield ".".join((*path, name)), "lost", "it describes no field"

    def _is_secret(self, path: Path) -> bool:
        return self.declared.get(path, {}).get("airbyte_secret") is True

    def _keys(self, path: Path, *, is_bound: bool, is_in_url: bool = False) -> dict[str, Any]:
        schema = self.declared.get(path, {})
        made: dict[str, Any] = {}
        if title := one_line(schema.get("title"), 80):
            made["title"] = title
        elif not is_bound:
            made["title"] = path[-1].replace("_", " ").capitalize()
        if description := one_line(re.sub(r"<[^>]*>", "", str(schema.get("description", "")))):
            made["description"] = description
        if is_bound:
            return made
        stated = schema.get("enum")
        words = [str(word) for word in stated if isinstance(word, str | int)] if isinstance(stated, list) else []
        made |= {"enum": words} if words else {}
        default = schema.get("default", self.defaults.get(path))
        is_secret = self._is_secret(path)
        if is_secret and is_pasted("secret", default):
            self.pasted.append(path)
        elif isinstance(default, str | int | float) and not isinstance(default, bool):
            made["default"] = str(default)
        elif path in self.declared and path not in self.required and not is_in_url:
            made["optional"] = True
        return made | ({"secret": True} if is_secret else {})


def _inner(schema: Mapping[str, Any]) -> bool:
    return isinstance(schema.get("properties"), Mapping) or isinstance(schema.get("oneOf"), list)


def _fields(schema: Any, above: Path, depth: int = 0) -> Iterator[tuple[Path, Mapping[str, Any], bool]]:
    if not isinstance(schema, Mapping) or depth > 5:  # noqa: PLR2004 - deeper than any form
        return
    properties, required = schema.get("properties"), schema.get("required")
    for name, below in properties.items() if isinstance(properties, Mapping) else ():
        path = (*above, str(name))
        if isinstance(below, Mapping):
            yield path, below, isinstance(required, list) and name in required
            yield from _fields(below, path, depth + 1)
    alternatives = schema.get("oneOf")
    for one in alternatives if isinstance(alternatives, list) else ():
        yield from ((path, below, False) for path, below, _ in _fields(one, above, depth + 1))
