"""What passes between a program and a simulated provider, as the provider sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answered", "Asked", "Seen", "json_body"]

Mishap = Literal["reset", "slow", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came in; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def address(self) -> str:
        """The URL without its query."""
        return self.url.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query; of a name that comes twice, the last value."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body; none where the body is no form."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.content.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The JSON body; None where there is none."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer, and what happens to it on its way."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    mishap: Mishap | None = None


def json_body(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answered:
    """Return an answer with a JSON body."""
    content = json.dumps(body).encode()
    return Answered(status=status, headers={"Content-Type": "application/json", **(headers or {})}, content=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the provider saw it, and the status it was answered with; 0 where the answer never came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    status: int
    url: str = ""
    content: bytes = field(default=b"", repr=False)
