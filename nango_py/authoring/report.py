"""What an import brought along and what it did not: for people as a table, for machines as a file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nango_py.authoring.names import one_line
from nango_py.authoring.new_file import replace_file, write_new
from nango_py.yaml_writer import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Finding", "Imported", "Outcome", "Report", "write_report"]

Outcome = Literal["lost", "changed", "not_needed"]
_SHOWN = 500
_OUTCOMES: tuple[Outcome, ...] = ("lost", "changed", "not_needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Say what became of one key that was not carried over as it stands.

    ``lost``: requests needed it and nothing stands for it. ``changed``: something else stands for it. ``not_needed``:
    no request depends on it.
    """

    key: str
    """The key's place in its entry, with dots."""
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Say what became of one entry."""

    name: str
    blueprint: str | None = None
    """The name of the file that was written; None when there is none."""
    problem: str = ""
    """Why there is no blueprint, or none that loads."""
    findings: tuple[Finding, ...] = ()
    cautions: tuple[str, ...] = ()
    """What to look at before the blueprint is used."""

    @property
    def ok(self) -> bool:
        """Tell whether there is a blueprint that loads."""
        return self.blueprint is not None and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold what became of every entry of one source, in its order."""

    source: str
    entries: tuple[Imported, ...] = field(repr=False)

    @property
    def failed(self) -> tuple[Imported, ...]:
        """Return the entries without a blueprint that loads."""
        return tuple(entry for entry in self.entries if not entry.ok)

    def count(self, outcome: Outcome) -> int:
        """Return how many keys came to that."""
        return sum(found.outcome == outcome for entry in self.entries for found in entry.findings)

    def reasons(self, outcome: Outcome) -> Counter[str]:
        """Return how many keys came to that for each reason, in one printable line: others wrote parts of it."""
        found = (found for entry in self.entries for found in entry.findings if found.outcome == outcome)
        return Counter(one_line(one.reason, _SHOWN) for one in found)

    def document(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "source": self.source,
            "entries": len(self.entries),
            "imported": len(self.entries) - len(self.failed),
            "keys": {outcome: self.count(outcome) for outcome in _OUTCOMES},
            "found": {entry.name: kept for entry in self.entries if (kept := _plain(entry)).keys() - {"blueprint"}},
        }

    def summary(self) -> Iterator[str]:
        """Yield the report's lines for people: numbers first, then what was lost or changed, the commonest first."""
        yield f"{len(self.entries) - len(self.failed)} of {len(self.entries)} entries imported."
        for entry in self.failed:
            yield f"  {one_line(entry.name, _SHOWN)}: {one_line(entry.problem, _SHOWN)}"
        for entry in self.entries:
            yield from (f"  {entry.name}: mind that {one_line(caution, _SHOWN)}." for caution in entry.cautions)
        for outcome in _OUTCOMES:
            reasons = self.reasons(outcome)
            if reasons:
                yield f"Keys {outcome.replace('_', ' ')}: {reasons.total()}."
            yield from (f"  {number:4} {reason}" for reason, number in sorted(reasons.items(), key=_commonest))


def _commonest(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _plain(entry: Imported) -> dict[str, Any]:
    keys = [{"key": found.key, "outcome": found.outcome, "reason": found.reason} for found in entry.findings]
    return {
        **({"blueprint": entry.blueprint} if entry.blueprint else {}),
        **({"problem": entry.problem} if entry.problem else {}),
        **({"cautions": list(entry.cautions)} if entry.cautions else {}),
        **({"keys": keys} if keys else {}),
    }


def write_report(report: Report, path: Path, *, replaces: bool = False) -> None:
    """Write the report to *path*: JSON where its name ends in ``.json``, YAML otherwise.

    Raises:
        FileExistsError: Something is there, and the report does not replace it.
        OSError: It cannot be written.
    """
    document = report.document()
    is_json = path.suffix.lower() == ".json"
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n" if is_json else yaml_text(document)
    (replace_file if replaces else write_new)(path, text)
