"""The one home of what gives a secret away and of what takes it out of texts: names, thresholds, encodings.

What programs make of a secret is of two kinds:

- It is *escaped* sign by sign, for URLs, JSON, HTML or source code. So a text is read as all that it may mean: at
  each place stands the sign itself and, where an escape begins, the sign that is meant; an escape may be escaped
  again. Nothing that stands beside a secret can hide it so.
- Its bytes are *coded*, in base64 or hexadecimal digits. These are forms of their own, which are looked for the same
  way; what is coded may have been escaped or coded before.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HIDDEN", "Mask", "is_harmless", "is_secret", "is_telling", "mask_of", "sent_secrets"]

HIDDEN: Final = "***"
_SHORTEST: Final = 4
"""Shorter secrets would mask ordinary words."""
_LEAST_CODED = 6
"""Of base64 and of what a request sends under any name, so much is no ordinary word."""
_NESTED = 3
"""How often an escape may be escaped: JSON within JSON within JSON, or in a URL."""

_TELLING = re.compile(
    r"(?i)authorization|api[-_]?key|app[-_]?key|cookie|credential|passphrase|passwd|password|private[-_]?key|secret"
    r"|signature|token|assertion|code_verifier|x-wsse|\bsig\b|\bjwt\b"
)
_HARMLESS = re.compile(
    r"(?i)(page|pagination|next|cursor|continuation|sync|delta|previous|prev)[-_]?token|token[-_]?(type|url)"
)
_PLAIN = re.compile(r"(?i)expir|issued|lifetime|scope|_type$|^type$")
"""Names of what stands beside a secret, inside of what is named after it, and is none."""
_NUMBER = re.compile(r"(?i)(key|passphrase|passwd|password|secret|token|^value)$")
"""Names of numbers that are secrets; ``total_tokens`` and ``token_lifetime`` are none."""
_PUBLIC = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
    | {"client_id", "grant_type", "redirect_uri", "resource", "response_type", "scope", "token_type_hint"}
)
"""Headers and fields of a token request that hold no secret, and may be words of the messages. A client's id is none
(RFC 6749 section 2.2)."""


def is_telling(name: str) -> bool:
    """Tell whether what bears the name is a secret."""
    return _TELLING.search(name) is not None and not is_harmless(name)


def is_harmless(name: str) -> bool:
    """Tell whether a name is one of those that sound like a secret's, such as ``page_token``, and are none."""
    return _HARMLESS.search(name) is not None


def is_secret(name: str, leaf: Any) -> bool:
    """Tell whether a leaf at or below a telling name is a secret; *name* is the leaf's own."""
    if isinstance(leaf, str):
        return leaf != "" and (is_telling(name) or _PLAIN.search(name) is None)
    return isinstance(leaf, int | float) and not isinstance(leaf, bool) and _NUMBER.search(name) is not None


