"""nango-py check."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import json_option, table
from nango_py.cli.reports import print_json, print_lines
from nango_py.core import core_of
from nango_py.document import pointer_to
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nango_py.declare.loader import Entry
    from nango_py.location import Problem
    from nango_py.model import Integration

__all__ = ["command"]

_INTEGRATIONS = re.compile(rb"""^(?:\xef\xbb\xbf)?(["']?)integrations\1[ \t]*:""", re.MULTILINE)

_MOST_WARNINGS = 20
"""What a person reads at once; errors are never cut."""


@dataclass(slots=True)
class _Report:
    """What was found, what was mended, and what was looked at."""

    problems: dict[Problem, None] = field(default_factory=dict)
    """Each once, in the order in which they were found."""
    fixed: list[Problem] = field(default_factory=list)
    integrations: dict[str, Integration] = field(default_factory=dict)
    files: int = 0
    """Blueprint files, beside the integrations."""
    unused: dict[Problem, None] = field(default_factory=dict)
    """Warnings of blueprint versions that no integration extends."""

    def by_severity(self) -> tuple[list[Problem], list[Problem]]:
        """Return the errors, and the warnings."""
        errors = [problem for problem in self.problems if problem.severity == "error"]
        return errors, [problem for problem in self.problems if problem.severity != "error"]


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@engine_options
@click.option("--fix", "mends", is_flag=True, help="Mend what takes no judgement, in place.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="github annotates the lines of a pull request.",
)
@click.option("--all", "shows_all", is_flag=True, help="Show every warning, also of versions that nothing extends.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--rules", "lists_rules", is_flag=True, help="List the rules, and why they are.")
@json_option
def command(
    paths: tuple[Path, ...],
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    mends: bool,
    form: Literal["text", "json", "github"],
    shows_all: bool,
    strict: bool,
    lists_rules: bool,
    as_json: bool,
) -> None:
    """Check integrations.yaml and the blueprints it uses, or the files and folders at PATHS."""
    form = "json" if as_json else form
    if lists_rules:
        _list_rules(form)
        return
    report = _Report()
    # What people do not want to read must not change what machines are told, nor the verdict.
    is_whole = shows_all or strict or form != "text"
    files = list(_files(paths))
    for path in files if paths else [Path(file)]:
        if not paths or _declares_integrations(path):
            _check_integrations(report, path, store, blueprints, mends=mends, is_whole=is_whole)
        else:
            _check_blueprint(report, path, tuple(map(Path, blueprints)), mends=mends)
    errors, warnings = report.by_severity()
    if form == "json":
        print_json([*errors, *warnings], report.fixed, integrations=list(report.integrations))
    else:
        shown = warnings if shows_all or strict or form == "github" else warnings[:_MOST_WARNINGS]
        print_lines([*errors, *shown], form)
    if form == "text":
        if len(shown) < len(warnings):
            click.echo(f"... and {_count(len(warnings) - len(shown), 'more warning')}, which --all shows.")
        _print_rest(report, len(errors), is_whole=not paths)
    sys.exit(1 if errors or (strict and warnings) else 0)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(filter(Path.is_file, path.glob("*.yaml"))) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"{path} holds no blueprint files, whose names end in .yaml.")
        yield from found


def _declares_integrations(path: Path) -> bool:
    return _INTEGRATIONS.search(path.read_bytes()) is not None


