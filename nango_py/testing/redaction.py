"""Take secrets out of what is kept: those that are known, and those that their names give away."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
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
_PARAMETER = re.compile(r"[?&#;]([\w.~%-]+)=([^&#;\s\"'<>\\]+)")
"""A parameter of a link that stands in a text; in HTML it begins with ``&amp;``."""


def forms(secret: str) -> Iterator[str]:
    """Yield what a secret looks like in URLs, JSON, base64 at any offset, and hexadecimal digits."""
    content = secret.encode()
    yield secret
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
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
        """Learn what telling parameters of links in a text hold: such a link is a credential of its own."""
        self.learn(unquote_plus(value) for name, value in _PARAMETER.findall(text) if _is_telling(name))

    def learn_url(self, url: str) -> None:
        """Learn what telling parameters hold, and a password in the address."""
        parts = urlsplit(url)
        self.learn(value for name, value in parse_qsl(parts.query) if _is_telling(name))
        if parts.password:
            self.learn([parts.password])

    def learn_body(self, body: Any) -> None:
        """Learn what telling members of a parsed body hold, at any depth, and links in it."""
        if isinstance(body, str):
            self.learn_text(body)
        elif isinstance(body, Mapping):
            for name, value in body.items():
                if _is_telling(str(name), in_grant="grant_type" in body):
                    several = value if isinstance(value, list) else [value]
                    self.learn(one for one in several if isinstance(one, str))
                self.learn_body(value)
        elif isinstance(body, list):
            for item in body:
                self.learn_body(item)

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
        """Return a parsed body without secrets."""
        if isinstance(body, Mapping):
            return {
                self.text(str(name)): REDACTED
                if isinstance(value, str) and value and _is_telling(str(name), in_grant="grant_type" in body)
                else self.body(value)
                for name, value in body.items()
            }
        if isinstance(body, list):
            return [self.body(item) for item in body]
        return self.text(body) if isinstance(body, str) else body

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return headers without secrets; telling ones keep their name only."""
        return {name: REDACTED if _is_telling(name) else self.text(value) for name, value in headers}

    def left_in(self, text: str) -> bool:
        """Tell whether any secret, in any form, is left in a text."""
        return self._pattern is not None and self._pattern.search(text) is not None


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
