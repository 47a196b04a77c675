"""Take secrets out of what is kept: those that are known, and those that their names give away."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit, urlunsplit

from nango_py.masking import HIDDEN, Mask, is_secret, is_telling

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Redactor"]

_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>\s*([^<>]+?)\s*</")
_ATTRIBUTE = re.compile(r"""\s(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")
_PARAMETER = re.compile(r"[?&#;]([\w.~%-]+)=([^&#;\s\"'<>\\]+)")
"""A parameter of a link that stands in a text; in HTML it begins with ``&amp;``."""


class Redactor:
    """Know secrets, find more of them in what passes, and take them all out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._mask = Mask(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secrets."""
        self._mask.learn(secrets)

    def learn_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Learn what telling headers hold: the whole, and its parts."""
        for name, value in headers:
            self.learn_text(value)
            if is_telling(name):
                self.learn(_parts_of(value))

    def learn_text(self, text: str) -> None:
        """Learn what telling parameters of links in a text hold, and telling elements and attributes of XML.

        Such a link is a credential of its own.
        """
        self.learn(unquote_plus(value) for name, value in _PARAMETER.findall(text) if is_telling(name))
        if "<" in text:
            found = [
                *_ELEMENT.findall(text),
                *((name, one or other) for name, one, other in _ATTRIBUTE.findall(text)),
            ]
            self.learn(unescape(value) for name, value in found if is_telling(name))

    def learn_url(self, url: str) -> None:
        """Learn what telling parameters hold, and a password in the address."""
        parts = urlsplit(url)
        self.learn(value for name, value in parse_qsl(parts.query) if is_telling(name))
        if parts.password:
            self.learn([parts.password])

    def learn_body(self, body: Any) -> None:
        """Learn what stands below telling members of a parsed body, at any depth, and links in it."""
        self.learn(_told_by_name(body))
        for text in _texts(body):
            self.learn_text(text)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._mask.text(text)

    def url(self, url: str) -> str:
        """Return the URL without secrets, its parameters in order of their names."""
        parts = urlsplit(url)
        pairs = [
            (self.text(name), HIDDEN if is_telling(name) else self.text(value))
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        host = parts.netloc.rpartition("@")[2]
        query = urlencode(sorted(pairs), safe="*")
        return urlunsplit((parts.scheme, self.text(host), self.text(parts.path), query, ""))

    def body(self, body: Any) -> Any:
        """Return a parsed body without secrets; a number that is one becomes 0."""
        return self._body(body, "", is_told=False)

    def _body(self, body: Any, name: str, *, is_told: bool) -> Any:
        if isinstance(body, Mapping):
            return {
                self.text(str(inner)): self._body(
                    value, str(inner), is_told=_tells(str(inner), body, is_told=is_told)
                )
                for inner, value in body.items()
            }
        if isinstance(body, list):
            return [self._body(item, name, is_told=is_told) for item in body]
        if is_told and is_secret(name, body):
            return HIDDEN if isinstance(body, str) else 0
        return self.text(body) if isinstance(body, str) else body

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return headers without secrets; telling ones keep their name only."""
        return {name: HIDDEN if is_telling(name) else self.text(value) for name, value in headers}

    def left_in(self, text: str) -> bool:
        """Tell whether any secret, in any form, is left in a text."""
        return self._mask.is_in(text)


def _tells(name: str, body: Mapping[Any, Any], *, is_told: bool) -> bool:
    """Tell whether what *body* has under a name is a secret: by that name, or by one above it.

    A ``code`` is one where tokens are asked for.
    """
    return is_told or is_telling(name) or (name == "code" and "grant_type" in body)


def _told_by_name(body: Any, name: str = "", *, is_told: bool = False) -> Iterator[str]:
    if isinstance(body, Mapping):
        for inner, value in body.items():
            yield from _told_by_name(value, str(inner), is_told=_tells(str(inner), body, is_told=is_told))
    elif isinstance(body, list):
        for item in body:
            yield from _told_by_name(item, name, is_told=is_told)
    elif is_told and is_secret(name, body):
        yield str(body)


def _texts(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping | list):
        for inner in body.values() if isinstance(body, Mapping) else body:
            yield from _texts(inner)


def _parts_of(value: str) -> Iterator[str]:
    """Yield a credential, and what is inside of it: the words of a header, the quoted texts, a decoded pair."""
    yield value
    scheme, _, rest = value.partition(" ")
    if rest:
        yield rest
    yield from re.findall(r'"([^"]{4,})"', value)
    if scheme.lower() == "basic":
        try:
            pair = b64decode(rest, validate=True).decode()
        except ValueError:
            return
        name, _, password = pair.partition(":")
        yield from (pair, name, password)
