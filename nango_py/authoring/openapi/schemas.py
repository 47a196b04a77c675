"""Turn schemas of OpenAPI into JSON Schema (2020-12), references put in their place, bounded in depth and size.

What goes in keeps its rules. What comes out keeps shape and types only: providers add words to an enum, and texts
longer than they said, without another version, and a promise that they break would be everybody's error.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from nango_py.authoring.foreign import mapping, texts
from nango_py.authoring.names import one_line

if TYPE_CHECKING:
    from nango_py.authoring.openapi.spec import Spec

__all__ = ["Side", "schema_of"]

Side = Literal["input", "output"]

_DEPTH: Final[Mapping[Side, int]] = {"input": 6, "output": 3}
_NODES: Final[Mapping[Side, int]] = {"input": 400, "output": 120}
"""How deep a schema is followed, and how many schemas it is made of at most; below that anything goes."""
_ALTERNATIVES: Final = 8
_WORDS: Final = 60
_LONGEST_PATTERN: Final = 200
_LARGEST: Final = 10**15
_KINDS: Final = ("string", "number", "integer", "boolean", "array", "object", "null")
# A tuple: what a description has for a format may be a list.
_FORMATS: Final = (
    "date", "date-time", "email", "hostname", "int32", "int64", "ipv4", "ipv6", "time", "uri", "uuid",
)  # fmt: skip
_COUNTS: Final = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_LIMITS: Final = ("minimum", "maximum")


def schema_of(spec: Spec, written: Any, side: Side, *, takes_files: bool = False) -> dict[str, Any]:
    """Return a JSON Schema of what is *written*; an empty one where nothing is known.

    *takes_files* says whether ``format: binary`` is a file here; elsewhere it is text. The same schema is asked for
    by several guesses and turned once.
    """
    key = (id(written), side, takes_files)
    if key not in spec.turned:
        # What was written stays alive beside it, so that no other schema gets its id.
        spec.turned[key] = (written, _Turn(spec, side, takes_files=takes_files).turned(written, (), 0))
    return spec.turned[key][1]


class _Turn:
    def __init__(self, spec: Spec, side: Side, *, takes_files: bool) -> None:
        self.spec = spec
        self.side: Side = side
        self.takes_files = takes_files
        self.left = _NODES[side]

    def turned(self, written: Any, above: tuple[str, ...], depth: int) -> dict[str, Any]:
        """Return one schema; *above* are the references that it stands below."""
        if not isinstance(written, Mapping):
            return {}
        reference = written.get("$ref")
        if isinstance(reference, str):
            target = self.spec.follow(written)
            if reference in above or len(above) > _DEPTH[self.side] * 4:
                return _stub(target)
            return self.turned(target, (*above, reference), depth)
        self.left -= 1
        if self.left < 0 or depth > _DEPTH[self.side]:
            return _stub(written)
        made = self._own(written, above, depth)
        for part in _list(written.get("allOf"))[: max(self.left, 0)]:
            made = _both(made, self.turned(part, above, depth))
        return self._alternatives(written, made, above, depth)

    def _own(self, written: Mapping[str, Any], above: tuple[str, ...], depth: int) -> dict[str, Any]:
        kinds = _kinds(written)
        made: dict[str, Any] = {}
        if kinds:
            made["type"] = kinds[0] if len(kinds) == 1 else kinds
        if self.side == "input":
            made |= self._rules(written, kinds)
        elif written.get("format") in _FORMATS and "string" in kinds:
            made["format"] = written["format"]
        if "object" in kinds or (not kinds and "properties" in written):
            made |= self._members(written, above, depth)
        if "array" in kinds:
            items = self.turned(written.get("items"), above, depth + 1)
            made |= {"items": items} if items else {}
        return made

    def _rules(self, written: Mapping[str, Any], kinds: list[str]) -> dict[str, Any]:
        """Return what is only checked of an input."""
        made: dict[str, Any] = {}
        if description := one_line(written.get("description")):
            made["description"] = description
        made |= _words(written, kinds) | _numbers(written, kinds)
        pattern = written.get("pattern")
        if "string" in kinds and isinstance(pattern, str) and _compiles(pattern):
            made["pattern"] = pattern
        is_file = written.get("type") == "file" or written.get("format") == "binary"
        if is_file and self.takes_files and "string" in kinds:
            made = {key: value for key, value in made.items() if key == "description"} | {"format": "binary"}
        elif written.get("format") in _FORMATS and {"string", "integer", "number"} & {*kinds}:
            made["format"] = written["format"]
        return made

    def _members(self, written: Mapping[str, Any], above: tuple[str, ...], depth: int) -> dict[str, Any]:
        unseen = "readOnly" if self.side == "input" else "writeOnly"
        members = mapping(written.get("properties"))
        if depth and len(members) > self.left:
            return {}  # some of them alone would say that there are no others
        properties = {
            name: self.turned(member, above, depth + 1)
            for name, member in members.items()
            if mapping(self.spec.follow(member)).get(unseen) is not True
        }
        required = texts(written.get("required"))
        if self.side == "input" and properties:
            # Some descriptions require what they do not describe.
            properties |= {name: {} for name in required if name not in members}
        made: dict[str, Any] = {"properties": properties} if properties else {}
        if required := tuple(name for name in required if name in properties):
            made["required"] = list(dict.fromkeys(required))
        more = written.get("additionalProperties")
        if isinstance(more, Mapping) and (turned := self.turned(more, above, depth + 1)):
            made["additionalProperties"] = turned
        elif more is False and self.side == "input" and "allOf" not in written:
            made["additionalProperties"] = False
        return made

    def _alternatives(
        self, written: Mapping[str, Any], made: dict[str, Any], above: tuple[str, ...], depth: int
    ) -> dict[str, Any]:
        # What fits two alternatives is no fault of the caller's: oneOf becomes anyOf.
        found = _list(written.get("anyOf")) or _list(written.get("oneOf"))
        if not found or len(found) > min(_ALTERNATIVES, self.left):
            return made
        turned = [self.turned(one, above, depth + 1) for one in found]
        if not all(turned):
            return made
        unlike = list({repr(one): one for one in turned}.values())
        is_null = _NULL in unlike and "type" in unlike[0 if unlike[0] != _NULL else -1]
        if len(unlike) == 1 + is_null:
            only = next((one for one in unlike if one != _NULL), _NULL)
            return _both(made, _nullable(only) if is_null else only)
        return {**made, "anyOf": unlike}


_NULL: Final = {"type": "null"}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = {"enum": [*schema["enum"], None]} if None not in schema.get("enum", [None]) else {}
    return {**schema, "type": list(dict.fromkeys([*kinds, "null"])), **words}


def _stub(written: Any) -> dict[str, Any]:
    """Return what stands for a schema that is not followed further: its types."""
    kinds = _kinds(mapping(written))
    return {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}


def _kinds(written: Mapping[str, Any]) -> list[str]:
    stated = written.get("type")
    kinds = [stated] if isinstance(stated, str) else list(texts(stated))
    kinds = ["string" if kind == "file" else kind for kind in kinds]
    kinds = [kind for kind in dict.fromkeys(kinds) if kind in _KINDS]
    if not kinds and not stated:
        kinds = ["object"] if mapping(written.get("properties")) else ["array"] if "items" in written else []
    is_null = written.get("nullable") is True or written.get("x-nullable") is True
    return [*kinds, "null"] if kinds and is_null and "null" not in kinds else kinds


def _words(written: Mapping[str, Any], kinds: list[str]) -> dict[str, Any]:
    words = [written["const"]] if "const" in written else _list(written.get("enum"))
    words = [word for word in dict.fromkeys(map(_hashable, words)) if word is not _NO_WORD]
    if not words or len(words) > _WORDS or not all(_fits(word, kinds) for word in words):
        return {}
    return {"enum": [*words, None] if "null" in kinds and None not in words else words}


_NO_WORD: Final = object()


def _hashable(word: Any) -> Any:
    return word if word is None or isinstance(word, str | bool) or _is_number(word) else _NO_WORD


def _fits(word: Any, kinds: list[str]) -> bool:
    kind = {bool: "boolean", int: "integer", float: "number", str: "string"}.get(type(word), "null")
    return not kinds or kind in kinds or (kind == "integer" and "number" in kinds)


def _numbers(written: Mapping[str, Any], kinds: list[str]) -> dict[str, Any]:
    made = {name: written[name] for name in _COUNTS if _is_count(written.get(name))}
    if not {"integer", "number"} & {*kinds}:
        return made
    for name in _LIMITS:
        exclusive = f"exclusive{name.title()}"
        limit, stated = written.get(name), written.get(exclusive)
        if _is_number(stated):
            made[exclusive] = stated
        if _is_number(limit):
            made[exclusive if stated is True else name] = limit
    return made


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what fits both, as far as that can be said without ``allOf``."""
    made = {**one, **other}
    if "properties" in one and "properties" in other:
        made["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        made["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if made.get("additionalProperties") is False:
        # It closed one part of the whole, whose other part has more members.
        del made["additionalProperties"]
    return made


def _compiles(pattern: str) -> bool:
    if len(pattern) > _LONGEST_PATTERN:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning):
            return False
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_count(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and value >= 0


def _is_number(value: Any) -> bool:
    # Longer numbers are identifiers in YAML as we read it; as a limit they limit nothing.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
