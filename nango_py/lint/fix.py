"""Mend a file: what takes no judgement is edited in place, and the file is never left worse than it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.declare.catalogue import shown
from nango_py.lint.allow import filtered
from nango_py.lint.mend import mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nango_py.lint.mend import Edit
    from nango_py.lint.run import Found
    from nango_py.location import Problem

__all__ = ["fix"]

_ROUNDS = 5
"""One edit may bring another's finding to light; these are as many as rules could be made to follow each other."""


def fix(path: Path, look: Callable[[], Iterable[Found]]) -> list[Problem]:
    """Mend the file at *path* by what *look* finds there, and return the problems that are gone.

    *look* reads the file anew each time. An edit by which it finds an error that was not there before is taken back.
    """
    gone: list[Problem] = []
    for _ in range(_ROUNDS):
        mended_now = _fix_once(path, look)
        gone += mended_now
        if not mended_now:
            break
    return gone


def _fix_once(path: Path, look: Callable[[], Iterable[Found]]) -> list[Problem]:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return []
    found = list(look())
    kept = set(filtered([one.problem for one in found], text, shown(path)))
    edits = {one.edit: one.problem for one in found if one.edit is not None and one.problem in kept}
    made = _made(path, list(edits), look, _errors(found))
    return [edits[edit] for edit in made]


def _made(
    path: Path, edits: list[Edit], look: Callable[[], Iterable[Found]], known: set[tuple[str, str]]
) -> list[Edit]:
    """Make edits, all at once or, where that brings an error, one by one; return those that stay."""
    before = path.read_bytes()
    after, made = mended(before.decode("utf-8"), edits)
    if not made:
        return []
    path.write_bytes(after.encode("utf-8"))
    if not _errors(look()) - known:
        return made
    path.write_bytes(before)
    return [one for edit in edits for one in _made(path, [edit], look, known)] if len(edits) > 1 else []


def _errors(found: Iterable[Found]) -> set[tuple[str, str]]:
    """Return what is wrong, whatever the line that it now stands in."""
    return {(one.problem.code, one.problem.message) for one in found if one.problem.severity == "error"}
