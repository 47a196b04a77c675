"""What happened to one attempt: an answer's head and what was read of its body, or an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from nango_py.http import (
    ConnectError,
    ConnectTimeout,
    Headers,
    NetworkError,
    PoolTimeout,
    PrivateAddressError,
    ProxyError,
    RemoteProtocolError,
    TimeoutException,
    TooLargeError,
)

__all__ = ["ErrorKind", "Outcome", "kind_of"]

ErrorKind = Literal["connect", "pool", "timeout", "network", "protocol", "private", "too_large", "unknown"]

# The order matters: a connect timeout is a timeout too, and a private address a connect error.
_KINDS: Final[tuple[tuple[tuple[type[Exception], ...], ErrorKind], ...]] = (
    ((PrivateAddressError,), "private"),
    ((TooLargeError,), "too_large"),
    ((ConnectError, ConnectTimeout, ProxyError), "connect"),
    ((PoolTimeout,), "pool"),
    ((TimeoutException,), "timeout"),
    ((NetworkError,), "network"),
    ((RemoteProtocolError,), "protocol"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt: ``status`` for an answer, ``error`` where none came.

    ``body`` is the parsed JSON, None where it was not read. ``idempotent_key_sent`` says that the request carried the
    header which the policy names as its idempotency key.
    """

    method: str
    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    body: object | None = None
    error: ErrorKind | None = None
    replayable: bool = True
    idempotent_key_sent: bool = False


def kind_of(error: BaseException) -> ErrorKind:
    """Return an exception's kind of failure: ``connect``, ``pool`` and ``private`` mean that nothing was sent."""
    return next((kind for types, kind in _KINDS if isinstance(error, types)), "unknown")
