"""Tell whether an answer is a rate-limit answer, and what wait it states.

Reset headers are read on rate-limit answers only: some providers send them with every answer, and a 502 is no reason
to wait for the next hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nango_py.policy.reactions import reaction_to
from nango_py.policy.stated_wait import parse_rate_limit, parse_wait
from nango_py.policy.status_rule import matching_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.policy.outcome import Outcome
    from nango_py.policy.reactions import Word
    from nango_py.policy.retry_policy import InBody, RetryPolicy
    from nango_py.policy.stated_wait import Strategy, Unit

__all__ = ["Stated", "in_body_matches", "is_named", "is_rate_limited", "is_used_up", "stated_wait"]

TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
LONGEST_BODY_TEXT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The wait that an answer states, with its source; ``note`` says why a declared source gave none."""

    seconds: float | None = None
    reason: str = ""
    note: str | None = None


def is_rate_limited(policy: RetryPolicy, outcome: Outcome) -> bool:
    """Tell whether a failed answer says that a limit is used up, as against any other failure."""
    return _says_limited(policy, outcome) or _is_put_off(policy, outcome)


def is_used_up(policy: RetryPolicy, outcome: Outcome) -> bool:
    """Tell whether the declared ``remaining`` header reads exactly 0."""
    return _remaining(policy, outcome) == "0"


def is_named(policy: RetryPolicy, outcome: Outcome, word: Word) -> bool:
    """Tell whether the reaction to the answer is the one of that name."""
    reaction = reaction_to(policy.reactions, outcome)
    return reaction is not None and reaction.reaction == word


def in_body_matches(policy: RetryPolicy, outcome: Outcome) -> bool:
    """Tell whether the body holds the wait that ``in_body`` describes."""
    return policy.in_body is not None and _body_text(policy.in_body, outcome)[0] is not None


def stated_wait(policy: RetryPolicy, outcome: Outcome, *, now: float) -> Stated:
    """Return the wait that a rate-limit answer states, in seconds from ``now``.

    Declared headers come first (the longest of them), then ``in_body``, then the standard headers. ``Retry-After``
    stands alone where the answer is no rate-limit answer without it, or says that requests are left (GitHub's
    secondary limits).
    """
    if outcome.status is None:
        return Stated()
    if _is_put_off(policy, outcome) and (not _says_limited(policy, outcome) or _has_budget_left(policy, outcome)):
        return _retry_after(policy, outcome, now)
    return _limit_wait(policy, outcome, now) if _says_limited(policy, outcome) else Stated()


def _says_limited(policy: RetryPolicy, outcome: Outcome) -> bool:
    return outcome.status is not None and (
        outcome.status == TOO_MANY_REQUESTS
        or is_used_up(policy, outcome)
        or in_body_matches(policy, outcome)
        or is_named(policy, outcome, "rate_limited")
    )


def _is_put_off(policy: RetryPolicy, outcome: Outcome) -> bool:
    # A 4xx counts where the blueprint declares it: GitHub refuses by 403 with Retry-After.
    status = outcome.status
    if status is None or "Retry-After" not in outcome.headers:
        return False
    return status in (TOO_MANY_REQUESTS, UNAVAILABLE) or (
        400 <= status < 500 and matching_rule(policy.error_code or (), status) is not None  # noqa: PLR2004
    )


def _remaining(policy: RetryPolicy, outcome: Outcome) -> str | None:
    text = outcome.headers.get(policy.remaining) if policy.remaining else None
    return None if text is None else text.strip()


def _has_budget_left(policy: RetryPolicy, outcome: Outcome) -> bool:
    return _remaining(policy, outcome) not in (None, "", "0")


def _limit_wait(policy: RetryPolicy, outcome: Outcome, now: float) -> Stated:
    sources = (_declared(policy, outcome, now), _in_body(policy, outcome, now), _standard(policy, outcome, now))
    found = next((stated for stated in sources if stated.seconds is not None), None)
    return found or Stated(note=next((stated.note for stated in sources if stated.note), None))


def _declared(policy: RetryPolicy, outcome: Outcome, now: float) -> Stated:
    found = tuple(_declared_headers(policy, outcome, now))
    waits = [stated for stated in found if stated.seconds is not None]
    if waits:
        return max(waits, key=lambda stated: stated.seconds or 0.0)
    return next((stated for stated in reversed(found) if stated.note), Stated())


def _declared_headers(policy: RetryPolicy, outcome: Outcome, now: float) -> Iterator[Stated]:
    for name in policy.at:
        yield _header(policy, outcome, name, "at", now)
    for name in policy.after:
        yield _header(policy, outcome, name, "after", now)
    for name in policy.auto:
        yield _header(policy, outcome, name, "auto", now)


def _header(policy: RetryPolicy, outcome: Outcome, name: str, strategy: Strategy, now: float) -> Stated:
    text = outcome.headers.get(name)
    if text is None:
        return Stated(note=f"{strategy}:no_header")
    # RFC 9110 section 10.2.3: what this header counts is no provider's to say.
    unit: Unit = "seconds" if name.lower() == "retry-after" else policy.unit
    seconds = parse_wait(text, strategy=strategy, now=now, unit=unit)
    if seconds is None:
        return Stated(note=f"{strategy}:header_invalid_wait")
    return Stated(seconds=seconds, reason=f"preconfigured_{strategy}")


def _in_body(policy: RetryPolicy, outcome: Outcome, now: float) -> Stated:
    if policy.in_body is None:
        return Stated()
    text, note = _body_text(policy.in_body, outcome)
    if text is None:
        return Stated(note=note)
    seconds = parse_wait(text, strategy=policy.in_body.strategy, now=now, unit=policy.in_body.unit)
    if seconds is None:
        return Stated(note="in_body:invalid_wait")
    return Stated(seconds=seconds, reason=f"preconfigured_in_body:{policy.in_body.strategy}")


def _body_text(in_body: InBody, outcome: Outcome) -> tuple[str | None, str | None]:
    if outcome.body is None:
        return None, "in_body:no_response"
    value = in_body.compiled_path.find(outcome.body)
    if value is None:
        return None, "in_body:path_missing"
    if in_body.pattern is None and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value), None
    return _matched(in_body, value) if isinstance(value, str) else (None, "in_body:path_not_string")


def _matched(in_body: InBody, value: str) -> tuple[str | None, str | None]:
    if in_body.pattern is None:
        return value, None
    match = in_body.pattern.search(value[:LONGEST_BODY_TEXT])
    return (match[1], None) if match and match[1] is not None else (None, "in_body:no_match")


def _retry_after(policy: RetryPolicy, outcome: Outcome, now: float) -> Stated:
    # Seconds, whatever the blueprint calls it: RFC 9110 section 10.2.3 knows no other number.
    seconds = parse_wait(outcome.headers.get("Retry-After", ""), strategy="after", now=now)
    if seconds is None:
        return Stated()
    declared = "retry-after" in (name.lower() for name in policy.after)
    return Stated(seconds=seconds, reason="preconfigured_after" if declared else "retry_after")


def _standard(policy: RetryPolicy, outcome: Outcome, now: float) -> Stated:
    stated = _retry_after(policy, outcome, now)
    if stated.seconds is not None:
        return stated
    reset = parse_wait(outcome.headers.get("RateLimit-Reset", ""), strategy="after", now=now)
    if reset is not None:
        return Stated(seconds=reset, reason="ratelimit_reset")
    seconds = parse_rate_limit(outcome.headers.get("RateLimit", ""))
    return Stated() if seconds is None else Stated(seconds=seconds, reason="ratelimit")
