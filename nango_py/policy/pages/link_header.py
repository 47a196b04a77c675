"""Read the ``Link`` header (RFC 8288)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["link_of"]

LONGEST: Final = 16_384
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_PARAM: Final = re.compile(r";\s*([A-Za-z0-9!#$&+.^_|~-]+\*?)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")


def link_of(header: str, relation: str) -> str | None:
    """Return the target of the first link of a relation; relations are compared without regard to case."""
    wanted = relation.lower()
    for target, params in _LINK.findall(header[:LONGEST]):
        if wanted in _relations(params):
            return str(target).strip()
    return None


def _relations(params: str) -> list[str]:
    # Of several `rel` the first one counts (RFC 8288 section 3.3).
    for name, quoted, bare in _PARAM.findall(params):
        if name.lower() == "rel":
            return str(quoted or bare).lower().split()
    return []
