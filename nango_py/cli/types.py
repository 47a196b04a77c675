"""nango-py types."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import writing
from nango_py.core import core_of
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.actions.signature import Signature
    from nango_py.core import Core

__all__ = ["command"]

_MOST_LINES = 20


@click.command("types")
@click.option("--output", "-o", metavar="FILE", help="The Python file to write; standard output without it.")
@click.option(
    "--models",
    type=click.Choice(["typeddict", "pydantic", "msgspec"]),
    default="typeddict",
    show_default=True,
    help="What objects are: plain dicts of known types, or models of a package that you have.",
)
@click.option("--integration", "integrations", multiple=True, metavar="NAME", help="Only these; all without it.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the file is not what would be written.")
@engine_options
def command(
    output: str | None,
    models: str,
    integrations: tuple[str, ...],
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    check: bool,
) -> None:
    """Write a typed face of each integration: a class whose methods are its actions, sync and async.

    What a JSON Schema says and a type cannot stands in the docstrings, after "Not in the type".
    """
    from nango_py.typed.module import write_module

    if check and output is None:
        raise click.UsageError("--check compares a file: name it by --output.")
    # Types need no connection, so a missing key or database is no reason to fail.
    core = core_of(load(file, store or "memory://", blueprints))
    names = integrations or tuple(core.declared.integrations)
    text = write_module({name: list(_signatures(core, name)) for name in dict.fromkeys(names)}, models)
    if output is None:
        click.echo(text, nl=False)
    elif check:
        _compare(Path(output), text)
    else:
        _write(Path(output), text)


def _write(path: Path, text: str) -> None:
    from nango_py.typed.module import is_written

    if path.is_file() and not is_written(path.read_text(encoding="utf-8", errors="replace")):
        raise UsageError(f"{path} was not written by nango-py types; it was left as it is.")
    with writing():
        path.write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"Wrote {path}.")


def _signatures(core: Core, name: str) -> Iterator[Signature]:
    from nango_py.actions.signature import signature_of

    integration = core.integration(name)
    for action in core.action_names(integration):
        yield signature_of(integration, core.action(integration, action))


def _compare(path: Path, text: str) -> None:
    """Exit with 1, and show where it begins to differ, if a file is not what would be written."""
    written = path.read_text("utf-8").splitlines() if path.exists() else []
    if path.exists() and written == text.splitlines():
        return
    lines = list(
        difflib.unified_diff(written, text.splitlines(), str(path), "what is declared now", lineterm="", n=1)
    )
    click.echo(f"{path} is {'stale' if path.exists() else 'missing'}: run nango-py types --output {path}.", err=True)
    for line in lines[:_MOST_LINES]:
        click.echo(line, err=True)
    if len(lines) > _MOST_LINES:
        click.echo(f"... and {len(lines) - _MOST_LINES} more lines.", err=True)
    sys.exit(1)