def _check_integrations(
    report: _Report,
    path: Path,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    mends: bool,
    is_whole: bool,
) -> None:
    from nango_py.declare.loader import read_entries
    from nango_py.lint import fix_integrations, lint_integrations

    def read() -> list[Entry]:
        return read_entries(path, blueprints=blueprints, environ=os.environ)

    nango = load(str(path), store or "memory://", blueprints)
    if mends and (fixed := _mended(path, lambda: fix_integrations(path, read))):
        report.fixed += fixed
        nango = load(str(path), store or "memory://", blueprints)
    sound = core_of(nango).declared.integrations
    beside = (*nango.problems, *_without_client(sound), *_drifted(path, blueprints))
    report.problems |= dict.fromkeys(lint_integrations(path, read(), beside))
    report.integrations.update(sound)
    extended: dict[str, set[str]] = {}
    for used in (used for one in sound.values() for used in one.blueprints if used.label == "local"):
        extended.setdefault(used.source, set()).add(pointer_to("versions", used.key.rpartition(":")[2]))
    folders = (*map(Path, blueprints), path.parent / "blueprints")
    for source, versions in sorted(extended.items()):
        _check_blueprint(report, Path(source), folders, mends=mends, only=None if is_whole else versions)


def _check_blueprint(
    report: _Report, path: Path, folders: tuple[Path, ...], *, mends: bool, only: set[str] | None = None
) -> None:
    """Check a blueprint file; where *only* some of its versions are looked at, warnings of others are left out."""
    from nango_py.declare.catalogue import Catalogue
    from nango_py.lint import fix_file, lint_file

    report.files += 1
    if mends:
        report.fixed += _mended(path, lambda: fix_file(path, folders))
    catalogue = Catalogue(folders=(path.parent, *folders))
    for problem in lint_file(path, catalogue):
        if only is None or problem.severity == "error" or _concerns(problem, only):
            report.problems[problem] = None
        else:
            report.unused[problem] = None


def _concerns(problem: Problem, versions: set[str]) -> bool:
    """Tell whether a problem of a blueprint file is one of these *versions*, or of none."""
    version = "/".join(problem.pointer.split("/")[:3])
    return version in versions or not version.startswith("/versions/")


def _mended(path: Path, mend: Callable[[], list[Problem]]) -> list[Problem]:
    try:
        return mend()
    except OSError as error:
        raise UsageError(f"{path} cannot be mended: {error.strerror}.") from None


def _without_client(sound: Mapping[str, Integration]) -> Iterator[Problem]:
    """Yield a warning for each integration whose accounts cannot sign in yet; tokens that one brings do work."""
    from nango_py.oauth.client import missing_client

    found = (missing_client(one, "its accounts cannot sign in", severity="warning") for one in sound.values())
    yield from filter(None, found)


def _drifted(file: Path, blueprints: tuple[str, ...]) -> tuple[Problem, ...]:
    from nango_py.versions.lock import check_lock

    return check_lock(file, blueprints)


def _print_rest(report: _Report, errors: int, *, is_whole: bool) -> None:
    for problem in report.fixed:
        click.echo(f"mended: {problem.location}: {problem.message} [{problem.code}]")
    if is_whole and report.integrations:
        table(
            ("integration", "blueprint", "from", "host"),
            [
                (
                    name,
                    ", ".join(used.key for used in integration.blueprints) or "-",
                    integration.blueprints[-1].source if integration.blueprints else integration.location.source,
                    integration.requests.base_url.text,
                )
                for name, integration in report.integrations.items()
            ],
        )
    looked_at = f"{_count(len(report.integrations), 'integration')} ready"
    if not is_whole:
        looked_at = f"{_count(report.files, 'blueprint file')} checked" + (
            f", {looked_at}" if report.integrations else ""
        )
    if unused := len(report.unused.keys() - report.problems.keys()):
        click.echo(f"{_count(unused, 'warning')} of versions that nothing extends, which --all shows.")
    warnings = _count(len(report.problems) - errors, "warning")
    click.echo(f"{_count(errors, 'error')}, {warnings}, {looked_at}.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _list_rules(form: str) -> None:
    from nango_py.cli.output import as_json
    from nango_py.lint import ALL_RULES

    if form == "json":
        as_json([{"id": one.id, "severity": one.severity, "reason": one.reason, "fix": one.fix} for one in ALL_RULES])
        return
    table(("rule", "severity", "why"), [(one.id, one.severity, one.reason) for one in ALL_RULES])
