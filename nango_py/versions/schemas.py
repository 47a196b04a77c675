"""Compare two JSON Schemas: what one accepts and the other does not.

Types, enumerations, properties, lists, bounds, alternatives and references are understood; of other words it is only
said that they changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

from nango_py.document import pointer_to
from nango_py.json_schema import Schema
from nango_py.versions.change import ABSENT, shown, told
from nango_py.versions.content import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOTES", "Difference", "Effect", "compare"]

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_KINDS: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "array", Mapping: "object",
    type(None): "null",
}  # fmt: skip
NOTES = ("$comment", "deprecated", "description", "example", "examples", "readOnly", "title", "writeOnly")
_LOWER = ("minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties")
_FORMS = ("format", "pattern", "multipleOf", "uniqueItems")
_ALTERNATIVES = ("anyOf", "oneOf")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_DEPTH = 30
"""Schemas may refer to themselves."""


class Effect(Enum):
    """What a difference does to the values that a schema accepts."""

    NEW = auto()
    """A property that may be there."""
    GONE = auto()
    """A property that is declared no longer."""
    REQUIRED = auto()
    """A property that must be there now."""
    OPTIONAL = auto()
    """A property that need not be there now."""
    RETYPED = auto()
    FEWER_TYPES = auto()
    MORE_TYPES = auto()
    NARROWER = auto()
    WIDER = auto()
    DEFAULT = auto()
    OTHER = auto()
    """It changed, and nobody compares it further."""
    NOTE = auto()
    """Words for people."""


class Difference(NamedTuple):
    """One difference, and where it is."""

    effect: Effect
    pointer: str
    message: str


def compare(before: Any, after: Any, pointer: str) -> Iterator[Difference]:
    """Yield how the schema *after* differs from *before*; both stand at *pointer*.

    What both refer to in the same words is told once.
    """
    if text_of(before) == text_of(after):
        return
    if _is_flawed(before) or _is_flawed(after):
        yield Difference(Effect.OTHER, pointer, "changed, and one of them is no JSON Schema.")
        return
    yield from _Comparison(before, after).differences(before, after, pointer, 0)


class _Comparison:
    """Two schemas, each of which may refer to parts of itself."""

    def __init__(self, before: Any, after: Any) -> None:
        self.before = before
        self.after = after
        self.is_same_root = text_of(before) == text_of(after)
        self.told: set[tuple[str, str]] = set()

    def differences(self, before: Any, after: Any, pointer: str, depth: int) -> Iterator[Difference]:
        pair = _bare_text(before), _bare_text(after)
        if depth > _DEPTH or pair in self.told:
            return
        if _reference(before) or _reference(after):
            self.told.add(pair)  # a schema that refers to itself is entered once, one that does so twice as well
        old, new = _followed(before, self.before), _followed(after, self.after)
        if self._is_same(old, new):
            return
        yield from (changed := list(_types(old, new, pointer)))
        if any(found.effect is Effect.RETYPED for found in changed):
            return  # what else differs is of another type
        yield from (changed := list(self._words(old, new, pointer, depth)))
        other_words = (old.keys() ^ new.keys()) - {*NOTES}
        for word in _UNEVALUATED if other_words or any(found.effect is not Effect.NOTE for found in changed) else ():
            if word in old and word in new:
                yield Difference(Effect.OTHER, pointer + pointer_to(word), "what it is about changed.")

    def _words(
        self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str, depth: int
    ) -> Iterator[Difference]:
        yield from _values(old, new, pointer)
        yield from _bounds(old, new, pointer)
        yield from self._properties(old, new, pointer, depth)
        if "items" in old or "items" in new:
            at = pointer + pointer_to("items")
            yield from self.differences(old.get("items", {}), new.get("items", {}), at, depth + 1)
        yield from self._all_of(old.get("allOf", []), new.get("allOf", []), pointer + pointer_to("allOf"), depth)
        for word in _ALTERNATIVES:
            yield from self._alternatives(old, new, pointer, word, depth)
        yield from self._rest(old, new, pointer)

    def _is_same(self, old: Any, new: Any) -> bool:
        """Tell whether both say the same, what they refer to included."""
        if text_of(old) != text_of(new):
            return False
        return not _refers(old) or self.is_same_root or _reached(old, self.before) == _reached(new, self.after)

    def _all_of(self, was: list[Any], now: list[Any], at: str, depth: int) -> Iterator[Difference]:
        for index, branch in enumerate(now[: len(was)]):
            yield from self.differences(was[index], branch, at + pointer_to(index), depth + 1)
        for index, branch in enumerate(now[len(was) :], start=len(was)):
            yield Difference(Effect.NARROWER, at + pointer_to(index), f"{shown(branch)} holds, too.")
        for branch in was[len(now) :]:
            yield Difference(Effect.WIDER, at, f"{shown(branch)} holds no longer.")

    def _properties(
        self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str, depth: int
    ) -> Iterator[Difference]:
        was, now = old.get("properties", {}), new.get("properties", {})
        wanted, wants = set(old.get("required", ())), set(new.get("required", ()))
        for name in dict.fromkeys((*was, *now, *sorted(wanted | wants))):
            at = pointer + pointer_to("properties", name)
            yield from _presence(at, name in was, name in now, name in wanted, name in wants)
            if now.get(name) is False and was.get(name) is not False:
                yield Difference(Effect.NARROWER, at, "refused now.")
            elif name in was and name in now:
                yield from self.differences(was[name], now[name], at, depth + 1)
        others, of_others = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if text_of(others) != text_of(of_others):
            at = pointer + pointer_to("additionalProperties")
            if of_others is False:
                yield Difference(Effect.NARROWER, at, "other properties are refused now.")
            elif others is False:
                yield Difference(Effect.WIDER, at, "other properties are allowed now.")
            else:
                yield from self.differences(others, of_others, at, depth + 1)

    def _alternatives(
        self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str, word: str, depth: int
    ) -> Iterator[Difference]:
        at = pointer + pointer_to(word)
        if word not in old or word not in new:
            if word in new:
                yield Difference(Effect.NARROWER, at, "new.")
            elif word in old:
                yield Difference(Effect.WIDER, at, "removed.")
            return
        was, now = list(old[word]), list(new[word])
        gone = [branch for branch in was if not any(self._is_same(branch, other) for other in now)]
        come = [branch for branch in now if not any(self._is_same(other, branch) for other in was)]
        if word == "oneOf" and (gone or come) and not _are_apart(now):
            yield Difference(Effect.OTHER, at, "changed, and a value that fits two of its forms is refused.")
        if len(gone) == len(come) == 1:
            yield from self.differences(gone[0], come[0], at + pointer_to(now.index(come[0])), depth + 1)
            return
        for branch in gone:
            yield Difference(Effect.NARROWER, at, f"one form is gone: {shown(branch)}.")
        for branch in come:
            yield Difference(Effect.WIDER, at, f"one form is new: {shown(branch)}.")

    def _rest(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Difference]:
        for word in dict.fromkeys((*old, *new)):
            if word in _COMPARED or (word in old and word in new and self._is_same(old[word], new[word])):
                continue
            at = pointer + pointer_to(word)
            if word in NOTES or word.startswith("x-"):
                yield Difference(Effect.NOTE, at, "the words differ.")
            elif word == "default":
                message = told(old.get(word, ABSENT), new.get(word, ABSENT))
                yield Difference(Effect.DEFAULT, at, message)
            else:
                yield Difference(Effect.OTHER, at, "changed.")


def _presence(at: str, was: bool, now: bool, wanted: bool, wants: bool) -> Iterator[Difference]:
    if was and not now:
        yield Difference(Effect.GONE, at, "removed.")
    elif now and not was:
        yield Difference(Effect.REQUIRED if wants else Effect.NEW, at, "new, and required." if wants else "new.")
    elif wants and not wanted:
        yield Difference(Effect.REQUIRED, at, "newly required.")
    elif wanted and not wants:
        yield Difference(Effect.OPTIONAL, at, "no longer required.")


def _followed(schema: Any, root: Any) -> Mapping[str, Any]:
    """Return a schema as a mapping, its reference into its own document followed; words beside that stay."""
    beside: dict[str, Any] = {}
    for _ in range(_DEPTH):
        if not isinstance(schema, Mapping):
            return {**beside, "not": {}} if schema is False else beside
        reference = _reference(schema)
        if not reference.startswith("#"):
            return _both(schema, beside)
        here = {word: value for word, value in schema.items() if word not in ("$ref", "$defs")}
        beside, schema = _both(here, beside), _target(reference, root)
    return beside


def _both(inner: Mapping[str, Any], outer: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of what both say; where a word stands in both, each has its own say."""
    if all(
        text_of(inner[word]) == text_of(outer[word]) for word in inner.keys() & outer.keys() - {*NOTES, "default"}
    ):
        return {**inner, **outer}
    return {**outer, "allOf": [*outer.get("allOf", ()), inner]}


