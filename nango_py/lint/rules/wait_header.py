"""A header that does not say what `retry` reads it as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.lint.mend import RenameKey
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

# draft-ietf-httpapi-ratelimit-headers-06: RateLimit-Reset is seconds left.
_EITHER = frozenset({"ratelimit-reset"})
"""What some providers (GitLab) send as a moment all the same."""
_TIME_LEFT = re.compile(r"(?:.*-)?retry-?after(?:-ms)?|(?:.*-)?resets?-(?:after|in)|ratelimit-reset")
_MOMENT = re.compile(r"(?:.*-)?reset-?(?:at|time|timestamp|date|epoch)")
"""A bare `-reset` is not among them: about as many providers count seconds there as name a moment."""
_COUNT = re.compile(r"(?:.*-)?(?:limit|remaining|used|quota|count)(?:-(?!reset|retry|after)[a-z]+)*")
_MILLISECONDS = re.compile(r".*[-_](?:ms|msec|millis|milliseconds)")
_TIME = re.compile(r".*(?:reset|retry-?after).*")


def _find(subject: Subject) -> Iterator[Finding]:
    places = [("/retry", subject.data.get("retry", {}))]
    places += [(f"/actions/{name}/retry", keys.get("retry", {})) for name, keys, _ in subject.actions()]
    for pointer, retry in places:
        yield from _of(pointer, retry)


def _of(pointer: str, retry: Mapping[str, object]) -> Iterator[Finding]:
    for key in ("after", "at", "auto"):
        written = retry.get(key)
        headers = [written] if isinstance(written, str) else written if isinstance(written, list) else []
        flaws = [_flaw(key, str(header).lower()) for header in headers]
        # Under `auto` both are read right; the key is one for all headers, so all have to be wrong.
        renames = key != "auto" and "auto" not in retry and all(flaws) and not any(map(_is_count, headers))
        edit = RenameKey(f"{pointer}/{key}", "auto") if renames else None
        for index, flaw in enumerate(flaws):
            if flaw:
                at = f"{pointer}/{key}" if isinstance(written, str) else f"{pointer}/{key}/{index}"
                yield Finding(pointer=at, message=f"{headers[index]!r} {flaw[0]}", hint=flaw[1], edit=edit)
        if key != "at" and retry.get("unit") != "milliseconds":
            for index, header in enumerate(headers):
                if _MILLISECONDS.fullmatch(str(header).lower()):
                    at = f"{pointer}/{key}" if isinstance(written, str) else f"{pointer}/{key}/{index}"
                    message = f"{header!r} counts milliseconds by its name, and is read as seconds."
                    yield Finding(pointer=at, message=message, hint="Write `unit: milliseconds`.")
    remaining = retry.get("remaining")
    if isinstance(remaining, str) and _TIME.fullmatch(remaining.lower()):
        message = f"{remaining!r} names a time, and `remaining` reads a count that is 0 when nothing is left."
        yield Finding(pointer=f"{pointer}/remaining", message=message, hint="Name the header that counts down.")


def _is_count(header: object) -> bool:
    return isinstance(header, str) and _COUNT.fullmatch(header.lower()) is not None


def _flaw(key: str, header: str) -> tuple[str, str] | None:
    if _is_count(header):
        return "counts requests, and states no wait.", "Remove it; limits are learnt by `rate_limit`."
    if key == "after" and _MOMENT.fullmatch(header):
        return (
            "names a moment, and `after` is for time left.",
            "Write `at`, or `auto` for either.",
        )
    if key == "at" and _TIME_LEFT.fullmatch(header) and header not in _EITHER:
        return "states the time left, and `at` reads no seconds.", "Write `after`, or `auto` for either."
    return None


RULE = Rule(
    id="wait-header",
    reason=(
        "Seconds under `at` are no time at all, milliseconds that are read as seconds a long one, and a wrong word "
        "misleads whoever looks for the cause."
    ),
    fix="Write `at` for moments, `after` for time left, `auto` for either, `unit` for milliseconds.",
    find=_find,
    mends=True,
)
