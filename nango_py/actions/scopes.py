"""What a connection was granted, and whether that is enough for an action."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nango_py.auth.scheme import revealed
from nango_py.errors import MissingScopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth import AuthScheme
    from nango_py.model import Integration

__all__ = ["check_scopes", "granted_scopes"]

_SEPARATORS = re.compile(r"[\s,]+")


def granted_scopes(auth: AuthScheme, credentials: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the scopes that a connection was granted, None where that is not known."""
    if not any(field.name == "scope" and not field.secret for field in auth.fields):
        return None  # where it is somebody's own credential, it means something else
    text = revealed(credentials, "scope")
    return frozenset(filter(None, _SEPARATORS.split(text))) if text else None


def check_scopes(
    needed: tuple[str | tuple[str, ...], ...],
    integration: Integration,
    user_id: str,
    credentials: Mapping[str, Any],
    *,
    action: str,
) -> None:
    """Go no further without the scopes that an action needs; what was granted has to be known.

    Raises:
        MissingScopes: Some were not granted.
    """
    granted = granted_scopes(integration.auth, credentials)
    if granted is None:
        return
    choices = [(entry,) if isinstance(entry, str) else entry for entry in needed]
    missing = tuple(" or ".join(choice) for choice in choices if granted.isdisjoint(choice))
    if missing:
        wanted = [*integration.oauth_scopes, *(choice[0] for choice in choices if granted.isdisjoint(choice))]
        raise MissingScopes(
            f"integration {integration.name!r}, action {action!r}: the account has not granted {', '.join(missing)}, "
            f"so nothing was sent. Let it be connected again with these scopes: nango.oauth.begin("
            f"{integration.name!r}, {user_id!r}, redirect_uri=..., scopes={list(dict.fromkeys(wanted))}).",
            missing=missing,
            integration=integration.name,
            action=action,
        )
