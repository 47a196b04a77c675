"""The one home of jsonschema: values checked against a JSON Schema (draft 2020-12).

jsonschema's own messages quote the value that is wrong; ours say what was expected and never show a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

from nango_py.document import pointer_to
from nango_py.files import is_file
from nango_py.location import did_you_mean, one_of
from nango_py.quick_check import quick_check

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from referencing import Registry

    from nango_py.quick_check import Check

__all__ = ["Schema", "Violation", "resolve"]

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """Say where (``pointer``) and how a value breaks its schema; ``keyword`` is the schema's word for it."""

    pointer: str
    keyword: str
    message: str
    hint: str = ""
    at_key: bool = False

    def __str__(self) -> str:
        where = f"{self.pointer}: " if self.pointer else ""
        return f"{where}{self.message}" + (f" {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Schema:
    """Hold a JSON Schema; the validator is built once, when it is first needed."""

    document: Mapping[str, Any]
    documents: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """Trusted documents by address, to which references may lead; without any they stay inside the document."""
    takes_files: bool = False
    """Whether ``{type: string, format: binary}`` is a file (:mod:`nango_py.files`), and no text."""

    @cached_property
    def has_files(self) -> bool:
        """Tell whether there is a place for a file."""
        return self.takes_files and _has_binary(self.document)

    @cached_property
    def _validator(self) -> Validator:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - 140 ms that only a check needs

        kind = _with_files() if self.has_files else Draft202012Validator
        return kind(self.document, registry=_closed(self.documents or {}))

    @cached_property
    def _quick(self) -> Check | None:
        return quick_check(self.document, takes_files=self.takes_files, resolver=self._resolver)

    @property
    def _resolver(self) -> _Resolver | None:
        return None if self.documents is None else _Resolver(self.documents)

    def violations(self, value: Any) -> Iterator[Violation]:
        """Yield every way in which *value* breaks the schema, in the order of the value."""
        try:
            yield from self._violations(value)
        except (OverflowError, RecursionError) as error:
            # A schema may refer to itself, and numbers are divided: a provider's are as deep and as long as it likes.
            what = "is nested too deeply" if isinstance(error, RecursionError) else "holds too large a number"
            yield Violation("", "unfit", f"the value {what} to be checked.")

    def _violations(self, value: Any) -> Iterator[Violation]:
        if self._quick is not None and self._quick(value):
            return
        if (at := _odd_key(value)) is not None:
            yield Violation(at, "type", f"a key of {_name(at)} is no text.")
            return  # patterns of names are for texts
        errors = sorted(self._validator.iter_errors(value), key=lambda error: [str(part) for part in error.path])
        for error in errors:
            yield from _describe(error)

    def flaws(self) -> Iterator[str]:
        """Yield what makes the document no JSON Schema itself."""
        if _is_plain(self.document):
            return
        from jsonschema import Draft202012Validator  # noqa: PLC0415

        found = None
        for found in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(self.document):
            yield f"{pointer_to(*found.path)}: {found.validator}"
        if found is None and self.documents is None:
            yield from dict.fromkeys(_astray(self.document))


class _Resolver(NamedTuple):
    """Follow references among the published schemas; the package referencing is 30 ms that sound files do not pay."""

    documents: Mapping[str, Any]
    base: str = ""
    contents: Any = None

    def lookup(self, reference: str) -> _Resolver:
        """Return what a reference leads to, and how to go on from there (RFC 3986 5, RFC 6901)."""
        address, _, pointer = urljoin(self.base, reference).partition("#")
        found = self.documents[address]
        for name in pointer.split("/")[1:]:
            found = found[name.replace("~1", "/").replace("~0", "~")]
        return self._replace(base=address, contents=found)

    @property
    def resolver(self) -> _Resolver:
        """Return itself: what referencing gives has this name for the way on."""
        return self


def _odd_key(value: Any) -> str | None:
    """Return where a mapping has a key that is no text: JSON knows none, Python does."""
    left = [("", value)]
    while left:
        pointer, value = left.pop()
        if isinstance(value, Mapping):
            if not all(isinstance(name, str) for name in value):
                return pointer
            left += [(pointer + pointer_to(name), item) for name, item in value.items()]
        elif isinstance(value, list):
            left += [(pointer + pointer_to(number), item) for number, item in enumerate(value)]
    return None


def _closed(documents: Mapping[str, Any] = MappingProxyType({})) -> Registry[Any]:
    """Return a registry of these and no others: jsonschema's own opens the URL or file that a $ref names."""
    from referencing import Registry, Resource  # noqa: PLC0415 - comes with jsonschema

    found = ((address, Resource.from_contents(document)) for address, document in documents.items())
    registry: Registry[Any] = Registry().with_resources(found)
    return registry


@cache
def _with_files() -> Any:
    """Return the validator to which a file is a text whose format is ``binary``, and nothing else is."""
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415

    usual = Draft202012Validator.VALIDATORS["type"]

    def check_type(validator: Any, types: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
        names = [types] if isinstance(types, str) else types
        if schema.get("format") != "binary" or "string" not in names:
            yield from usual(validator, types, instance, schema)
        elif not is_file(instance):
            others = [name for name in names if name != "string"]
            if not any(validator.is_type(instance, name) for name in others):
                yield ValidationError("no file", validator="format", validator_value="binary")

    return validators.extend(Draft202012Validator, {"type": check_type})  # type: ignore[no-untyped-call]


def _has_binary(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return schema.get("format") == "binary" or any(map(_has_binary, schema.values()))
    return isinstance(schema, list) and any(map(_has_binary, schema))


def resolve(document: Mapping[str, Any], reference: str) -> Any:
    """Return what a ``$ref`` of a sound document leads to; the same object each time."""
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    resolver = _closed().resolver_with_root(DRAFT202012.create_resource(document))
    return resolver.lookup(reference).contents


_BESIDE = frozenset({"allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"})
"""Words whose schemas look at the very value that the one around them does."""
_FAR = 100
"""More schemas than these in a row for one value are nobody's, and Python's stack is short."""


def _astray(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the references of a *document* that keeps the meta-schema."""
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    root = DRAFT202012.create_resource(document)
    seen: set[int] = set()
    todo = [(root, _closed().resolver_with_root(root))]
    # A circle is one among schemas of the same value: what looks into it is put off until those are through.
    for resource, resolver in todo:
        yield from _visit(resource, resolver, frozenset(), seen, todo)


def _visit(
    resource: Any, resolver: Any, path: frozenset[int], seen: set[int], todo: list[tuple[Any, Any]]
) -> Iterator[str]:
    schema = resource.contents
    if id(schema) in path or len(path) > _FAR:
        yield "a $ref leads back to itself without a step into the value, or is one of too many in a row"
        return
    if id(schema) in seen or not isinstance(schema, Mapping):
        return
    seen.add(id(schema))
    path |= {id(schema)}
    for word in ("$ref", "$dynamicRef"):
        if word in schema:
            found = _target(schema[word], resolver, seen)
            if found is None:
                yield f"{word} {schema[word]!r} leads nowhere; it must stay inside the schema"
            else:
                yield from _visit(*found, path, seen, todo)
    beside = {id(inner) for word in _BESIDE & schema.keys() for inner in _listed(schema[word])}
    for inner in resource.subresources():
        place = (inner, resolver.in_subresource(inner))
        if id(inner.contents) in beside:
            yield from _visit(*place, path, seen, todo)
        else:
            todo.append(place)


def _target(reference: str, resolver: Any, seen: set[int]) -> tuple[Any, Any] | None:
    """Return the schema that a reference leads to, and how to go on from there."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    try:
        found = resolver.lookup(reference)
    except (Unresolvable, ValueError):
        return None
    # It may stand where the meta-schema has not looked.
    is_sound = id(found.contents) in seen or _is_plain(found.contents)
    if not is_sound and not Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(found.contents):
        return None
    return DRAFT202012.create_resource(found.contents), found.resolver


def _listed(inner: Any) -> Iterator[Any]:
    """Yield the schemas that a word is given: one, a list, or a mapping of them."""
    yield inner
    if isinstance(inner, Mapping | list):
        yield from inner.values() if isinstance(inner, Mapping) else inner


_WORDS = {
    "$comment": str, "const": object, "default": object, "description": str, "examples": list, "enum": list,
    "format": str, "maxItems": int, "maxLength": int, "maxProperties": int, "maximum": int, "minItems": int,
    "minLength": int, "minProperties": int, "minimum": int, "pattern": str, "title": str,
}  # fmt: skip


def _is_plain(schema: Any) -> bool:
    """Tell at a glance whether a schema is sound: the meta-schema, 4 ms a schema, is for the others."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    return all(_is_plain_keyword(word, value) for word, value in schema.items())


def _is_plain_keyword(word: str, value: Any) -> bool:
    if word == "type":
        names = value if isinstance(value, list) else [value]
        return names != [] and _are_names(names) and _TYPES.keys() >= set(names)
    if word == "properties":
        return isinstance(value, dict) and all(map(_is_plain, value.values()))
    if word in {"items", "additionalProperties"}:
        return _is_plain(value)
    if word in {"allOf", "anyOf", "oneOf"}:
        return isinstance(value, list) and value != [] and all(map(_is_plain, value))
    if word == "required":
        return isinstance(value, list) and _are_names(value)
    kind = _WORDS.get(word)
    if kind is int:
        return type(value) is int and value >= 0
    return kind is not None and isinstance(value, kind)


def _are_names(value: list[Any]) -> bool:
    return all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _describe(error: Any) -> Iterator[Violation]:
    pointer, keyword = pointer_to(*error.absolute_path), str(error.validator)
    if keyword in {"additionalProperties", "unevaluatedProperties"} and isinstance(error.instance, Mapping):
        yield from _unknown_keys(error, pointer, keyword)
    elif keyword == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Violation(pointer, keyword, f"{_name(pointer)} lacks {name!r}.", at_key=True)
    elif keyword in {"anyOf", "oneOf"} and (expected := _alternatives(error)):
        yield Violation(pointer, keyword, f"{_name(pointer)} must be {expected}, not {_kind(error.instance)}.")
    elif keyword == "false schema" or error.validator is None:
        yield Violation(pointer, "unknown", f"{_name(pointer)} has no place here.", at_key=True)
    else:
        message, hint = _broken(keyword, error)
        yield Violation(pointer, keyword, f"{_name(pointer)} {message}", hint, at_key=keyword == "propertyNames")


def _unknown_keys(error: Any, pointer: str, keyword: str) -> Iterator[Violation]:
    import re  # noqa: PLC0415

    known = error.schema.get("properties", {})
    patterns = error.schema.get("patternProperties", {})
    for name in error.instance:
        if name not in known and not any(re.search(pattern, str(name)) for pattern in patterns):
            yield Violation(
                pointer + pointer_to(name),
                keyword,
                f"unknown key {name!r}.",
                did_you_mean(str(name), known),
                at_key=True,
            )


def _broken(keyword: str, error: Any) -> tuple[str, str]:
    limit = error.validator_value
    if keyword == "format" and limit == "binary":
        hint = "A text is never taken for a path: give pathlib.Path(...)." if isinstance(error.instance, str) else ""
        return "must be a file: bytes, a binary file object or a path.", hint
    if keyword == "type":
        wanted = [limit] if isinstance(limit, str) else limit
        return f"must be {' or '.join(_TYPES[word] for word in wanted)}, not {_kind(error.instance)}.", ""
    if keyword == "enum":
        words = [str(word) for word in limit]
        instance = error.instance
        hint = did_you_mean(instance, words) if type(instance) is str else one_of(words)
        return "is none of the words allowed here.", hint or one_of(words)
    if keyword == "const":
        return f"must be {limit!r}.", ""
    phrases = {
        "pattern": f"does not match the pattern {limit!r}.",
        "format": f"is no {limit}.",
        "minimum": f"must be at least {limit}.",
        "exclusiveMinimum": f"must be more than {limit}.",
        "maximum": f"must be at most {limit}.",
        "exclusiveMaximum": f"must be less than {limit}.",
        "minLength": f"must have at least {limit} characters.",
        "maxLength": f"must have at most {limit} characters.",
        "minItems": f"must have at least {limit} items.",
        "maxItems": f"must have at most {limit} items.",
        "minProperties": f"must have at least {limit} keys.",
        "maxProperties": f"must have at most {limit} keys.",
        "uniqueItems": "must not hold the same item twice.",
        "multipleOf": f"must be a multiple of {limit}.",
    }
    return phrases.get(keyword, f"does not satisfy {keyword!r}."), ""


def _alternatives(error: Any) -> str:
    words = [branch.get("type") for branch in error.validator_value if isinstance(branch, Mapping)]
    return " or ".join(_TYPES[word] for word in words if isinstance(word, str))


def _name(pointer: str) -> str:
    last = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    return f"item {last}" if last.isdigit() else repr(last) if last else "the value"


def _kind(value: Any) -> str:
    for types, word in (
        (bool, "true or false"),
        (str, "a text"),
        (int | float, "a number"),
        (Mapping, "a mapping"),
        (list | tuple, "a list"),
    ):
        if isinstance(value, types):
            return word
    return "null" if value is None else type(value).__name__
