"""The errors of nango_py, in families by who must act.

A message says where, what is wrong and what to do; it never holds a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nango_py.exchange.attempts import Attempt
    from nango_py.http import Response
    from nango_py.location import Problem

__all__ = [
    "AccessDenied",
    "ActionError",
    "AuthenticationError",
    "CallbackError",
    "ConfigError",
    "CredentialsError",
    "DeadlineError",
    "DecryptionError",
    "DuplicateConnection",
    "ForeignOriginError",
    "InputError",
    "MissingScopes",
    "NangoError",
    "OutputError",
    "PaginationError",
    "RateLimitedError",
    "ReauthRequired",
    "RemoteError",
    "ResponseError",
    "StoreError",
    "UnknownAction",
    "UnknownConnection",
    "UnknownIntegration",
    "UnreachableError",
    "UsageError",
]


class NangoError(Exception):
    """Any error that nango_py raises on purpose."""


class ConfigError(NangoError):
    """The author of ``integrations.yaml`` or of a blueprint can fix it; ``problems`` says where."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = _as_tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are copied, and sent between processes, by their text, which is no problem.
        return type(self), (self.problems,)


class UsageError(NangoError):
    """The caller can fix it."""


class UnknownIntegration(UsageError, LookupError):  # noqa: N818 - the name says it without a suffix
    """No integration of that name is declared."""


class UnknownConnection(UsageError, LookupError):  # noqa: N818
    """No connection is registered for that integration and user."""


class UnknownAction(UsageError, LookupError):  # noqa: N818
    """The integration has no action of that name."""


class DuplicateConnection(UsageError):  # noqa: N818
    """A connection of that integration and user exists already."""


class InputError(UsageError):
    """An action's input, or a value put into a request, does not fit what was declared."""


class CredentialsError(UsageError):
    """Credentials or connection config do not have the shape that the integration declares."""


class CallbackError(UsageError):
    """A callback belongs to no attempt to connect that is going on in this browser."""


class RemoteError(NangoError):
    """The other side refused, failed or could not be reached.

    ``attempts`` is the history of the exchange, oldest first; ``response`` the last answer, where there was one.
    In an action of steps, ``step`` is the name of the one that failed, and ``index`` counts its items from 0.
    """

    def __init__(
        self,
        message: str,
        *,
        integration: str = "",
        action: str | None = None,
        attempts: Sequence[Attempt] = (),
        response: Response | None = None,
    ) -> None:
        super().__init__(message)
        self.integration = integration
        self.action = action
        self.attempts = tuple(attempts)
        self.response = response
        self.step: str | None = None
        self.index: int | None = None


class UnreachableError(RemoteError):
    """No answer came: the connection failed or timed out, or nothing was sent, since the origin keeps failing."""


class AuthenticationError(RemoteError):
    """The provider refused the credentials."""


class ReauthRequired(AuthenticationError):  # noqa: N818
    """The account must be connected again: its credentials cannot heal."""


class MissingScopes(ReauthRequired):
    """The account has not granted scopes that an action needs, which ``missing`` names; nothing was sent."""

    def __init__(self, message: str, *, missing: Sequence[str] = (), **context: Any) -> None:
        super().__init__(message, **context)
        self.missing = tuple(missing)


class AccessDenied(AuthenticationError):  # noqa: N818
    """Whoever was asked to connect an account did not grant access, or not in time."""


class RateLimitedError(RemoteError):
    """The provider's limit is used up; ``retry_after`` is the wait that it stated, in seconds, or None."""

    def __init__(self, message: str, *, retry_after: float | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.retry_after = retry_after


class ResponseError(RemoteError):
    """The provider answered with an error, or with more than ``response_limit`` allows."""


class ActionError(ResponseError):
    """The provider answered with an error that the action has a ``name`` for, in ``on_error``."""

    def __init__(self, message: str, *, name: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.name = name


class OutputError(RemoteError):
    """An answer does not keep what the action promises about its output."""


class DeadlineError(RemoteError):
    """The time given to an action ran out."""


class PaginationError(RemoteError):
    """A walk over pages cannot go on: it repeats itself or never ends."""


class ForeignOriginError(RemoteError):
    """A request that carries credentials would have gone to another origin."""


class StoreError(NangoError):
    """The connection store cannot be read or written."""


class DecryptionError(StoreError):
    """Stored credentials cannot be decrypted with the keys at hand."""


def _as_tuple(problems: Problem | Iterable[Problem]) -> tuple[Problem, ...]:
    from nango_py.location import Problem as ProblemType  # noqa: PLC0415 - errors know nobody at import time

    return (problems,) if isinstance(problems, ProblemType) else tuple(problems)
