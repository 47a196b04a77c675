"""What commands show of a connection; never a credential."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import table

if TYPE_CHECKING:
    from nango_py.auth import AuthScheme
    from nango_py.connections.connection import Connection, ConnectionView

__all__ = ["facts_of", "show", "time_text", "token_facts"]

_TIMES = frozenset({"created_at", "updated_at", "expires_at"})


def facts_of(view: ConnectionView) -> dict[str, Any]:
    """Return a connection as JSON can hold it."""
    return {
        "id": view.id,
        "integration": view.integration,
        "user_id": view.user_id,
        "status": view.status,
        "connection_config": dict(view.connection_config),
        "metadata": dict(view.metadata),
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "version": view.version,
    }


def token_facts(auth: AuthScheme | None, connection: Connection) -> dict[str, Any]:
    """Return when the token expires and what was granted with it, None where that is not known."""
    if auth is None:
        return {"expires_at": None, "granted_scopes": None}
    return {
        "expires_at": auth.expires_at(connection.credentials),
        "granted_scopes": _granted(auth, connection),
    }


def _granted(auth: AuthScheme, connection: Connection) -> str | None:
    """Return the granted scopes; where ``scope`` is somebody's own credential, it is none of ours to show."""
    from nango_py.auth.scheme import revealed

    is_ours = any(field.name == "scope" and not field.secret for field in auth.fields)
    return (revealed(connection.credentials, "scope") or None) if is_ours else None


def show(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print facts: times as numbers for machines, as dates for people."""
    if as_json:
        print_json(facts)
    else:
        table(("what", "value"), [(name, _cell(name, value)) for name, value in facts.items()])


def _cell(name: str, value: Any) -> Any:
    return time_text(value) if name in _TIMES and value is not None else value


def time_text(seconds: float) -> str:
    """Return a moment as RFC 3339 writes it; providers name some that no calendar has."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s after 1970"
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
