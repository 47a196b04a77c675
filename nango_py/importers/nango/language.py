"""Read the templates of Nango's catalogue and write them as our placeholders.

Theirs is text with ``${...}``: dotted names, calls whose arguments are templates again, moments with a format; and
``||`` between whole texts, of which the first counts whose names all have a value. Ours is one Jinja expression a
placeholder, so what theirs says in text becomes an operator there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nango_py.authoring.literals import followed_by, literal
from nango_py.importers.nango.moments import moment
from nango_py.template import TemplateError, split

__all__ = ["Ref", "Untranslatable", "Words", "translate", "translate_url"]

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_SCHEME = re.compile(r"https?://")
_LONGEST, _MOST = 4000, 50
_FILTERS = {
    "base64": "base64",
    "fingerprint": "public_key_fingerprint",
    "sha256Hex": "sha256_hex",
    "sha256Base64": "sha256_base64",
}
_KEYED = {"hmacSha1Hex": "hmac_sha1_hex", "hmacSha256Hex": "hmac_sha256_hex", "ed25519Sign": "ed25519_sign"}
"""Functions of a text and a key."""


class Untranslatable(ValueError):  # noqa: N818 - it says what a template is
    """Our language has no word for it; the message says for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A name in our language; ``may_be``: whether it always has a value, may be an empty text, or may be absent."""

    text: str
    may_be: Literal["filled", "empty", "absent"] = "filled"
    has_path: bool = False
    """Whether its value may be a host and the beginning of a path: it is one of a list, not anybody's choice."""


Words = Callable[[str], Ref]
"""Finds our name for a dotted one of theirs; raises :class:`Untranslatable` for a name that nobody provides."""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Code:
    """Hold a finished expression, and the names that must have a value for it to have one."""

    text: str
    needs: tuple[Ref, ...] = ()
    is_choice: bool = False


_Parts = tuple[_Text | _Code, ...]


def translate(text: str, words: Words, *, alternatives: bool = True, keeps_empty: bool = False) -> str:
    """Return *text* in our language.

    With *alternatives*, ``||`` stands between texts to choose from; without, it is text. Where a name in the middle
    of text has no value, the whole text is left out, unless the place *keeps_empty* texts.

    Raises:
        Untranslatable: It holds something that our language has no word for.
    """
    _check_size(text)
    sides = _sides(text) if alternatives else [text]
    if len(sides) > 1:
        return _readable(_placeholder(_choice([_parts(side, words) for side in sides])))
    return _readable(_written(_parts(text, words), keeps_empty=keeps_empty))


def translate_url(text: str, words: Words) -> str:
    """Return the template of a URL in our language; what its alternatives have in common stays outside.

    So a value in a host is checked to be a name, and no value has a say in what follows.

    Raises:
        Untranslatable: It holds something that our language has no word for.
    """
    _check_size(text)
    sides = _sides(text)
    if len(sides) == 1:
        return _readable(_plain(_with_scheme(_parts(text, words))))
    origins, paths = zip(*(_at_path(side) for side in sides), strict=True)
    if len(set(paths)) > 1:
        return _readable(_placeholder(_choice([_parts(side, words) for side in sides])))
    schemes = [_SCHEME.match(origin) for origin in origins]
    scheme = schemes[0][0] if schemes[0] else ""
    if not all(found is not None and found[0] == scheme for found in schemes):
        scheme = ""
    hosts = [_parts(origin.removeprefix(scheme), words) for origin in origins]
    return _readable(f"{scheme}{_placeholder(_choice(hosts))}{_plain(_parts(paths[0], words))}")


def _check_size(text: str) -> None:
    """Refuse what would take long to read, or would be nested too deeply: no expression of ours is so long."""
    if len(text) > _LONGEST or text.count("${") > _MOST:
        raise Untranslatable(f"more than {_LONGEST:,} characters or {_MOST} placeholders")


def _with_scheme(parts: _Parts) -> _Parts:
    """Return the parts of a URL; a host that may have a path is one with its scheme, for it is no name."""
    match parts:
        case (_Text(scheme), _Code(code, needs), *rest) if _SCHEME.fullmatch(scheme):
            if any(ref.has_path for ref in needs):
                return (_Code(f"{_quoted(scheme)} ~ {code}", needs), *rest)
    return parts


def _readable(text: str) -> str:
    """Return *text* if our language can read it: it may be longer than an expression is allowed to be."""
    try:
        split(text)
    except TemplateError as error:
        raise Untranslatable(f"what cannot be said here: {str(error).rstrip('.')}") from None
    return text


# --- reading -------------------------------------------------------------------------------------------------------


def _sides(text: str) -> list[str]:
    """Return the texts between ``||``; one inside a placeholder does not part them."""
    found, begin = [], 0
    inside = [span for kind, span in _spans(text) if kind == "code"]
    for mark in re.finditer(r"\|\|", text):
        if not any(start <= mark.start() < end for start, end in inside):
            found.append(text[begin : mark.start()].strip())
            begin = mark.end()
    return [*found, text[begin:].strip()] if found else [text]


def _at_path(url: str) -> tuple[str, str]:
    """Return a URL's scheme and host, and what follows them."""
    inside = [span for kind, span in _spans(url) if kind == "code"]
    scheme = _SCHEME.match(url)
    for slash in re.finditer("/", url):
        at = slash.start()
        if at >= (scheme.end() if scheme else 0) and not any(start <= at < end for start, end in inside):
            return url[:at], url[at:]
    return url, ""


