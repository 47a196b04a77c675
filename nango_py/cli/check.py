"""nango-py check."""

from __future__ import annotations

import sys

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, plain, table

__all__ = ["command"]


@click.command("check")
@engine_options
@json_option
def command(file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Check integrations.yaml and the blueprints it uses."""
    nango = load(file, store or "memory://", blueprints)
    problems = nango.problems
    errors = sum(problem.severity == "error" for problem in problems)
    sound = nango._core.declared.integrations  # noqa: SLF001 - the command line is of the house
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
        click.echo(f"{errors} errors, {len(problems) - errors} warnings, {len(sound)} integrations ready.")
    sys.exit(1 if errors else 0)


def _print_json(problems: tuple[object, ...], sound: object) -> None:
    print_json({"problems": [plain(problem) for problem in problems], "integrations": list(sound)})  # type: ignore[call-overload]
