"""Every rule, one a module, in the order of reports and of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nango_py.lint.rules import (
    action_untyped,
    default_outside_enum,
    foreign_header,
    host_open,
    list_not_paged,
    pagination_contradiction,
    parent_unpinned,
    pattern_rejects_own,
    pattern_slashes,
    pattern_slow,
    pattern_unanchored,
    secret_not_marked,
    section_lost,
    sources_missing,
    unreachable_alternative,
    unread_key,
    unused_field,
    url_not_https,
    verification_missing,
    wait_header,
)

if TYPE_CHECKING:
    from nango_py.lint.rule import Rule

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (
    action_untyped.RULE,
    default_outside_enum.RULE,
    foreign_header.RULE,
    host_open.RULE,
    list_not_paged.RULE,
    pagination_contradiction.RULE,
    parent_unpinned.RULE,
    pattern_rejects_own.RULE,
    pattern_slashes.RULE,
    pattern_slow.RULE,
    pattern_unanchored.RULE,
    secret_not_marked.RULE,
    section_lost.RULE,
    sources_missing.RULE,
    unreachable_alternative.RULE,
    unread_key.RULE,
    unused_field.RULE,
    url_not_https.RULE,
    verification_missing.RULE,
    wait_header.RULE,
)
