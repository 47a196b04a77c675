"""The one home of structlog: our own loggers, their secrets masked; structlog is never configured globally.

Lines end in the standard library's logger ``nango_py``: a program that wants them sets its level and handlers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nango_py.masking import HIDDEN, Mask, is_telling, mask_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Secrets: TypeAlias = Callable[[], Iterable[str] | Mask]

__all__ = ["EVENTS", "FIELDS", "LONGEST_LINE", "Masked", "emit", "is_heard", "logger", "one_line", "with_fields"]

FIELDS = {
    "event": "what happened: a thing and what became of it, as in `exchange.finished`",
    "level": "`debug`, `info`, `warning`, `error` or `critical`",
    "integration": "the integration's name",
    "user_id": "whose connection",
    "action": "the action that runs",
    "execution_id": "one run of an action; every line of it says the same",
    "parent_id": "the execution that ran this one, by `ctx.run` or as a step",
    "outcome": "of an action: `success`, `error` or `cancelled`",
    "method": "of the request",
    "host": "that the request goes to",
    "path": "of the request, without its query",
    "attempt": "which try of the request, from 1",
    "status": "of the answer",
    "error": "the kind of failure",
    "reason": "why it was done, or failed",
    "wait": "seconds until the next attempt",
    "seconds": "that it took in all",
    "limit": "how many items were asked for",
    "tool": "the tool that a model called",
    "exception": "the traceback",
    "expires_at": "when the new credentials end, in seconds since the epoch",
}
"""Every field of a log line, and what it says; a line has those that apply to it."""
EVENTS = {
    "action.finished": "an action ended",
    "action.limit_reached": "a paginated action read as many items as it may without a `limit` of its input",
    "attempt.failed": "a request is tried again after `wait` seconds, for its `reason`",
    "circuit.closed": "an origin works again",
    "circuit.opened": "an origin keeps failing and is left alone",
    "connect.failed": "an account could not be connected",
    "connection.connected": "an account was connected by OAuth",
    "connection.reauth_required": "the account must be connected again",
    "connection.renewed": "credentials were renewed",
    "exchange.finished": "a request has its last answer, or failed for good",
    "hook.failed": "a callback of the program's own raised an error",
    "pool.default": "the fast pool leaves a request to the default one",
    "renewal.failed": "credentials could not be renewed",
    "renewal.lost": "renewed credentials could not be stored before the engine was closed",
    "request.sent_bare": "a request went to a foreign origin, without credentials",
    "revocation.failed": "the provider was not told to forget a deleted connection",
    "revocation.skipped": "a deleted connection could not be read to tell the provider",
    "tool.failed": "an action that a model called raised an error of its own",
}
"""Every event of a log line, and what happened."""

LONGEST_LINE = 300
LONGEST_VALUE = 10_000
"""So many characters of a value are logged: to look for secrets in what a provider wrote takes its time."""


def one_line(text: str) -> str:
    """Return what others wrote, fit for a message: what commands a terminal or begins a line is a space."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST_LINE])


class Masked:
    """Take secrets, in whatever encoding they come, out of what is logged."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        """Return the log event with its secrets masked (a structlog processor)."""
        secrets = self._secrets()
        mask = secrets if isinstance(secrets, Mask) else mask_of(tuple(secrets))
        return {key: _masked(key, value, mask) for key, value in event.items()}


def _masked(key: str, value: Any, mask: Mask) -> Any:
    if is_telling(str(key)) and value is not None and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, Mapping):
        return {name: _masked(str(name), item, mask) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item, mask) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    if key == "exception":  # what was raised stands at its end
        return mask.text(text)
    left = len(text) - LONGEST_VALUE
    return mask.text(text, LONGEST_VALUE) + (f"... ({left} more characters)" if left > 0 else "")


def logger(secrets: Secrets, *, level: str = "info", **bound: Any) -> Any:
    """Return a structlog logger, bound to *bound*, that masks *secrets* and drops lines below *level*."""
    import structlog  # noqa: PLC0415 - 100 ms that a silent program does not pay

    return structlog.wrap_logger(
        logging.getLogger("nango_py"),
        processors=[
            _threshold(level),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            Masked(secrets),
            structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind(**bound)


def _threshold(level: str) -> Callable[[Any, str, Any], Any]:
    least = logging.getLevelNamesMapping()[level.upper()]

    def drop_below(_logger: Any, method: str, event: Any) -> Any:
        import structlog  # noqa: PLC0415

        number = logging.getLevelNamesMapping().get(method.upper(), logging.ERROR)
        if number < least:
            raise structlog.DropEvent
        return event

    return drop_below


_bound: ContextVar[Mapping[str, str]] = ContextVar("nango_py_log_fields", default=MappingProxyType({}))


@contextmanager
def with_fields(**fields: str) -> Iterator[None]:
    """Give *fields* to each line that this thread or task emits meanwhile, and those that it starts."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def emit(level: str, event: str, *, secrets: Secrets, least: str = "info", **fields: Any) -> None:
    """Log one line of the engine, if anybody listens."""
    if is_heard(level, least):
        getattr(logger(secrets, level=least), level)(event, **{**_bound.get(), **fields})


def is_heard(level: str, least: str) -> bool:
    """Tell whether anybody listens to lines of *level* where lines below *least* are dropped."""
    return _NUMBERS[level] >= _NUMBERS[least] and _LOGGER.isEnabledFor(_NUMBERS[level])


_NUMBERS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
_LOGGER = logging.getLogger("nango_py")
_LOGGER.addHandler(logging.NullHandler())
