"""Let every rule look at a blueprint file, or at the integrations of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nango_py.declare.assemble import assemble
from nango_py.declare.catalogue import Reference, read_file
from nango_py.declare.placeholders import templated
from nango_py.declare.resolve import resolve
from nango_py.declare.schema import check_blueprint
from nango_py.document import pointer_to
from nango_py.lint.mend import SetValue
from nango_py.lint.rule import Subject
from nango_py.lint.rules import RULES
from nango_py.location import Problem
from nango_py.template import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nango_py.declare.catalogue import Catalogue
    from nango_py.declare.loader import Entry
    from nango_py.declare.merge import Layer, Merged
    from nango_py.document import Document
    from nango_py.lint.mend import Edit
    from nango_py.lint.rule import Finding, Kind, Rule
    from nango_py.model import Integration

__all__ = ["Found", "findings_in_file", "findings_in_integrations"]


@dataclass(frozen=True, slots=True)
class Found:
    """A problem, and the edit of its document that would mend it, where there is one."""

    problem: Problem
    edit: Edit | None = None


def findings_in_file(path: Path, catalogue: Catalogue) -> Iterator[Found]:
    """Yield what is wrong with each version of a blueprint file; what it extends is looked for in *catalogue*.

    Raises:
        OSError: The file cannot be read.
    """
    document = catalogue.parsed.setdefault(path, read_file(path))
    versions = document.data.get("versions") if isinstance(document.data, Mapping) else None
    seen: set[Problem] = set()
    if Reference.read(path.stem) is None or path.suffix != ".yaml":
        yield Found(_file_problem(document, "blueprint.name", "a blueprint file is named after it: `acme.yaml`."))
    elif not isinstance(versions, Mapping) or not versions:
        yield from map(Found, document.problems or check_blueprint(document, ""))
    else:
        for version in (name for name in versions if not name.startswith("x-")):
            for found in _version(path, version, document, catalogue):
                if found.problem not in seen:
                    seen.add(found.problem)
                    yield found


def _version(path: Path, version: str, document: Document, catalogue: Catalogue) -> Iterator[Found]:
    key = f"{path.stem}:{version}"
    pointer = pointer_to("versions", version)
    location = document.locate_key(pointer)
    if (reference := Reference.read(key)) is None or reference.version is None:
        yield from map(Found, check_blueprint(document, version))
        return
    chain = resolve(key, catalogue, location, pinned=False)
    yield from (Found(problem) for problem in chain.problems if _concerns(problem, document))
    if not chain.layers or any(problem.severity == "error" for problem in chain.problems):
        return
    layers = tuple(chain.layers)
    made = assemble(path.stem, layers, location=location, blueprints=tuple(chain.blueprints))
    yield from (Found(problem) for problem in made.problems if _concerns(problem, document))
    if made.integration is not None:
        yield from _looked_at(key, "blueprint", layers, made.merged, made.integration)


def _concerns(problem: Problem, document: Document) -> bool:
    """Tell whether a problem belongs in a report on *document*: warnings of a parent are for its own author."""
    return problem.severity == "error" or problem.location.source == document.source


def _file_problem(document: Document, code: str, message: str) -> Problem:
    return Problem(location=document.locate(""), code=code, message=message)


def findings_in_integrations(entries: Iterable[Entry]) -> Iterator[Found]:
    """Yield what the rules find in the sound ones of the integrations, as they are written in their file."""
    for entry in entries:
        if entry.integration is not None and entry.merged is not None:
            yield from _looked_at(entry.name, "integration", entry.layers, entry.merged, entry.integration)
        for problem in entry.problems:
            if problem.code == "blueprint.unpinned" and entry.integration is not None:
                yield Found(problem, SetValue(problem.pointer, entry.integration.blueprints[-1].key))


def _looked_at(
    name: str, kind: Kind, layers: tuple[Layer, ...], merged: Merged, integration: Integration
) -> Iterator[Found]:
    *below, own = layers
    subject = Subject(
        name=name,
        kind=kind,
        document=own.document,
        pointer=own.pointer,
        below=tuple(below),
        merged=merged,
        integration=integration,
        templates=tuple((pointer, split(text)) for pointer, text in templated(merged.data)),
    )
    for rule in RULES:
        for finding in rule.find(subject) if kind in rule.kinds else ():
            if finding.is_written or not finding.pointer or subject.is_own(finding.pointer):
                yield Found(_problem(rule, finding, subject), _edit(finding, subject))


def _problem(rule: Rule, finding: Finding, subject: Subject) -> Problem:
    at = subject.pointer + finding.pointer
    locate = subject.document.locate_key if finding.at_key else subject.document.locate
    return Problem(
        location=locate(at),
        code=rule.id,
        message=finding.message,
        hint=finding.hint or rule.fix,
        pointer=at,
        severity=rule.severity,
    )


def _edit(finding: Finding, subject: Subject) -> Edit | None:
    edit = finding.edit
    return None if edit is None else replace(edit, pointer=subject.pointer + edit.pointer)
