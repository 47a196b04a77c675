"""Declare what placeholders name, so that a blueprint holds nothing that nobody provides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["fields_named", "texts_in"]

_NAMED: Final = r"\$\{\s*%s\.([a-z][a-z0-9_]*)\s*\}"


def fields_named(texts: Iterable[str], section: str) -> dict[str, dict[str, Any]]:
    """Return a declaration for each name that *texts* look up in a *section*, ``credentials`` or the like.

    What stands in the host of a URL is checked to be the part of a host that it is.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        for match in re.finditer(_NAMED % section, text):
            kind = {"secret": True} if section == "credentials" else _form(text[: match.start()], text[match.end() :])
            found.setdefault(match[1], {"title": match[1].replace("_", " ").capitalize(), **kind})
    return found


def _form(before: str, after: str) -> dict[str, Any]:
    """Return the format of what stands between two parts of a URL."""
    is_whole = not after.startswith(".")
    if re.fullmatch(r"https?://[^/?#]*", before):
        return {"format": "hostname" if before.endswith("://") and is_whole else "domain-label"}
    return {"format": "uri"} if not before and after.startswith("/") else {}


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(member)
