"""Read the ``Link`` header (RFC 8288)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["link_of", "parameter_of"]

LONGEST: Final = 16_384
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_PARAM: Final = re.compile(r";\s*([A-Za-z0-9!#$&+.^_|~-]+\*?)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")


def link_of(header: str, relation: str) -> str | None:
    """Return the target of the first link of a relation; relations are compared without regard to case."""
    found = _found(header, relation)
    return None if found is None else found[0].strip()


def parameter_of(header: str, relation: str, name: str) -> str | None:
    """Return a parameter of the first link of a relation, None without it; names have no case, either."""
    found = _found(header, relation)
    return None if found is None else _parameter(found[1], name)


def _found(header: str, relation: str) -> tuple[str, str] | None:
    wanted = relation.lower()
    for target, params in _LINK.findall(header[:LONGEST]):
        if wanted in (_parameter(params, "rel") or "").lower().split():
            return str(target), str(params)
    return None


def _parameter(params: str, wanted: str) -> str | None:
    # Of several `rel` the first one counts (RFC 8288 section 3.3).
    for name, quoted, bare in _PARAM.findall(params):
        if name.lower() == wanted.lower():
            return str(quoted or bare)
    return None
