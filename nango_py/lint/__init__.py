"""Look for what a schema cannot see: declarations that load, and do not do what their author thinks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.declare.catalogue import Catalogue, shown
from nango_py.lint.allow import ALLOW_UNEXPLAINED, ALLOW_UNUSED, filtered
from nango_py.lint.fix import fix
from nango_py.lint.rule import Finding, Rule, Subject
from nango_py.lint.rules import RULES
from nango_py.lint.run import findings_in_file, findings_in_integrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nango_py.declare.loader import Entry
    from nango_py.location import Problem

__all__ = [
    "ALL_RULES",
    "RULES",
    "Finding",
    "Rule",
    "Subject",
    "fix_file",
    "fix_integrations",
    "lint_file",
    "lint_integrations",
]

ALL_RULES = (*RULES, ALLOW_UNEXPLAINED, ALLOW_UNUSED)
"""The rules, with those on what is allowed."""


def lint_file(path: str | Path, catalogue: Catalogue | None = None) -> list[Problem]:
    """Return every problem of each version of a blueprint file, in the order of its lines.

    Those that loading it finds are among them. What it extends is looked for in *catalogue*, or beside it, among the
    built-in blueprints and in packs.

    Raises:
        OSError: The file cannot be read.
    """
    path = Path(path)
    found = findings_in_file(path, catalogue or Catalogue(folders=(path.parent,)))
    return _reported((one.problem for one in found), path)


def lint_integrations(path: str | Path, entries: Sequence[Entry], beside: Iterable[Problem] = ()) -> list[Problem]:
    """Return what the rules find in the *entries* of the file at *path*, in the order of its lines.

    Among them are the problems that were found *beside*, less those that the file allows.
    """
    found = findings_in_integrations(entries)
    return _reported([*beside, *(one.problem for one in found)], Path(path))


def fix_file(path: str | Path, folders: Iterable[Path] = ()) -> list[Problem]:
    """Mend what takes no judgement in a blueprint file, and return the problems that are gone.

    What it extends is looked for beside it, in the *folders*, among the built-in blueprints and in packs.
    """
    path = Path(path)
    searched = (path.parent, *folders)
    # What was parsed before an edit must not be what is looked at after it.
    return fix(path, lambda: findings_in_file(path, Catalogue(folders=searched)))


def fix_integrations(path: str | Path, read: Callable[[], Sequence[Entry]]) -> list[Problem]:
    """Mend what takes no judgement in the file whose entries *read* reads, and return the problems that are gone."""
    return fix(Path(path), lambda: findings_in_integrations(read()))


def _reported(problems: Iterable[Problem], path: Path) -> list[Problem]:
    text = path.read_text(encoding="utf-8", errors="replace")
    kept = filtered(dict.fromkeys(problems), text, shown(path))
    return sorted(kept, key=lambda problem: (problem.location, problem.code))
