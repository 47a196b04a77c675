"""A version that refines another, and loses a section of it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.declare.merge import merge
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_SECTIONS = ("retry", "rate_limit", "pagination", "verification", "credentials", "connection_config", "actions")


def _find(subject: Subject) -> Iterator[Finding]:
    if not subject.below:
        return
    inherited, written = merge(subject.below).data, subject.written
    for section in _SECTIONS:
        if section in written and written[section] is None and inherited.get(section):
            yield Finding(
                pointer=f"/{section}",
                message=f"this deletes the inherited {section}.",
                at_key=True,
                is_written=True,
            )
    lost = _credentials(inherited, subject)
    if lost:
        message = f"another auth_mode discards the inherited credentials: {', '.join(lost)}."
        yield Finding(
            pointer="/auth/auth_mode", message=message, hint="Declare those that it still needs, and allow this."
        )


def _credentials(inherited: Mapping[str, Any], subject: Subject) -> list[str]:
    """Return the declared credentials that a change of the scheme took away."""
    if inherited.get("auth", {}).get("auth_mode") in {None, subject.data["auth"]["auth_mode"]}:
        return []
    before = inherited["auth"]["auth_mode"]
    own = {field.name for field in SCHEMES[SPELLINGS.get(before, before)].fields}
    return sorted(inherited.get("credentials", {}).keys() - own - subject.data.get("credentials", {}).keys())


RULE = Rule(
    id="section-lost",
    reason="Retries, pages or verification that a parent declares are missed only when they are needed.",
    fix="Write what differs instead, or allow this line with the reason.",
    find=_find,
)
