"""Error handlers become retry policies, budgets become rate limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nango_py.importers.airbyte.auth import seconds
from nango_py.importers.airbyte.language import LONGEST, Untranslatable, filled, look_up
from nango_py.importers.airbyte.pages import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.importers.airbyte.language import LookUp
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["rate_limits_of", "retry_of"]

_WORDS: Final[Mapping[str, str]] = {
    "RETRY": "retry",
    "FAIL": "fail",
    "IGNORE": "ignore",
    "SUCCESS": "ignore",
    "RATE_LIMITED": "rate_limited",
    "REFRESH_TOKEN_THEN_RETRY": "renew_then_retry",
}
_MOST_ATTEMPTS: Final = 20
_IS: Final = re.compile(
    r"\{\{\s*(?P<looked>[^=]+?)\s*==\s*(?:(?P<q>['\"])(?P<text>[^'\"]*)(?P=q)|(?P<word>\d+|[Tt]rue|[Ff]alse))\s*\}\}"
)
_HAS: Final = re.compile(r"\{\{\s*(['\"])(?P<name>[^'\"]+)\1\s+in\s+response\s*\}\}")
_BARE: Final = re.compile(r"\{\{\s*(?P<looked>response[^=<>!|]*?)\s*\}\}")


def retry_of(part: Part | None) -> dict[str, Any]:
    """Return the retry policy of an error handler; what has no counterpart is noted."""
    if part is None:
        return {}
    if part.kind == "CompositeErrorHandler":
        return _composed([retry_of(handler) for handler in part.parts("error_handlers")])
    if part.kind not in {"DefaultErrorHandler", ""}:
        part.forget("lost", f"{part.kind} has no counterpart")
        return {}
    keys = _attempts(part)
    for strategy in part.parts("backoff_strategies"):
        keys = {**_backoff(strategy), **keys}
    reactions = [found for one in part.parts("response_filters") if (found := _reaction(one)) is not None]
    return keys | ({"reactions": reactions} if reactions else {})


def _composed(policies: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one policy of several: the first that says a thing counts, reactions stand in order."""
    reactions = [one for policy in policies for one in policy.get("reactions", ())]
    made = {name: value for policy in reversed(policies) for name, value in policy.items()}
    return {**made, "reactions": reactions} if reactions else made


def _attempts(part: Part) -> dict[str, Any]:
    stated = part.take("max_retries")
    if stated is None:
        return {}
    if not isinstance(stated, int):
        part.note("max_retries", "lost", "it depends on the account, and a policy does not")
        return {}
    return {"max_attempts": min(stated + 1, _MOST_ATTEMPTS)}


def _backoff(part: Part) -> dict[str, Any]:
    part.drop("changed", "every wait of ours has its own jitter", "jitter_range_in_seconds")
    match part.kind:
        case "ConstantBackoffStrategy":
            wait = _number(part, "backoff_time_in_seconds")
            if wait:
                part.note(
                    "backoff_time_in_seconds",
                    "changed",
                    "waits that nobody states are random up to this many seconds",
                )
            return {"base": wait, "cap": wait} if wait else {}
        case "ExponentialBackoffStrategy":
            factor = _number(part, "factor")
            if factor:
                part.note("factor", "changed", "it is where random waits begin, which double")
            return {"base": factor} if factor else {}
        case "WaitTimeFromHeader" | "WaitUntilTimeFromHeader":
            return _stated(part)
        case kind:
            part.forget("lost", f"{kind or 'a strategy without a type'} has no counterpart")
            return {}


def _stated(part: Part) -> dict[str, Any]:
    header = part.text("header")
    if "{{" in header:
        part.note("header", "lost", "the header's name depends on the account")
        header = ""
    part.drop("changed", "a number in the header is found by itself", "regex")
    part.drop("lost", "no least wait is kept", "min_wait")
    longest = _number(part, "max_waiting_time_in_seconds")
    key = "after" if part.kind == "WaitTimeFromHeader" else "at"
    # Retry-After is believed everywhere.
    named = {} if header.lower() == "retry-after" or not header else {key: header}
    return named | ({"max_wait": longest} if longest else {})