def sent_secrets(value: Any) -> Iterator[str]:
    """Yield what a token request sends and must not come back: whatever its name does not tell to be public."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if str(name).lower() not in _PUBLIC:
                yield from sent_secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from sent_secrets(item)
    elif isinstance(value, str) and len(value) >= _LEAST_CODED:
        yield value


class Mask:
    """Take secrets out of texts, in whatever encoding they come."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._waiting: tuple[str, ...] = ()
        self._shortest = sys.maxsize
        self._heads: dict[str, list[str | tuple[str, int]]] = {}
        """The forms by their first signs; coded ones are many and long: for them, whose it is and its number."""
        self._alphabet: frozenset[str] = frozenset()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secrets; what is too short to be told from a word is left out."""
        new = {one for one in secrets if len(one) >= _SHORTEST and one != HIDDEN} - self._secrets
        if new:
            self._secrets |= new
            self._waiting += tuple(new)
            signs = {sign for one in new if not one.isascii() for sign in one + one.lower() + one.upper()}
            self._alphabet |= {sign for sign in signs if not sign.isascii()}
            self._shortest = min(self._shortest, *map(len, new))

    def _index(self) -> None:
        # Two threads at it do the same twice: what waits is given up when it is done, not before.
        for secret in self._waiting:
            # A hexadecimal key is the same in small and in large letters.
            for form in {secret, secret.lower(), secret.upper()}:
                self._put(form, form)
            for number, form in enumerate(_coded_forms(secret)):
                self._put(form, (secret, number))
        self._waiting = ()

    def _put(self, form: str, entry: str | tuple[str, int]) -> None:
        for length in range(_SHORTEST):
            self._heads.setdefault(form[:length], [])
        self._heads.setdefault(form[:_SHORTEST], []).append(entry)

    def _read(self, text: str, reach: int) -> _Reader | None:
        """Return what reads a text, None where no secret fits into it: no encoding makes one shorter."""
        if len(text) < self._shortest:
            return None
        self._index()
        return _Reader(text, self._alphabet, reach)

    def text(self, text: str, most: int | None = None) -> str:
        """Return *text* without secrets, the first *most* characters of it; they end in no half of a secret."""
        reader = self._read(text, len(text) if most is None else most)
        if reader is None:
            return text[:most]
        pieces: list[str] = []
        size = hidden = place = 0
        while True:
            # What is shown reaches so far if nothing more is hidden.
            stop = len(text) if most is None else hidden + most - size
            found = self._next(reader, place, stop)
            if found is None:
                return "".join((*pieces, text[hidden:]))[:most]
            place, end = found
            if place >= hidden:
                pieces += (text[hidden:place], HIDDEN)
                size += place - hidden + len(HIDDEN)
            hidden = max(hidden, end)
            place += 1

    def is_in(self, text: str) -> bool:
        """Tell whether there is any secret in *text*."""
        reader = self._read(text, len(text))
        return reader is not None and self._next(reader, 0, len(text)) is not None

    def _next(self, reader: _Reader, start: int, stop: int) -> tuple[int, int] | None:
        """Return the first place where a secret begins, and where the longest one that begins there ends."""
        text, heads = reader.text, self._heads
        lead = -1
        for place in range(start, min(stop, len(text) - _SHORTEST + 1)):
            if lead < place:
                lead = reader.lead(place)
            # Up to an escape, what stands there can only mean itself.
            if text[place : min(lead, place + _SHORTEST)] not in heads:
                continue
            ends = [
                reader.end_of(_form(entry)[_SHORTEST:], at)
                for head, at in self._read_heads(reader, place)
                for entry in heads[head]
            ]
            if reader.is_weary:
                return place, len(text)
            if any(ends):
                return place, max(filter(None, ends))
        return None

    def _read_heads(self, reader: _Reader, place: int) -> Iterable[tuple[str, int]]:
        states = {("", place)}
        for _ in range(_SHORTEST):
            states = {
                (head + sign, end)
                for head, at in states
                for sign, end in reader.signs(at)
                if head + sign in self._heads
            }
        return states


@lru_cache(maxsize=32)
def mask_of(secrets: tuple[str, ...]) -> Mask:
    """Return the mask of some secrets, which nobody may let learn more."""
    return Mask(secrets)


def _form(entry: str | tuple[str, int]) -> str:
    return entry if isinstance(entry, str) else _coded_forms(entry[0])[entry[1]]


@lru_cache(maxsize=16)
def _coded_forms(secret: str) -> tuple[str, ...]:
    """Return what a secret is when it is coded, and was escaped or coded before; always in one order."""
    coded = tuple(_coded(secret))
    twice = (again for before in dict.fromkeys((*_written(secret), *coded)) for again in _coded(before))
    return tuple(dict.fromkeys((*coded, *twice)))


def _written(secret: str) -> Iterator[str]:
    """Yield a secret as the usual encoders write it; of letters and digits all make the same."""
    from html import escape  # noqa: PLC0415 - few programs make an error or a line with a secret

    content = secret.encode("utf-8", "surrogatepass")
    for quoted in (quote(content, safe=""), quote(content), quote_plus(content)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    ascii_only, unicode = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from (ascii_only, unicode, ascii_only.replace("/", "\\/"), unicode.replace("/", "\\/"))
    yield re.sub("[&<>]", lambda found: f"\\u{ord(found[0]):04x}", ascii_only)
    yield escape(secret, quote=False)
    yield from (escape(secret).replace("&#x27;", mark) for mark in ("&#x27;", "&#39;", "&#039;", "&apos;"))
    yield from (secret.encode("unicode_escape").decode(), repr(content)[2:-1])
    for escaped in (_units, _large_units, lambda sign: f"&#{ord(sign)};"):
        yield "".join(
            sign if (sign.isascii() and sign.isalnum()) or sign in "_.-" else escaped(sign) for sign in secret
        )


def _units(sign: str) -> str:
    """Return a sign as JSON escapes it, by its units of UTF-16."""
    content = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{content[at : at + 4]}" for at in range(0, len(content), 4))


def _large_units(sign: str) -> str:
    return _units(sign).upper().replace("U", "u")


def _coded(text: str) -> Iterator[str]:
    """Yield what a text is in hexadecimal digits, and in base64 at any offset of a longer content."""
    content = text.encode("utf-8", "surrogatepass")
    yield from (content.hex(), content.hex().upper())
    for offset in range(3):
        whole = b64encode(b"\0" * offset + content).decode()
        # What the neighbours share with the text is cut off at both ends.
        first = -(-offset * 4 // 3)
        last = len(whole.rstrip("=")) - (1 if (offset + len(content)) % 3 else 0)
        for inside in (whole[first:last], *((whole, whole.rstrip("=")) if offset == 0 else ())):
            if len(inside) >= _LEAST_CODED:
                yield inside
                yield inside.replace("+", "-").replace("/", "_")


_SIGNS: Final = frozenset("%\\&+")
"""What every escape begins with, the plus sign for a space among them."""
_LEADS = re.compile(r"[%\\&+]")
_LETTERS = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e", "\0": "0"}
_MOST_KNOWN = 10_000
_Node: TypeAlias = "dict[str, Any]"


class _Reader:
    """Read a text as all that it may mean."""

    def __init__(self, text: str, alphabet: frozenset[str], reach: int) -> None:
        self.text = text
        self._alphabet = alphabet
        self._known: dict[tuple[int, int], tuple[tuple[str, int], ...]] = {}
        self._after = self._lead = -1
        self._steps = 100_000 + 50 * reach

    @property
    def is_weary(self) -> bool:
        """Tell whether the text is made to be hard to read: rather than to go on, all the rest is to be hidden."""
        return self._steps < 0

    def lead(self, place: int) -> int:
        """Return where the next escape may begin."""
        if not self._after <= place <= self._lead:
            found = _LEADS.search(self.text, place)
            self._after, self._lead = place, sys.maxsize if found is None else found.start()
        return self._lead

    def end_of(self, text: str, place: int) -> int | None:
        """Return where *text* ends that begins at a place, escaped or not; the farthest end of several."""
        if self.lead(place) >= place + len(text):  # there is no escape in it
            return place + len(text) if self.text.startswith(text, place) else None
        ends = {place}
        for wanted in text:
            self._steps -= len(ends)
            if self.is_weary:
                return None
            ends = {end for at in ends for sign, end in self.signs(at) if sign == wanted}
            if not ends:
                return None
        return max(ends)

    def signs(self, place: int, depth: int = _NESTED) -> tuple[tuple[str, int], ...]:
        """Return the signs that may be meant at a place, each with where it ends."""
        if place >= len(self.text):
            return ()
        sign = self.text[place]
        if depth == 0 or sign not in _SIGNS:
            return ((sign, place + 1),)
        known = self._known.get((place, depth))
        if known is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            found = self._unescaped(_escapes_of(self._alphabet), place, depth)
            known = self._known[place, depth] = tuple(dict.fromkeys(((sign, place + 1), *found)))
        return known

    def _unescaped(self, node: _Node, place: int, depth: int) -> Iterator[tuple[str, int]]:
        for sign, end in self.signs(place, depth - 1):
            self._steps -= 1
            below = node.get(sign)
            if below is not None:
                yield from ((meant, end) for meant in below.get("", ()))
                yield from self._unescaped(below, end, depth)


@lru_cache(maxsize=8)
def _escapes_of(alphabet: frozenset[str]) -> _Node:
    """Return the escapes of ASCII and of other signs as a tree, sign by sign; below "" is what they stand for."""
    root: _Node = {}
    for meant in (*map(chr, range(128)), *alphabet):
        for escape in dict.fromkeys(_escapes(meant)):
            node = root
            for sign in escape:
                node = node.setdefault(sign, {})
            node.setdefault("", []).append(meant)
    return root


def _escapes(sign: str) -> Iterator[str]:
    """Yield how a sign is escaped in URLs, HTML, JSON and source code."""
    code, content = ord(sign), sign.encode("utf-8", "surrogatepass")
    for digit in "xX":
        yield "".join(f"%{byte:02{digit}}" for byte in content)
        yield "".join(f"\\x{byte:02{digit}}" for byte in content)
        yield from (f"\\x{code:02{digit}}", f"\\U{code:08{digit}}", f"\\u{{{code:{digit}}}}")
        yield from (f"&#x{code:{digit}};", f"&#x{code:02{digit}};")
    yield from (_units(sign), _large_units(sign), f"&#{code};", f"&#{code:03};")
    yield from (f"&{name}" for name in _entities().get(sign, ()))
    if sign in _LETTERS:
        yield f"\\{_LETTERS[sign]}"
    if not sign.isalnum():
        yield f"\\{sign}"
    if sign == " ":
        yield "+"


@lru_cache(maxsize=1)
def _entities() -> Mapping[str, list[str]]:
    from html.entities import html5  # noqa: PLC0415 - two thousand names, for those texts only that hold an escape

    names: dict[str, list[str]] = {}
    for name, sign in html5.items():
        if name.endswith(";"):
            names.setdefault(sign, []).append(name)
    return names