def _target(reference: str, root: Any) -> Any:
    target = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return target


def _reached(schema: Any, root: Any) -> dict[str, str]:
    """Return the text of all that a schema refers to, however far, by reference."""
    found: dict[str, str] = {}
    todo = [schema]
    while todo:
        inner = todo.pop()
        reference = _reference(inner)
        if reference and reference not in found:
            target = _target(reference, root)
            found[reference] = _bare_text(target)
            todo.append(target)
        todo += inner.values() if isinstance(inner, Mapping) else inner if isinstance(inner, list) else ()
    return found


def _are_apart(branches: list[Any]) -> bool:
    """Tell whether no value fits two of the branches: each has types of its own."""
    kinds = [_kinds(branch) if isinstance(branch, Mapping) and not _refers(branch) else _TYPES for branch in branches]
    return sum(map(len, kinds)) == len(frozenset().union(*kinds))


def _bare_text(schema: Any) -> str:
    """Return a schema as text, without the definitions that it carries for others."""
    is_plain = not isinstance(schema, Mapping)
    return text_of(schema if is_plain else {word: value for word, value in schema.items() if word != "$defs"})


def _reference(schema: Any) -> str:
    reference = schema.get("$ref", "") if isinstance(schema, Mapping) else ""
    return reference if isinstance(reference, str) else ""


