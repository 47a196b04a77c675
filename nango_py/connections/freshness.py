"""Decide whether a connection's credentials may sign a request: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nango_py.auth import AuthScheme
    from nango_py.connections.connection import Connection

__all__ = ["Freshness", "judge"]

Freshness = Literal["fresh", "due", "stale", "dead"]
"""``due`` still works for its leeway, ``stale`` does not work or is not there yet, ``dead`` cannot heal."""


def judge(auth: AuthScheme, connection: Connection, now: float) -> Freshness:
    """Return how fresh the credentials are at *now*, in UTC seconds since the epoch."""
    if connection.status == "reauth_required":
        return "dead"
    credentials = connection.credentials
    if not auth.is_complete(credentials):
        return "stale"
    expires_at = auth.expires_at(credentials)
    if expires_at is None:
        return "fresh"
    if now >= expires_at:
        return "stale"
    return "due" if now >= expires_at - auth.leeway(credentials) else "fresh"
