"""A tool's arguments become an action's input: names as the action spells them, files as bytes."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.errors import InputError
from nango_py.json_schema import resolve
from nango_py.tools.names import property_name
from nango_py.tools.schemas import TOOL_LIMIT, WRAPPED, is_wrapped

if TYPE_CHECKING:
    from nango_py.actions.signature import Signature

__all__ = ["MAX_FILE", "input_of", "with_bytes"]

MAX_FILE = 10 * 1024 * 1024
"""Bytes of one file that a model may hand in, or get."""


def input_of(signature: Signature, arguments: Mapping[str, Any] | str | None, *, who: str) -> dict[str, Any]:
    """Return the input that *arguments*, a mapping or its JSON text, mean.

    Whether it fits is for the action to say; only what cannot be read is refused here.

    Raises:
        InputError: They are no JSON object, or a file is no base64 text or too large.
    """
    try:
        return _input_of(signature, dict(_parsed(arguments, who)), who)
    except RecursionError:
        raise InputError(f"{who}: the arguments are nested too deeply.") from None


def _input_of(signature: Signature, given: dict[str, Any], who: str) -> dict[str, Any]:
    reserved = {name: given.pop(name) for name in signature.reserved if name in given}
    if "limit" in signature.reserved:
        reserved.setdefault("limit", TOOL_LIMIT)
    schema = signature.input
    if is_wrapped(schema):
        if set(given) - {WRAPPED}:
            raise InputError(f"{who}: the only argument is {WRAPPED!r}.")
        given = given.get(WRAPPED, {})
    read = _Reader(schema, who).read([schema], given, "")
    if not isinstance(read, dict):
        raise InputError(f"{who}: {WRAPPED!r} must be an object.")
    return {**read, **reserved}


def with_bytes(schema: Mapping[str, Any], given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Return what JSON gives, in which base64 text is bytes wherever *schema* has a file.

    Raises:
        InputError: A file is no base64 text, or too large.
    """
    read: dict[str, Any] = _Reader(schema, who).read([schema], given, "")
    return read


def _parsed(arguments: Mapping[str, Any] | str | None, who: str) -> Mapping[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            raise InputError(f"{who}: the arguments are no JSON.") from None
    if arguments is None:
        return {}
    if not isinstance(arguments, Mapping):
        raise InputError(f"{who}: the arguments must be an object.")
    return arguments


class _Reader:
    """Walk a value beside every schema that describes it."""

    def __init__(self, root: Mapping[str, Any], who: str) -> None:
        self.root = root
        self.who = who

    def read(self, schemas: Iterable[Any], value: Any, place: str) -> Any:
        """Return *value* as the action wants it."""
        known = list(self._flat(schemas))
        if isinstance(value, Mapping):
            return self._object(known, value, place)
        if isinstance(value, list):
            return [self.read(_items(known, number), item, f"{place}/{number}") for number, item in enumerate(value)]
        if isinstance(value, str) and any(schema.get("format") == "binary" for schema in known):
            return self._file(known, value, place)
        return value

    def _flat(self, schemas: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the schemas, and those that they refer to or offer for the same value, each once."""
        waiting, seen = list(schemas), set()
        while waiting:
            schema = waiting.pop(0)
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema
            if isinstance(reference := schema.get("$ref"), str):
                waiting.append(resolve(self.root, reference))
            for word in ("allOf", "anyOf", "oneOf"):
                waiting.extend(schema.get(word, ()))
            waiting.extend(schema.get(word) for word in ("if", "then", "else"))

    def _object(self, known: list[Mapping[str, Any]], value: Mapping[str, Any], place: str) -> dict[str, Any]:
        names = {property_name(name): name for schema in known for name in schema.get("properties", ())}
        found = {}
        for spelt, item in value.items():
            name = names.get(spelt, spelt)
            inner = [schema["properties"][name] for schema in known if name in schema.get("properties", ())]
            others = [schema.get("additionalProperties") for schema in known]
            found[name] = self.read(inner or others, item, place + pointer_to(name))
        return found

    def _file(self, known: list[Mapping[str, Any]], text: str, place: str) -> str | bytes:
        if len(text) > MAX_FILE * 4 // 3 + 4:
            raise InputError(f"{self.who}: {place}: a file has at most {MAX_FILE:,} bytes.")
        try:
            return b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            if any(schema.get("type") == "string" and "format" not in schema for schema in known):
                return text
            raise InputError(f"{self.who}: {place}: a file is handed in as base64 text.") from None


def _items(known: list[Mapping[str, Any]], number: int) -> list[Any]:
    found = []
    for schema in known:
        first = schema.get("prefixItems", ())
        found.append(first[number] if number < len(first) else schema.get("items"))
    return found