def _spans(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield where text and placeholders begin and end; one that is not closed is text."""
    at = 0
    while (begin := text.find("${", at)) >= 0:
        end, depth = begin + 2, 1
        while depth and end < len(text):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        if depth:
            break
        yield "text", (at, begin)
        yield "code", (begin, end)
        at = end
    yield "text", (at, len(text))


def _parts(text: str, words: Words) -> _Parts:
    parts: list[_Text | _Code] = []
    for kind, (begin, end) in _spans(text):
        if kind == "code":
            parts.append(_code(text[begin + 2 : end - 1], words))
        elif begin < end:
            parts.append(_Text(text[begin:end]))
    return tuple(parts)


def _code(inner: str, words: Words) -> _Code:
    if len(sides := _sides(inner)) > 1:
        return _Code(_choice([(_code(side, words),) for side in sides]), is_choice=True)
    if call := _CALL.fullmatch(inner):
        return _call(call[1], call[2], words)
    if inner == "random":
        return _Code("uuid()")
    try:
        written = moment(inner)
    except ValueError as error:
        raise Untranslatable(str(error)) from None
    if written is not None:
        return _Code(written)
    if "${" in inner:
        raise Untranslatable("a placeholder inside a placeholder's name")
    found = words(inner)
    return _Code(found.text, (found,))


def _call(name: str, inside: str, words: Words) -> _Code:
    if name in _FILTERS:
        return _Code(f"{_operand(_parts(inside, words))} | {_FILTERS[name]}")
    if name in _KEYED:
        text, key = _last_two(inside)
        return _Code(f"{_operand(_parts(text, words))} | {_KEYED[name]}({_joined(_parts(key, words))})")
    raise Untranslatable(f"the function {name}()")


def _last_two(inside: str) -> tuple[str, str]:
    """Return the arguments before and behind the last comma that stands in no placeholder."""
    spans = [span for kind, span in _spans(inside) if kind == "code"]
    for comma in reversed(list(re.finditer(",", inside))):
        if not any(start <= comma.start() < end for start, end in spans):
            return inside[: comma.start()].strip(), inside[comma.end() :].strip()
    raise Untranslatable("a function without its second argument")


# --- writing -------------------------------------------------------------------------------------------------------


def _written(parts: _Parts, *, keeps_empty: bool) -> str:
    """Return a whole text: as it stands where every name in it has a value, else as one expression."""
    loose = [ref for part in parts if isinstance(part, _Code) for ref in part.needs if ref.may_be != "filled"]
    if len(parts) < 2 or not loose:  # noqa: PLR2004 - one part
        return _plain(parts)
    absent = [ref.text for ref in loose if ref.may_be == "absent"]
    if keeps_empty or not absent:
        return _placeholder(_joined(parts))
    empty = any(ref.may_be == "empty" for ref in loose)
    text = _joined(parts) if empty else _row(parts)
    return _placeholder(f"{text} if {' and '.join(dict.fromkeys(absent))} else none")


def _plain(parts: _Parts) -> str:
    written = ""
    for part in parts:
        if isinstance(part, _Text):
            written = followed_by(written, literal(part.text))
        else:
            written = followed_by(written, _placeholder(part.text))
    return written


def _placeholder(code: str) -> str:
    return f"${{{code}}}" if code else ""


def _choice(sides: list[_Parts]) -> str:
    """Return the first of *sides* whose names all have a value; one without names counts only at the end."""
    *before, last = sides
    chosen = _guarded(last)
    for side in reversed(before):
        names = [ref.text for part in side if isinstance(part, _Code) for ref in part.needs]
        if not names and all(isinstance(part, _Text) for part in side):
            continue
        if len(side) == 1:
            chosen = f"{_row(side)} or {_bracketed(chosen)}" if chosen else _row(side)
        else:
            chosen = f"{_row(side)} if {' and '.join(dict.fromkeys(names))} else {chosen or 'none'}"
    return chosen


def _guarded(parts: _Parts) -> str:
    names = [ref.text for part in parts if isinstance(part, _Code) for ref in part.needs]
    if len(parts) > 1 and names:
        return f"{_row(parts)} if {' and '.join(dict.fromkeys(names))} else none"
    return _joined(parts) if parts else ""


def _bracketed(code: str) -> str:
    return f"({code})" if " if " in code else code


def _row(parts: _Parts) -> str:
    """Return text and values in a row, all of which have a value where this is worked out."""
    return " ~ ".join(
        f"({part.text})" if isinstance(part, _Code) and part.is_choice else _one(part) for part in parts
    )


def _joined(parts: _Parts) -> str:
    """Return text and values in a row as one value; a name without one adds nothing."""
    if not parts:
        return "''"
    if len(parts) == 1:
        return _one(parts[0])
    # `~` would write None where there is no value.
    return f"[{', '.join(_one(part) for part in parts)}] | join"


def _operand(parts: _Parts) -> str:
    """Return what a filter is put behind."""
    if len(parts) == 1 and isinstance(parts[0], _Code):
        if parts[0].is_choice:
            return f"({parts[0].text})"
        if any(ref.may_be == "empty" for ref in parts[0].needs):
            return f"[{parts[0].text}] | join"  # filters let what has no value pass, and an empty text has none
    return _joined(parts)


def _one(part: _Text | _Code) -> str:
    return _quoted(part.text) if isinstance(part, _Text) else part.text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