def _is_flawed(schema: Any) -> bool:
    return not isinstance(schema, Mapping) or any(Schema(schema).flaws())


def _refers(schema: Any) -> bool:
    return '"$ref":' in text_of(schema)


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        return frozenset(map(_kind, values)) if isinstance(values, list) else _TYPES
    kinds = frozenset([declared] if isinstance(declared, str) else declared)
    return kinds | {"integer"} if "number" in kinds else kinds


def _kind(value: Any) -> str:
    return next(name for kind, name in _KINDS.items() if isinstance(value, kind))


def _types(old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Difference]:
    was, now = _kinds(old), _kinds(new)
    is_file, becomes_file = old.get("format") == "binary", new.get("format") == "binary"
    if is_file != becomes_file:
        yield Difference(Effect.RETYPED, pointer, f"a {'file' if is_file else 'value'} became the other.")
    elif was != now:
        effect = Effect.RETYPED
        if now < was:
            effect = Effect.FEWER_TYPES
        elif was < now:
            effect = Effect.MORE_TYPES
        message = f"the type {shown(old.get('type', 'any'))} became {shown(new.get('type', 'any'))}."
        yield Difference(effect, pointer, message)


def _values(old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Difference]:
    was, now = _allowed(old), _allowed(new)
    if was is None and now is None:
        return
    if was is None or now is None:
        listed = shown(new.get("enum", new.get("const"))) if was is None else ""
        message = f"only {listed} is allowed now." if was is None else "no longer bound to listed values."
        yield Difference(Effect.NARROWER if was is None else Effect.WIDER, pointer, message)
        return
    if gone := [text for text in was if text not in now]:
        yield Difference(Effect.NARROWER, pointer, f"{', '.join(gone)} no longer belongs to the listed values.")
    if come := [text for text in now if text not in was]:
        yield Difference(Effect.WIDER, pointer, f"{', '.join(come)} belongs to the listed values now.")


def _allowed(schema: Mapping[str, Any]) -> list[str] | None:
    if "const" in schema:
        return [text_of(schema["const"])]
    return [text_of(value) for value in schema["enum"]] if isinstance(schema.get("enum"), list) else None


def _bounds(old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Difference]:
    for words, sign in ((_LOWER, 1), (_UPPER, -1)):
        for word in words:
            was, now = old.get(word), new.get(word)
            if was == now:
                continue
            narrower = now is not None and (was is None or (now - was) * sign > 0)
            message = f"{word} {shown(was)} became {shown(now)}." if None not in (was, now) else f"{word} is gone."
            if was is None:
                message = f"{word} {shown(now)} is new."
            yield Difference(Effect.NARROWER if narrower else Effect.WIDER, pointer, message)
    for word in _FORMS:
        was, now = old.get(word), new.get(word)
        if text_of(was) != text_of(now) and "binary" not in (was, now):
            # What keeps one form may break another: values go, and others come.
            if now:
                yield Difference(Effect.NARROWER, pointer, f"{word} {shown(now)} holds now.")
            if was:
                yield Difference(Effect.WIDER, pointer, f"{word} {shown(was)} holds no longer.")


_COMPARED = frozenset(
    {"$defs", "$ref", "additionalProperties", "allOf", "const", "enum", "items", "properties", "required", "type"}
    | {*_LOWER, *_UPPER, *_FORMS, *_ALTERNATIVES}
)  # fmt: skip
