"""A walk's position as text: opaque, bounded, without credentials."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from nango_py.errors import UsageError
from nango_py.policy.pages.walk import Position

__all__ = ["read_position", "write_position"]

FORM: Final = 1
LONGEST: Final = 65_536
# Some providers repeat the caller's token in the links they give (Facebook's Graph API).
CREDENTIAL_NAMES: Final = frozenset(
    {
        "access_token",
        "accesstoken",
        "api_key",
        "apikey",
        "api_token",
        "apitoken",
        "app_key",
        "appsecret_proof",
        "auth_token",
        "client_secret",
        "hapikey",
        "oauth_token",
        "password",
        "private_token",
        "secret",
        "x-api-key",
    }
)
_MARKS: Final[dict[str, tuple[type, ...]]] = {
    "cursor": (str, int, float, type(None)),
    "link": (str, type(None)),
    "offset": (int,),
    "page": (int,),
}


def write_position(position: Position) -> str:
    """Return a position as JSON text."""
    members = asdict(position)
    if position.type == "link" and isinstance(position.mark, str):
        members["mark"] = _without_credentials(position.mark)
    return json.dumps({"form": FORM, **members}, separators=(",", ":"))


def read_position(text: str) -> Position:
    """Return the position that a text holds, or raise a UsageError."""
    try:
        members = json.loads(text[:LONGEST])
        position = Position(**{**members, "seen": tuple(members["seen"])}) if _fits(members) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        position = None
    if position is None:
        raise UsageError(
            "the position is not one that a walk over pages gave. Pass the text of `Page.position` unchanged, "
            "or none to begin at the first page"
        )
    return position


def _fits(members: Any) -> bool:
    return (
        members.pop("form") == FORM
        and type(members["mark"]) in _MARKS[members["type"]]
        and all(_is_whole(members[name]) for name in ("number", "items", "empties", "repeats"))
        and members["number"] >= 1
        and (members["page_size"] is None or _is_whole(members["page_size"]))
        and type(members["in_body"]) is bool
        and all(isinstance(members[name], str | None) for name in ("anchor", "last"))
        and isinstance(members["seen"], list)
        and all(isinstance(digest, str) for digest in members["seen"])
        and _is_sound(members["type"], members["mark"])
    )


def _is_whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_sound(kind: str, mark: object) -> bool:
    if kind == "link" and isinstance(mark, str):
        return urlsplit(mark).scheme in ("http", "https")
    return not isinstance(mark, float) or math.isfinite(mark)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    query = "&".join(pair for pair in parts.query.split("&") if _name(pair) not in CREDENTIAL_NAMES)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).lower()
