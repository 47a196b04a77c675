"""A retry policy of one request's own, by a request extension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from nango_py.errors import UsageError
from nango_py.exchange.overrides import overrides_of
from nango_py.location import did_you_mean
from nango_py.policy.retry_policy import InBody, RetryPolicy

if TYPE_CHECKING:
    from nango_py.http import Request

__all__ = ["RETRY_EXTENSION", "policy_of"]

RETRY_EXTENSION: Final = "nango_retry"
"""The request extension that holds keys of ``retry`` which differ for this request."""
_HEADERS: Final = ("after", "at", "auto")


def policy_of(request: Request, declared: RetryPolicy) -> RetryPolicy:
    """Return the declared policy, or that of the action that asks, with what the request changes of it.

    Raises:
        UsageError: The extension holds something else than keys of ``retry``.
    """
    overrides = overrides_of(request)
    declared = declared if overrides is None else overrides.retry or declared
    keys = request.extensions.get(RETRY_EXTENSION)
    if keys is None:
        return declared
    if not isinstance(keys, Mapping):
        raise UsageError(f"extensions: {RETRY_EXTENSION!r} holds keys of `retry`, not {type(keys).__name__}.")
    for name in keys:
        if name not in _names():
            hint = did_you_mean(str(name), _names())
            raise UsageError(f"extensions: {RETRY_EXTENSION!r} knows no key {name!r}. {hint}".rstrip())
    try:
        return replace(declared, **{name: _read(name, value) for name, value in keys.items()})
    except (TypeError, ValueError) as error:
        raise UsageError(f"extensions: {RETRY_EXTENSION!r}: {error}.") from None


@cache
def _names() -> frozenset[str]:
    return frozenset(field.name for field in fields(RetryPolicy)) - {"reactions"}


def _read(name: str, value: Any) -> Any:
    if name == "in_body" and isinstance(value, Mapping):
        return InBody(**value)
    if name in _HEADERS and isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value
