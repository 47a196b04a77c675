"""Build what decides when a request is sent, and sent again, of merged keys."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nango_py.policy.breaker import CircuitBreaker
from nango_py.policy.limit_headers import LimitHeaders
from nango_py.policy.named_errors import NamedError
from nango_py.policy.rate_limit_rule import RateLimit
from nango_py.policy.reactions import Reaction, When
from nango_py.policy.retry import InBody, RetryPolicy
from nango_py.policy.status_rule import is_status_rule
from nango_py.template import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nango_py.declare.build import Builder

__all__ = ["circuit_breaker_of", "named_errors_of", "rate_limits_of", "retry_of"]


def retry_of(builder: Builder, keys: Mapping[str, Any] | None, pointer: str = "/retry") -> RetryPolicy:
    """Return the policy of the ``retry`` at *pointer*."""
    known = _known(keys)
    for name in ("after", "at", "auto"):
        if isinstance(known.get(name), str):
            known[name] = (known[name],)
    for name in ("error_code", "not_processed"):
        _check_statuses(builder, known.get(name, ()), f"{pointer}/{name}")
    if "in_body" in known:
        known["in_body"] = builder.attempt(f"{pointer}/in_body", lambda: InBody(**_known(known["in_body"])))
    known["reactions"] = [
        _reaction(builder, keys, f"{pointer}/reactions/{index}")
        for index, keys in enumerate(known.get("reactions", ()))
    ]
    return builder.attempt(pointer, lambda: RetryPolicy(**_frozen(known))) or RetryPolicy()


def _reaction(builder: Builder, keys: Mapping[str, Any], pointer: str) -> Reaction | None:
    known = _known(keys)
    _check_statuses(builder, known.get("status", ()), f"{pointer}/status")
    if "message" in known:
        known["message"] = split(known["message"])
    return builder.attempt(pointer, lambda: Reaction(**_frozen(known)))  # type: ignore[no-any-return]


def named_errors_of(builder: Builder, entries: Sequence[Mapping[str, Any]], pointer: str) -> tuple[NamedError, ...]:
    """Return the errors of the ``on_error`` at *pointer*."""
    made = [_named_error(builder, keys, f"{pointer}/{index}") for index, keys in enumerate(entries)]
    return tuple(error for error in made if error is not None)


def _named_error(builder: Builder, keys: Mapping[str, Any], pointer: str) -> NamedError | None:
    known = _known(keys["when"])
    status = known.get("status", [])
    known["status"] = [str(rule) for rule in (status if isinstance(status, list) else [status])]
    _check_statuses(builder, known["status"], f"{pointer}/when/status", is_list=isinstance(status, list))
    when = builder.attempt(f"{pointer}/when", lambda: When(**_frozen(known)))
    if when is None:
        return None
    return NamedError(when=when, name=keys["name"], message=split(keys["message"]) if "message" in keys else None)


def _check_statuses(builder: Builder, rules: Iterable[str], pointer: str, *, is_list: bool = True) -> None:
    for index, rule in enumerate(rules):
        if not is_status_rule(rule):
            hint = 'Write "429", "5xx" or "500-502".'
            builder.report(
                f"{pointer}/{index}" if is_list else pointer, "retry.status", f"{rule!r} is no status.", hint
            )


def rate_limits_of(
    builder: Builder, entries: Sequence[Mapping[str, Any]], pointer: str = "/rate_limit"
) -> tuple[RateLimit, ...]:
    """Return the limits of the ``rate_limit`` at *pointer*."""
    made = [
        builder.attempt(f"{pointer}/{index}", partial(_limit_of, entry), "rate_limit")
        for index, entry in enumerate(entries)
    ]
    if sum("headers" in entry for entry in entries) > 1:
        builder.report(pointer, "rate_limit", "headers can be named in one entry only.")
    return tuple(limit for limit in made if limit is not None)


def _limit_of(entry: Mapping[str, Any]) -> RateLimit:
    known = _known(entry)
    if "headers" in known:
        known["headers"] = LimitHeaders(**_known(known["headers"]))
    if "cost" in known:
        known["cost"] = MappingProxyType(dict(known["cost"]))
    return RateLimit(**{**known, "paths": tuple(known.get("paths", ()))})


def circuit_breaker_of(builder: Builder, written: Any) -> CircuitBreaker | None:
    """Return the breaker of ``circuit_breaker``, None where it is off."""
    if written is False:
        return None
    keys = {} if written is True else _known(written)
    return builder.attempt("/circuit_breaker", lambda: CircuitBreaker(**keys))  # type: ignore[no-any-return]


def _known(keys: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (keys or {}).items() if not key.startswith("x-")}


def _frozen(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
