"""What the token endpoint of a server did, as its settings write it down: one line of JSON for each answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TokenEvent", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvent:
    """One thing that a token endpoint did."""

    event: str
    """``grant.success``, ``grant.error``; oidc-provider also ``grant.revoked`` (a family) and ``server_error``."""
    grant_type: str | None
    client: str | None
    """The client's id, where the server knew it."""
    error: str | None
    """The code of RFC 6749 section 5.2."""
    detail: str | None
    at: float | None = None
    """UTC seconds since the epoch, where the server writes them down."""


def read(journal: Path, event: str | None = None, grant_type: str | None = None) -> tuple[TokenEvent, ...]:
    """Return the events, oldest first; where ``event`` or ``grant_type`` are given, those only."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    found = (TokenEvent(**json.loads(line)) for line in lines)
    return tuple(one for one in found if event in {None, one.event} and grant_type in {None, one.grant_type})
