"""Take secrets out of what is kept: those that are known, and those that their names give away."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["REDACTED", "Redactor", "forms"]

REDACTED: Final = "***"
_SHORTEST: Final = 4
"""Shorter secrets are taken out where a name gives them away; searched for, they would mask ordinary words."""
_SHORTEST_CODED = 6
_NAMES = re.compile(
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
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>\s*([^<>]+?)\s*</")
_ATTRIBUTE = re.compile(r"""\s(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")
_PARAMETER = re.compile(r"[?&#;]([\w.~%-]+)=([^&#;\s\"'<>\\]+)")
"""A parameter of a link that stands in a text; in HTML it begins with ``&amp;``."""


def forms(secret: str) -> Iterator[str]:
    """Yield what a secret looks like in URLs, XML, JSON, base64 at any offset, and hexadecimal digits."""
    content = secret.encode()
    yield secret
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield escape(secret)
    yield escape(secret, quote=False)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]
    yield from (content.hex(), content.hex().upper())
    for offset in range(3):
        # What the neighbours share with the secret is cut off at both ends.
        whole = b64encode(b"\0" * offset + content).decode().rstrip("=")
        first = -(-offset * 4 // 3)
        last = len(whole) - (1 if (offset + len(content)) % 3 else 0)
        inside = whole[first:last]
        if len(inside) >= _SHORTEST_CODED:
            yield inside
            yield inside.replace("+", "-").replace("/", "_")


def _is_telling(name: str, *, in_grant: bool = False) -> bool:
    """Tell whether what bears the name is a secret; a ``code`` is one where tokens are asked for."""
    if in_grant and name == "code":
        return True
    return _NAMES.search(name) is not None and _HARMLESS.search(name) is None


class Redactor:
    """Know secrets, find more of them in what passes, and take them all out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secrets."""
        new = {secret for secret in secrets if len(secret) >= _SHORTEST and secret != REDACTED} - self._secrets
        if new:
            self._secrets |= new
            # Of two forms that begin alike the longer one has to come first.
            every = sorted({form for secret in self._secrets for form in forms(secret)}, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, every)))

    def learn_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Learn what telling headers hold: the whole, and its parts."""
        for name, value in headers:
            self.learn_text(value)
            if _is_telling(name):
                self.learn(_parts_of(value))

    def learn_text(self, text: str) -> None:
        """Learn what telling parameters of links in a text hold, and telling elements and attributes of XML.

        Such a link is a credential of its own.
        """
        self.learn(unquote_plus(value) for name, value in _PARAMETER.findall(text) if _is_telling(name))
        if "<" in text:
            found = [
                *_ELEMENT.findall(text),
                *((name, one or other) for name, one, other in _ATTRIBUTE.findall(text)),
            ]
            self.learn(unescape(value) for name, value in found if _is_telling(name))

    def learn_url(self, url: str) -> None:
        """Learn what telling parameters hold, and a password in the address."""
        parts = urlsplit(url)
        self.learn(value for name, value in parse_qsl(parts.query) if _is_telling(name))
        if parts.password:
            self.learn([parts.password])

    def learn_body(self, body: Any) -> None:
        """Learn what stands below telling members of a parsed body, at any depth, and links in it."""
        self.learn(_told_by_name(body))
        for text in _texts(body):
            self.learn_text(text)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def url(self, url: str) -> str:
        """Return the URL without secrets, its parameters in order of their names."""
        parts = urlsplit(url)
        pairs = [
            (self.text(name), REDACTED if _is_telling(name) else self.text(value))
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
        if is_told and _is_secret(name, body):
            return REDACTED if isinstance(body, str) else 0
        return self.text(body) if isinstance(body, str) else body

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return headers without secrets; telling ones keep their name only."""
        return {name: REDACTED if _is_telling(name) else self.text(value) for name, value in headers}

    def left_in(self, text: str) -> bool:
        """Tell whether any secret, in any form, is left in a text."""
        return self._pattern is not None and self._pattern.search(text) is not None


def _tells(name: str, body: Mapping[Any, Any], *, is_told: bool) -> bool:
    """Tell whether what *body* has under a name is a secret: by that name, or by one above it."""
    return is_told or _is_telling(name, in_grant="grant_type" in body)


def _is_secret(name: str, leaf: Any) -> bool:
    """Tell whether a leaf at or below a telling name is a secret; *name* is the leaf's own."""
    if isinstance(leaf, str):
        return leaf != "" and (_is_telling(name) or _PLAIN.search(name) is None)
    return isinstance(leaf, int | float) and not isinstance(leaf, bool) and _NUMBER.search(name) is not None


def _told_by_name(body: Any, name: str = "", *, is_told: bool = False) -> Iterator[str]:
    if isinstance(body, Mapping):
        for inner, value in body.items():
            yield from _told_by_name(value, str(inner), is_told=_tells(str(inner), body, is_told=is_told))
    elif isinstance(body, list):
        for item in body:
            yield from _told_by_name(item, name, is_told=is_told)
    elif is_told and _is_secret(name, body):
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
