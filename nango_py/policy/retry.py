"""Decide whether a request is tried again, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nango_py.policy.rate_limit_sign import in_body_matches, is_named, is_rate_limited, is_used_up, stated_wait
from nango_py.policy.reactions import reaction_to
from nango_py.policy.retry_policy import InBody, RetryPolicy
from nango_py.policy.status_rule import matching_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.policy.outcome import Outcome
    from nango_py.policy.rate_limit_sign import Stated

__all__ = ["InBody", "RetryPolicy", "Stop", "Wait", "decide", "is_failure", "is_rate_limited", "stated_wait"]

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110 section 9.2.2
REPEATED: Final = ("declared_retry", "declared_rate_limited")
RETRIED: Final = frozenset({408, 425, 429, 500, 501, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Try again in ``seconds``; ``note`` says why a declared source gave no wait, where one was declared."""

    seconds: float
    reason: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Do not try again; ``seconds`` is the wait that the server stated, where it stated one."""

    reason: str
    seconds: float | None = None


def decide(
    policy: RetryPolicy, *, attempt: int, elapsed: float, outcome: Outcome, now: float, random: Callable[[], float]
) -> Wait | Stop:
    """Return what to do after a failed attempt.

    ``attempt`` counts from 1, ``elapsed`` is the time since the exchange began, ``now`` the UTC time since the epoch;
    ``random`` returns numbers from 0 up to 1. A 401 stops, where no reaction says otherwise: it takes other
    credentials, not a wait.
    """
    named = _named(policy, outcome)
    if named is not None and named not in REPEATED:
        return Stop(reason=named)
    reason = named or _reason_to_retry(policy, outcome)
    if reason is None:
        return Stop(reason="unknown_error" if outcome.error == "unknown" else "not_retryable")
    stated = stated_wait(policy, outcome, now=now)
    obstacle = _obstacle(policy, attempt, outcome)
    if obstacle:
        return Stop(reason=obstacle, seconds=stated.seconds)
    if _counts(stated, attempt):
        return _wait_as_stated(policy, elapsed, stated)
    return _back_off(
        policy, elapsed, Wait(seconds=_backoff(policy, attempt, random), reason=reason, note=stated.note)
    )


def is_failure(policy: RetryPolicy, outcome: Outcome) -> bool:
    """Tell whether an attempt failed: by its reaction, by its status, or by a wait in its body."""
    reaction = reaction_to(policy.reactions, outcome)
    if reaction is not None:
        return reaction.reaction != "ignore"
    if outcome.status is None or not 200 <= outcome.status < 300:  # noqa: PLR2004 - the statuses of success
        return True
    return policy.finds_waits_in_success and in_body_matches(policy, outcome)


def _named(policy: RetryPolicy, outcome: Outcome) -> str | None:
    reaction = reaction_to(policy.reactions, outcome)
    return None if reaction is None else f"declared_{reaction.reaction}"


def _reason_to_retry(policy: RetryPolicy, outcome: Outcome) -> str | None:
    if outcome.status is None:
        return None if outcome.error in (None, "private", "too_large", "unknown") else "network_error"
    if outcome.status == 401:  # noqa: PLR2004 - Unauthorized: another attempt needs other credentials
        return None
    return _status_reason(policy, outcome.status) or _sign_reason(policy, outcome)


def _status_reason(policy: RetryPolicy, status: int) -> str | None:
    if policy.error_code is None:
        return f"status_code_{status}" if status in RETRIED or matching_rule(policy.not_processed, status) else None
    rule = matching_rule(policy.error_code, status)
    return None if rule is None else f"provider_error_code_{rule}"


def _sign_reason(policy: RetryPolicy, outcome: Outcome) -> str | None:
    if is_used_up(policy, outcome):
        return "provider_remaining"
    return "provider_in_body" if in_body_matches(policy, outcome) else None


def _obstacle(policy: RetryPolicy, attempt: int, outcome: Outcome) -> str | None:
    if not outcome.replayable:
        return "body_not_replayable"
    if not _is_repeatable(policy, outcome):
        return "not_idempotent"
    return "max_attempts" if attempt >= policy.max_attempts else None


def _is_repeatable(policy: RetryPolicy, outcome: Outcome) -> bool:
    if outcome.method.upper() in IDEMPOTENT or outcome.idempotent_key_sent:
        return True
    return (
        outcome.error in ("connect", "pool")
        if outcome.status is None
        else _is_refusal(policy, outcome, outcome.status)
    )


def _is_refusal(policy: RetryPolicy, outcome: Outcome, status: int) -> bool:
    # A server error may have come after the work was done, whatever the limit says.
    if is_named(policy, outcome, "rate_limited"):
        return True
    if status == 429 or matching_rule(policy.not_processed, status):  # noqa: PLR2004 - Too Many Requests
        return True
    if status == 408 or status >= 500:  # noqa: PLR2004
        return False
    return in_body_matches(policy, outcome) or (status >= 400 and is_rate_limited(policy, outcome))  # noqa: PLR2004


def _counts(stated: Stated, attempt: int) -> bool:
    # "Now" is believed once: a server that always says so would be hammered.
    return stated.seconds is not None and (stated.seconds > 0 or attempt == 1)


def _wait_as_stated(policy: RetryPolicy, elapsed: float, stated: Stated) -> Wait | Stop:
    seconds = stated.seconds or 0.0
    if seconds > policy.max_wait:
        return Stop(reason="stated_wait_beyond_max_wait", seconds=seconds)
    if seconds > policy.deadline - elapsed:
        return Stop(reason="stated_wait_beyond_deadline", seconds=seconds)
    return Wait(seconds=seconds, reason=stated.reason)


def _back_off(policy: RetryPolicy, elapsed: float, wait: Wait) -> Wait | Stop:
    return wait if wait.seconds <= policy.deadline - elapsed else Stop(reason="deadline")


def _backoff(policy: RetryPolicy, attempt: int, random: Callable[[], float]) -> float:
    ceiling = min(policy.cap, policy.max_wait, policy.base * 2.0 ** min(max(attempt - 1, 0), 64))
    return ceiling * max(0.0, min(1.0, random()))
