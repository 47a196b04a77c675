"""Which keys are worth a question, as the schemas have them; no auth mode has a list of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.declare.schema import load_schema
from nango_py.document import scalar
from nango_py.errors import UsageError
from nango_py.location import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Key", "auth_keys", "auth_schema", "given_keys", "mode_of", "page_keys", "page_schema", "page_types"]

_USUAL_OF_AUTH: Final = ("placement", "name", "authorization_url", "token_url")
"""Keys of `auth` that are worth a question wherever a mode has them; the others have defaults that mostly hold."""
_OF_PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "cursor": ("cursor_name_in_request", "cursor_path_in_response"),
    "link": ("link_rel_in_response_header", "link_path_in_response_body"),
    "offset": ("offset_name_in_request",),
    "page": ("page_name_in_request",),
}
_USUAL_OF_PAGES: Final = ("limit_name_in_request", "limit", "response_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that is worth a question: its name, with dots, and what is asked."""

    name: str
    text: str
    default: str = ""
    words: tuple[str, ...] = ()
    required: bool = False


def mode_of(word: str) -> str:
    """Return the auth mode that *word* spells.

    Raises:
        UsageError: There is none.
    """
    mode = word.upper().replace("-", "_")
    mode = SPELLINGS.get(mode, mode)
    if mode not in SCHEMES:
        raise UsageError(f"{word!r} is no auth mode. {did_you_mean(mode, SCHEMES)} All: {', '.join(SCHEMES)}.")
    return mode


def auth_schema(mode: str) -> dict[str, Any]:
    """Return the schema of a mode's keys."""
    return load_schema(f"auth/{mode.lower()}.schema.json")


def page_schema() -> dict[str, Any]:
    """Return the schema of ``pagination``."""
    schema: dict[str, Any] = load_schema("blueprint.schema.json")["$defs"]["pagination"]
    return schema


def page_types() -> tuple[str, ...]:
    """Return the types of pagination."""
    return tuple(_OF_PAGES)


def auth_keys(mode: str) -> Iterator[Key]:
    """Yield what to ask of an auth mode, the keys that it cannot be without first."""
    schema = auth_schema(mode)
    required = schema.get("required", ())
    yield from _keys(schema, (*required, *(name for name in _USUAL_OF_AUTH if name not in required)), required)


def page_keys(kind: str) -> Iterator[Key]:
    """Yield what to ask of a type of pagination."""
    own = _OF_PAGES[kind]
    # A link or a cursor may stand in several places, and the loader says so where none is named.
    yield from _keys(page_schema(), (*own, *_USUAL_OF_PAGES), () if kind == "link" else own[:1])


def _keys(schema: Mapping[str, Any], names: Iterable[str], required: Iterable[str], above: str = "") -> Iterator[Key]:
    for name in names:
        key = schema["properties"].get(name, {})
        if key.get("type") == "object":
            # Only what it cannot be without: what else may stand there is for the file.
            below = key.get("required", ())
            yield from _keys(key, below, below, f"{above}{name}.")
        elif "enum" in key or isinstance(key.get("type"), str):
            yield Key(
                name=f"{above}{name}",
                text=key["description"].rstrip("."),
                default=str(key.get("default", "")),
                words=tuple(key.get("enum", ())),
                required=name in required,
            )


def given_keys(pairs: Mapping[str, str], schema: Mapping[str, Any], option: str) -> dict[str, Any]:
    """Return the keys that texts give, those with dots in their names nested, each of the type that the schema wants.

    Raises:
        UsageError: The schema has no such key; the message names the *option*.
    """
    made: dict[str, Any] = {}
    for name, text in pairs.items():
        *above, last = name.split(".")
        at, below = made, schema
        for part in above:
            below = _member(below, part, name, option)
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise UsageError(f"{option} gives {name!r}, and a value where that stands.")
        at[last] = _value(text, _member(below, last, name, option))
    return made


def _member(schema: Mapping[str, Any], name: str, whole: str, option: str) -> Mapping[str, Any]:
    properties = schema.get("properties", {})
    if name in properties:
        member: Mapping[str, Any] = properties[name]
        return member
    if isinstance(schema.get("additionalProperties"), dict):
        return {}
    raise UsageError(f"{option} has no key {whole!r}. {did_you_mean(name, properties)}".rstrip())


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    return scalar(text) if text and kind in {"integer", "number", "boolean"} else text
