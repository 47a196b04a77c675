"""Numbered SQL files that bring a database to the shape this code expects."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from nango_py.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Migration", "pending", "shipped"]

_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Hold one step: its number, the statements, and the SHA-256 of the file's text."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str


@lru_cache
def shipped(dialect: Literal["sqlite", "postgres"]) -> tuple[Migration, ...]:
    """Return the steps that come with this code, in order."""
    folder = files("nango_py.connections").joinpath("migrations", dialect)
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if _FILE.fullmatch(file.name)}
    return tuple(_migration(name, text) for name, text in sorted(texts.items()))


def pending(applied: Mapping[int, str], known: tuple[Migration, ...], location: str) -> tuple[Migration, ...]:
    """Return the steps that a database with the *applied* checksums, by number, still lacks.

    Raises :class:`StoreError` for a database that a newer nango_py has changed, or whose steps differ from ours.
    """
    newest = known[-1].number if known else 0
    ahead = max(applied, default=0)
    if ahead > newest:
        raise StoreError(
            f"{location}: the database has schema version {ahead}, and this nango_py knows versions up to {newest}. "
            "Upgrade nango_py."
        )
    for step in known:
        if applied.get(step.number, step.checksum) != step.checksum:
            raise StoreError(
                f"{location}: schema version {step.number} ({step.name}) was made by a different file than the one "
                "shipped with this nango_py. Restore the database from a backup, or install the version that made it."
            )
    return tuple(step for step in known if step.number not in applied)


def _migration(name: str, text: str) -> Migration:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    statements = tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(number=int(name[:4]), name=name, statements=statements, checksum=checksum)
