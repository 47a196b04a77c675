"""Mend a file: what takes no judgement is edited in place, and the file is never left worse than it was."""

from __future__ import annotations

import shutil
from errno import EXDEV
from secrets import token_hex
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

    Raises:
        OSError: It cannot be written, or is a link to a file elsewhere; it is as it was.
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
    _replace(path, after.encode("utf-8"))
    is_worse = True
    try:
        is_worse = bool(_errors(look()) - known)
    finally:
        if is_worse:
            _replace(path, before)
    if not is_worse:
        return made
    return [one for edit in edits for one in _made(path, [edit], look, known)] if len(edits) > 1 else []


def _errors(found: Iterable[Found]) -> set[tuple[str, str]]:
    """Return what is wrong, whatever the line that it now stands in."""
    return {(one.problem.code, one.problem.message) for one in found if one.problem.severity == "error"}


def _replace(path: Path, content: bytes) -> None:
    """Put *content* in the place of a file at once, so that a full disk or an interruption costs nothing."""
    target = path.resolve()
    if not target.is_relative_to(path.parent.resolve()):
        # A folder from somebody else would choose the file that is written.
        raise OSError(EXDEV, f"it is a link to {target}, to be mended there", str(path))
    with target.open("r+b"):
        pass  # a file that may not be written is not replaced either
    part = target.with_name(f".{token_hex(8)}.part")
    try:
        part.write_bytes(content)
        shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
