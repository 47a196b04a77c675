"""Read the comments that allow a finding: ``# nango-py: allow(rule-id) why``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nango_py.lint.rule import Rule
from nango_py.location import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ALLOW_UNEXPLAINED", "ALLOW_UNUSED", "filtered"]

_COMMENT = re.compile(r"(?:^|\s)#\s*nango-py:\s*allow\(([^)\n]*)\)[ \t]*([^\n]*)")

ALLOW_UNEXPLAINED = Rule(
    id="allow-unexplained",
    reason="Whoever meets an exception later has to know whether it still holds.",
    fix="Write why behind the comment: # nango-py: allow(rule) reason.",
    find=lambda _: iter(()),
)
ALLOW_UNUSED = Rule(
    id="allow-unused",
    reason="An exception for what is no longer there hides the next finding.",
    fix="Remove the comment, or correct the rule's name in it.",
    find=lambda _: iter(()),
)


@dataclass(frozen=True, slots=True)
class _Allowance:
    rule: str
    line: int
    """The line that it speaks of."""
    at: Location
    why: str


def filtered(problems: Iterable[Problem], text: str, source: str) -> Iterator[Problem]:
    """Yield the *problems* of a file's *text*, without those that it allows; warnings only can be allowed."""
    allowances = list(_allowances(text, source)) if "nango-py:" in text else []
    used = set()
    for problem in problems:
        allowed = [one for one in allowances if _fits(one, problem)]
        used.update(allowed)
        if not allowed:
            yield problem
    for one in allowances:
        if one not in used:
            yield _problem(ALLOW_UNUSED, one, f"there is no {one.rule!r} to allow here.")
        elif not one.why:
            yield _problem(ALLOW_UNEXPLAINED, one, f"{one.rule!r} is allowed without a reason.")


def _fits(one: _Allowance, problem: Problem) -> bool:
    where = problem.location
    is_there = (where.source, where.line) == (one.at.source, one.line)
    return problem.severity == "warning" and problem.code == one.rule and is_there


def _problem(rule: Rule, one: _Allowance, message: str) -> Problem:
    return Problem(location=one.at, code=rule.id, message=message, hint=rule.fix, severity=rule.severity)


def _allowances(text: str, source: str) -> Iterator[_Allowance]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        for found in _COMMENT.finditer(line):
            at = Location(source=source, line=number, column=line.index("#", found.start()) + 1)
            is_alone = not line[: found.start()].strip()
            target = _next_line(lines, number) if is_alone else number
            yield from (_Allowance(rule.strip(), target, at, found[2].strip()) for rule in found[1].split(","))


def _next_line(lines: list[str], number: int) -> int:
    """Return the number of the first line after a comment that is more than one."""
    for index in range(number, len(lines)):
        if lines[index].strip() and not lines[index].lstrip().startswith("#"):
            return index + 1
    return number
