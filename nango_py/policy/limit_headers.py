"""What an answer's headers say about rate limits, in every dialect that providers speak."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from nango_py.policy.stated_wait import parse_wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nango_py.http import Headers
    from nango_py.policy.stated_wait import Unit

__all__ = ["LimitHeaders", "Report", "mention_limits", "read_limits"]

LONGEST: Final = 4096
MOST: Final = 8
"""Limits of one answer that are read; the rest is noise."""
SKEW: Final = 2.0
"""Seconds by which an answer's Date, which has no fractions, has to differ before it is believed."""

_UNITS: Final = {
    "secondly": 1.0, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "daily": 86400.0,
}  # fmt: skip
# OpenAI counts tokens beside requests: those are not for requests to count, so that other endings are passed over.
_FAMILY: Final = re.compile(
    r"(?:x-)?rate-?limit-(limit|remaining|reset-after|reset)(?:-(requests|second|minute|hour|day))?"
)
_HUBSPOT: Final = {
    "x-hubspot-ratelimit-max": ("interval", "limit"),
    "x-hubspot-ratelimit-remaining": ("interval", "remaining"),
    "x-hubspot-ratelimit-interval-milliseconds": ("interval", "milliseconds"),
    "x-hubspot-ratelimit-secondly": ("secondly", "limit"),
    "x-hubspot-ratelimit-secondly-remaining": ("secondly", "remaining"),
    "x-hubspot-ratelimit-daily": ("daily", "limit"),
    "x-hubspot-ratelimit-daily-remaining": ("daily", "remaining"),
}
_NUMBER: Final = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)")
_NAMED: Final = re.compile(
    r"\s*(?:\"([^\"]*)\"|([A-Za-z*][\w.*-]*)|([0-9]+))\s*((?:;[^,\"]*(?:\"[^\"]*\")?[^,\"]*)*)"
)
_PARAMETER: Final = re.compile(r";\s*([a-z*][\w.*-]*)\s*=\s*\"?([0-9]+(?:\.[0-9]+)?)")
_PAIR: Final = re.compile(r"(limit|remaining|reset)\s*=\s*\"?([0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHeaders:
    """The headers in which a provider states its limit, where they have names of their own.

    ``reset`` is read as any stated wait: time left, whose bare number is in ``unit``, a moment, a duration. Without
    it ``per`` gives the window's seconds.
    """

    remaining: str
    limit: str | None = None
    reset: str | None = None
    unit: Unit = "seconds"
    per: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is said of one limit: ``remaining`` of ``limit``, whole again in ``reset`` seconds.

    ``window`` is its length in seconds. None stands for what was not said. ``is_partial`` tells that it is one of
    several that count different requests.
    """

    name: str
    remaining: float
    limit: float | None = None
    reset: float | None = None
    window: float | None = None
    is_partial: bool = False


@dataclass(slots=True)
class _Found:
    values: dict[str, float] = field(default_factory=dict)

    def report(self, name: str) -> Report | None:
        values = self.values
        if "remaining" not in values or not values.keys() & {"reset", "window"}:
            return None
        return Report(
            name=name, remaining=values["remaining"], limit=values.get("limit"), reset=values.get("reset"),
            window=values.get("window"),
        )  # fmt: skip


def mention_limits(raw: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether headers may speak of rate limits: cheap enough for every answer."""
    names = b" ".join([name for name, _ in raw])
    return b"imit" in names or b"LIMIT" in names


def read_limits(headers: Headers, *, now: float, names: LimitHeaders | None = None) -> tuple[Report, ...]:
    """Return what the headers say, one report a limit; those that do not say when it is whole again are left out.

    Reads ``X-RateLimit-*``, ``X-Rate-Limit-*`` and ``RateLimit-*`` (with ``-Reset-After`` and endings such as
    ``-Minute``), the ``RateLimit`` and ``RateLimit-Policy`` of draft-ietf-httpapi-ratelimit-headers in its new and
    its older form, which Close uses, and HubSpot's own. *names*, where given, are read instead. ``now`` is the UTC
    time since the epoch, against which moments are read; the answer's Date where the two clocks disagree.
    """
    now = _their_now(headers, now)
    if names is not None:
        return tuple(_named(headers, names, now))
    reports = [*_structured(headers), *_families(headers, now), *_hubspot(headers)]
    return tuple(reports[:MOST])


def _their_now(headers: Mapping[str, str], now: float) -> float:
    try:
        theirs = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return now
    return theirs if abs(theirs - now) > SKEW else now


def _named(headers: Headers, names: LimitHeaders, now: float) -> Iterator[Report]:
    found = _Found()
    for kind, name in (("remaining", names.remaining), ("limit", names.limit), ("reset", names.reset)):
        if name is not None:
            _add(found, kind, headers.get(name, ""), now, names.unit)
    if names.per is not None:
        found.values["window"] = names.per
    if (report := found.report("headers")) is not None:
        yield report


def _families(headers: Headers, now: float) -> Iterator[Report]:
    found: dict[str, _Found] = {}
    for name, text in headers.items():
        match = _FAMILY.fullmatch(name)
        if match is None:
            continue
        unit = match[2] or ""
        group = found.setdefault(f"{name[: match.start(1) - 1]}{unit and '-'}{unit}", _Found())
        _add(group, match[1], text, now)
        if unit in _UNITS:
            group.values["window"] = _UNITS[unit]
    part = headers.get("X-RateLimit-Resource") or headers.get("X-RateLimit-Bucket")
    for report in _reports(found):
        # GitHub and Discord count their kinds of requests apart, and name the kind.
        yield replace(report, name=f"{report.name} {part[:64]}", is_partial=True) if part else report


def _hubspot(headers: Headers) -> Iterator[Report]:
    found: dict[str, _Found] = {}
    for header, (name, kind) in _HUBSPOT.items():
        number = _number(headers.get(header, ""))
        if number is None:
            continue
        group = found.setdefault(f"hubspot-{name}", _Found())
        if kind == "milliseconds":
            group.values["window"] = number / 1000
        else:
            group.values[kind] = number
            if name in _UNITS:
                group.values["window"] = _UNITS[name]
    yield from _reports(found)


def _reports(found: Mapping[str, _Found]) -> Iterator[Report]:
    for name, group in found.items():
        report = group.report(name)
        if report is not None:
            yield report


def _add(found: _Found, kind: str, text: str, now: float, unit: Unit = "seconds") -> None:
    if kind == "reset" and "exact" in found.values:
        return
    value = _reset(text, now, unit) if kind.startswith("reset") else _number(text)
    if value is None:
        return
    if kind == "reset-after":
        # Discord states both: the time left is exact, the moment is not.
        found.values["exact"] = value
    found.values[kind.removesuffix("-after")] = value
    if kind == "limit" and (window := re.search(r";\s*w=([0-9]+)", text)):
        found.values["window"] = float(window[1])


def _reset(text: str, now: float, unit: Unit) -> float | None:
    """Return the seconds left, 0 for a moment that has passed."""
    seconds = parse_wait(text, strategy="after", now=now, unit=unit)
    if seconds is None and parse_wait(text, strategy="after", now=0.0) is not None:
        return 0.0
    return seconds


def _number(text: str) -> float | None:
    match = _NUMBER.match(text)
    return float(match[1]) if match else None


def _structured(headers: Headers) -> Iterator[Report]:
    text, policies = headers.get("RateLimit", "")[:LONGEST], dict(_items(headers.get("RateLimit-Policy", "")))
    if not text:
        return
    pairs = {name.lower(): float(value) for name, value in _PAIR.findall(text)}
    if "remaining" in pairs:
        yield from _older(pairs, policies)
        return
    for name, said in _items(text):
        policy = policies.get(name, {})
        if "r" not in said or not ("t" in said or "w" in policy):
            continue
        yield Report(
            name=f"ratelimit-{name}", remaining=said["r"], limit=policy.get("q"), reset=said.get("t"),
            window=policy.get("w"),
        )  # fmt: skip


def _older(pairs: Mapping[str, float], policies: Mapping[str, Mapping[str, float]]) -> Iterator[Report]:
    limit = pairs.get("limit")
    windows = [policy["w"] for name, policy in policies.items() if "w" in policy and _number(name) == limit]
    report = Report(name="ratelimit", remaining=pairs["remaining"], limit=limit, reset=pairs.get("reset"))
    if windows:
        report = replace(report, window=windows[0])
    if report.reset is not None or report.window is not None:
        yield report


def _items(text: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the items of a structured list (RFC 9651): each name with its numeric parameters."""
    for quoted, token, number, parameters in _NAMED.findall(text[:LONGEST]):
        yield quoted or token or number, {name: float(value) for name, value in _PARAMETER.findall(parameters)}
