"""Rules that name HTTP statuses: ``429``, ``5xx`` and ``500-502``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_status_rule", "matching_rule"]

_RULE: Final = re.compile(
    r"(?P<exact>[1-9][0-9]{2})|(?P<family>[1-9])[xX]{2}|(?P<low>[1-9][0-9]{2})-(?P<high>[1-9][0-9]{2})"
)


def is_status_rule(text: str) -> bool:
    """Tell whether a text is a rule at all; one that is not matches no status."""
    return _RULE.fullmatch(text.strip()) is not None


def matching_rule(rules: Iterable[str], status: int) -> str | None:
    """Return the first rule, as it is written, that names the status."""
    return next((rule for rule in rules if _names(rule, status)), None)


def _names(rule: str, status: int) -> bool:
    match = _RULE.fullmatch(rule.strip())
    if match is None:
        return False
    if match["exact"]:
        return status == int(match["exact"])
    if match["family"]:
        return status // 100 == int(match["family"])
    return int(match["low"]) <= status <= int(match["high"])