def _number(part: Part, name: str) -> float | None:
    value = part.take(name)
    if isinstance(value, str) and re.fullmatch(r"\d+(?:\.\d+)?", value):
        value = float(value) if "." in value else int(value)
    if value is not None and not isinstance(value, int | float):
        part.note(name, "lost", "it depends on the account, and a policy does not")
        return None
    return value


def _reaction(part: Part) -> dict[str, Any] | None:
    word = _WORDS.get(part.text("action") or "FAIL")
    part.drop("not_needed", "who must act is told by the kind of error", "failure_type")
    signs = _status(part) | _predicate(part)
    contained = part.text("error_message_contains")
    message = _message(part)
    if word is None:
        part.forget("lost", "that action has no counterpart")
        return None
    if contained:
        part.note("error_message_contains", "lost", "answers are known by a value, not by words in a text")
    if not signs or (contained and set(signs) <= {"status"}):
        part.note("", "lost", "nothing that is left says which answers it is about")
        return None
    return {**signs, "reaction": word, **({"message": message} if message else {})}


def _status(part: Part) -> dict[str, Any]:
    codes = part.take("http_codes")
    return {"status": [str(code) for code in codes]} if isinstance(codes, list) and codes else {}


def _predicate(part: Part) -> dict[str, Any]:
    text = part.text("predicate").strip()
    if not text:
        return {}
    if (found := _HAS.fullmatch(text)) is not None:
        return {"path": path_text((found["name"],))}
    match = (_IS.fullmatch(text) or _BARE.fullmatch(text)) if len(text) <= LONGEST else None
    looked = look_up(match["looked"]) if match else None
    if match is None or looked is None or looked.root not in {"response", "headers"} or not looked.path:
        part.note("predicate", "lost", "it is computed")
        return {}
    where = {"path": path_text(looked.path)} if looked.root == "response" else {"header": looked.path[0]}
    if match.re is _BARE:
        return where
    word = match["word"]
    value: Any = match["text"] if word is None else int(word) if word.isdecimal() else word.lower() == "true"
    return {**where, "value": value}


def _message(part: Part) -> str:
    text = part.text("error_message")
    try:
        return filled(text, part.parameters, _of_body)
    except Untranslatable:
        part.note("error_message", "lost", "it is computed")
        return ""


def _of_body(found: LookUp) -> str:
    if found.root != "response" or not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in found.path):
        raise Untranslatable("it quotes something else than the answer")
    return f"${{{'.'.join(('body', *found.path))}}}"


def rate_limits_of(part: Part | None) -> list[dict[str, Any]]:
    """Return the rate limits of an API budget; what has no counterpart is noted."""
    if part is None:
        return []
    made = [limit for policy in part.parts("policies") for limit in _limits(policy)]
    headers = {
        name: part.text(key)
        for name, key in (("remaining", "ratelimit_remaining_header"), ("reset", "ratelimit_reset_header"))
        if key in part.keys
    }
    if "remaining" in headers:
        made.append({"headers": headers})
    part.drop("not_needed", "answers that `retry` names as refused count", "status_codes_for_ratelimit_hit")
    return made


def _limits(policy: Part) -> Iterator[dict[str, Any]]:
    for matcher in policy.parts("matchers"):
        if matcher.keys:
            matcher.forget("changed", "the limit counts every request of a connection")
    try:
        for rate in policy.parts("rates"):
            yield {"limit": int(rate.text("limit")), "per": seconds(rate.text("interval"))}
        if policy.kind == "FixedWindowCallRatePolicy":
            yield {"limit": int(policy.text("call_limit")), "per": seconds(policy.text("period"))}
    except (Untranslatable, ValueError):
        policy.forget("lost", "its numbers depend on the account")
