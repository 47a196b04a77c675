"""nango-py check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.location import Problem
    from nango_py.model import Integration

__all__ = ["command"]


@click.command("check")
@engine_options
@json_option
def command(file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Check integrations.yaml and the blueprints it uses."""
    nango = load(file, store or "memory://", blueprints)
    sound = nango._core.declared.integrations  # noqa: SLF001 - the command line is of the house
    problems = (*nango.problems, *_without_client(sound), *_drifted(file, blueprints))
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        _print_json(problems, sound)
    else:
        for problem in problems:
            click.echo(f"{problem} [{problem.code}]" if problem.severity == "error" else f"{problem} [warning]")
        table(
            ("integration", "blueprint", "from", "host"),
            [
                (
                    name,
                    ", ".join(used.key for used in integration.blueprints) or "-",
                    integration.blueprints[-1].source if integration.blueprints else integration.location.source,
                    integration.requests.base_url.text,
                )
                for name, integration in sound.items()
            ],
        )
        warnings = _count(len(problems) - errors, "warning")
        click.echo(f"{_count(errors, 'error')}, {warnings}, {_count(len(sound), 'integration')} ready.")
    sys.exit(1 if errors else 0)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _without_client(sound: Mapping[str, Integration]) -> Iterator[Problem]:
    """Yield a warning for each integration whose accounts cannot sign in yet; tokens that one brings do work."""
    from nango_py.oauth.client import missing_client

    found = (missing_client(one, "its accounts cannot sign in", severity="warning") for one in sound.values())
    yield from filter(None, found)


def _drifted(file: str, blueprints: tuple[str, ...]) -> tuple[Problem, ...]:
    from nango_py.versions.lock import check_lock

    return check_lock(Path(file), blueprints)


def _print_json(problems: tuple[object, ...], sound: object) -> None:
    print_json({"problems": [plain(problem) for problem in problems], "integrations": list(sound)})  # type: ignore[call-overload]
