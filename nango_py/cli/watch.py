"""Files that a command watches by their times: which they are, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Snapshot", "changes", "files_of", "snapshot"]

Snapshot = dict["Path", tuple[int, int]]


def files_of(file: Path, blueprints: Iterable[Path], integrations: Iterable[str]) -> Iterator[Path]:
    """Yield what an engine is made of: the file, the blueprints beside it and in folders, and Python actions."""
    yield file
    for folder in (file.parent / "blueprints", *blueprints):
        yield from sorted(folder.glob("*.yaml"))
    for integration in integrations:
        yield from sorted((file.parent / integration).glob("*.py"))


def snapshot(files: Iterable[Path]) -> Snapshot:
    """Return the times and sizes of files; one that is gone is left out."""
    found: Snapshot = {}
    for path in files:
        try:
            facts = path.stat()
        except OSError:
            continue
        found[path] = (facts.st_mtime_ns, facts.st_size)
    return found


def changes(before: Mapping[Path, tuple[int, int]], after: Mapping[Path, tuple[int, int]]) -> list[tuple[str, Path]]:
    """Return what happened to which file: ``new``, ``gone`` or ``changed``."""
    return [
        ("new" if path not in before else "gone" if path not in after else "changed", path)
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
