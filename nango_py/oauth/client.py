"""The client that a provider knows an app by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from nango_py.location import Problem

if TYPE_CHECKING:
    from nango_py.model import Integration

__all__ = ["missing_client"]


def missing_client(
    integration: Integration, consequence: str, *, severity: Literal["error", "warning"] = "error"
) -> Problem | None:
    """Return the problem of an integration whose accounts sign in, and that has no client to ask them as."""
    if not integration.auth.wants_client or integration.oauth_client_id is not None:
        return None
    return Problem(
        location=integration.location,
        code="oauth.client",
        message=f"integration {integration.name!r} has no oauth_client_id, so {consequence}.",
        hint="Register an app with the provider; set its oauth_client_id and oauth_client_secret here.",
        severity=severity,
    )
