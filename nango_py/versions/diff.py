"""Say what changes for users between two versions of a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES
from nango_py.document import pointer_to
from nango_py.versions.actions import compare_actions
from nango_py.versions.change import LEVELS, Change
from nango_py.versions.fields import compare_fields
from nango_py.versions.requests import compare_auth, compare_behaviour, compare_requests, mode_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.versions.change import Finding
    from nango_py.versions.content import Content

__all__ = ["compare_versions", "diff"]

_APART = frozenset({"actions", "auth", "connection_config", "credentials", "requests"})


def diff(before: Content, after: Content) -> tuple[Change, ...]:
    """Return what changes for users, the gravest first; each is located where it stands now, or else stood."""
    changes = [
        Change(
            level=found.level,
            pointer=found.pointer,
            message=found.message,
            reason=found.reason,
            location=(after if _holds(after.data, found.pointer) else before).locate(found.pointer),
        )
        for found in compare_versions(before.data, after.data)
    ]
    return tuple(sorted(changes, key=lambda change: LEVELS.index(change.level)))


def compare_versions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how two versions differ, both in canonical form; equal ones do not."""
    yield from compare_auth(before, after)
    mode = mode_of(after)
    is_same_mode = mode == mode_of(before)
    if is_same_mode:
        own = SCHEMES[mode].fields if mode in SCHEMES else ()
        yield from compare_fields("credentials", before.get("credentials", {}), after.get("credentials", {}), own)
    config = (before.get("connection_config", {}), after.get("connection_config", {}))
    yield from compare_fields("connection_config", *config, ())
    yield from compare_requests(before, after)
    for section in dict.fromkeys((*before, *after)):
        if section not in _APART:
            yield from compare_behaviour(section, before, after)
    yield from compare_actions(before.get("actions", {}), after.get("actions", {}))


def _holds(data: Any, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        members = dict(enumerate(data)) if isinstance(data, list) else data
        names = {pointer_to(name)[1:]: value for name, value in members.items()} if isinstance(members, dict) else {}
        if part not in names:
            return False
        data = names[part]
    return True
