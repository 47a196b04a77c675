"""A header that the provider of this host never sends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_SILENT = (
    # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: by the error's code alone.
    (re.compile(r"\.amazonaws\.com(?:\.cn)?(?:[:/]|$)"), re.compile(r"x-rate-?limit-.*"), "AWS"),
)


def _find(subject: Subject) -> Iterator[Finding]:
    base = subject.integration.requests.base_url.text
    for host, headers, provider in _SILENT:
        if host.search(base):
            yield from _of(subject, headers, provider)


def _of(subject: Subject, headers: re.Pattern[str], provider: str) -> Iterator[Finding]:
    retry = subject.data.get("retry", {})
    for key in ("after", "at", "auto", "remaining"):
        written = retry.get(key, ())
        for index, header in enumerate([written] if isinstance(written, str) else written):
            if headers.fullmatch(header.lower()):
                at = f"/retry/{key}" if isinstance(written, str) else f"/retry/{key}/{index}"
                yield Finding(pointer=at, message=f"{provider} sends no {header!r}: it was copied from elsewhere.")


RULE = Rule(
    id="foreign-header",
    reason="What never comes cannot tell how long to wait, and hides that nothing does.",
    fix="Remove it.",
    find=_find,
)
