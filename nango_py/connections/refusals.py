"""What renewals that fail say, in the same words everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.auth.grant import BadAnswer, Refused, Unanswered
from nango_py.errors import (
    AuthenticationError,
    CredentialsError,
    NangoError,
    ReauthRequired,
    RemoteError,
    ResponseError,
    UnknownConnection,
    UnreachableError,
)

if TYPE_CHECKING:
    from nango_py.connections.connection import Connection
    from nango_py.model import Integration

__all__ = ["deleted", "expired", "failed", "grant_failed", "reauth_required", "refused", "unanswered", "unfit"]

_REMEDY = "Connect the account again, or hand in new credentials: update_connection_credentials."


def deleted(integration: Integration, user_id: str) -> UnknownConnection:
    """Return the error for a connection that is gone."""
    return UnknownConnection(
        f"integration {integration.name!r} has no connection for user {user_id!r} any more. "
        "Connect the account again."
    )


def expired(integration: Integration, connection: Connection) -> ReauthRequired:
    """Return the error for a token that ended and cannot be renewed."""
    has_token = integration.auth.is_complete(connection.credentials)
    what = "the token has expired and cannot be renewed" if has_token else "there is no access token"
    return ReauthRequired(f"{_who(integration, connection)}: {what}. {_REMEDY}", integration=integration.name)


def reauth_required(integration: Integration, connection: Connection, said: str = "") -> ReauthRequired:
    """Return the error for credentials that the provider refuses for good."""
    detail = f" ({said})" if said else ""
    return ReauthRequired(
        f"{_who(integration, connection)}: the provider refuses the credentials for good{detail}. {_REMEDY}",
        integration=integration.name,
    )


def refused(integration: Integration, connection: Connection, said: str) -> AuthenticationError:
    """Return the error for a refusal that may heal, such as a wrong client secret in the configuration."""
    return AuthenticationError(
        f"{_who(integration, connection)}: new credentials were refused: {said}. "
        "Check the integration's auth section and client; it is tried again after half a minute.",
        integration=integration.name,
    )


def unfit(integration: Integration, connection: Connection, reason: str) -> CredentialsError:
    """Return the error for credentials, or connection config, that no token request can be made of."""
    return CredentialsError(f"{_who(integration, connection)}: {reason}.")


def grant_failed(integration: Integration, user_id: str, error: Exception, what: str) -> NangoError:
    """Return the error for a grant of an attempt that failed; *what* names the step."""
    who = f"integration {integration.name!r}, user {user_id!r}"
    match error:
        case Refused():
            return AuthenticationError(
                f"{who}: {what} was refused: {error}. Check the integration's auth section, client and redirect URI, "
                "and begin again.",
                integration=integration.name,
            )
        case BadAnswer():
            return ResponseError(f"{who}: {what} {error}. Begin again.", integration=integration.name)
        case Unanswered():
            return UnreachableError(
                f"{who}: {what} got no answer: {error}. Begin again.", integration=integration.name
            )
        case _:
            return CredentialsError(f"{who}: {error}.")


def failed(integration: Integration, connection: Connection, answer: BadAnswer) -> RemoteError:
    """Return the error for an endpoint that fails."""
    return ResponseError(
        f"{_who(integration, connection)}: the renewal {answer}. It is tried again after half a minute.",
        integration=integration.name,
    )


def unanswered(integration: Integration, connection: Connection, silence: Unanswered) -> RemoteError:
    """Return the error for an endpoint that gives no answer."""
    return UnreachableError(
        f"{_who(integration, connection)}: the renewal got no answer: {silence}. "
        "It is tried again after half a minute.",
        integration=integration.name,
    )


def _who(integration: Integration, connection: Connection) -> str:
    return f"integration {integration.name!r}, user {connection.user_id!r}"
