"""How commands speak: tables for people, JSON for machines, errors with an exit code."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from nango_py.errors import ConfigError, NangoError, UsageError

__all__ = [
    "as_json",
    "json_option",
    "log_shown",
    "new_file",
    "plain",
    "run_command",
    "show_written",
    "table",
    "writing",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def run_command(group: click.Command, args: list[str] | None) -> Any:
    """Run a command; errors go to stderr, with exit code 1 for the other side and problems, 2 for wrong use."""
    words = sys.argv[1:] if args is None else args
    try:
        return group.main(args, prog_name="nango-py", standalone_mode=True)
    except NangoError as error:
        _show_error(error, is_json="--json" in words)
        sys.exit(2 if isinstance(error, UsageError) else 1)


def _show_error(error: NangoError, *, is_json: bool) -> None:
    if not is_json:
        # Others wrote parts of it: a file's names and texts must not speak to the terminal.
        shown = "".join(char if char.isprintable() or char == "\n" else " " for char in f"Error: {error}")
        click.echo(shown, err=True)
        return
    document: dict[str, Any] = {"error": {"type": type(error).__name__, "message": str(error)}}
    if isinstance(error, ConfigError):
        document["error"]["problems"] = [plain(problem) for problem in error.problems]
    click.echo(json.dumps(document, indent=2), err=True)


def as_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=plain))


def new_file(name: str, *, overwrite: bool = False) -> Path:
    """Return the place of a file that is about to be written.

    Raises:
        UsageError: It is there already, and nobody said *overwrite*.
    """
    if os.path.lexists(name) and not overwrite:
        raise UsageError(f"{name} exists already; it was left as it is.")
    return Path(name)


@contextmanager
def writing() -> Iterator[None]:
    """Write files; what the file system refuses is a mistake of whoever named the place."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}.") from None


def show_written(paths: Iterable[object], following: str, *, is_json: bool) -> None:
    """Name the files that were written, and to people what is *following*."""
    if is_json:
        as_json({"written": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(f"Wrote {path}.")
    click.echo(following)


def plain(value: Any) -> Any:
    """Return what JSON can hold of a value of ours."""
    from nango_py.location import Location, Problem

    if isinstance(value, Problem):
        return {
            "source": value.location.source,
            "line": value.location.line,
            "column": value.location.column,
            "pointer": value.pointer,
            "code": value.code,
            "severity": value.severity,
            "message": value.message,
            "hint": value.hint,
        }
    if isinstance(value, Location):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


def table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print rows below headings, in columns."""
    lines = [tuple(map(str, headings)), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


@contextmanager
def log_shown(event: str) -> Iterator[None]:
    """Show the engine's log lines whose event begins with *event*, on stderr: a person at a terminal reads no log."""
    heard = logging.StreamHandler()
    heard.addFilter(lambda record: f"event='{event}" in record.getMessage())
    logger = logging.getLogger("nango_py")
    logger.addHandler(heard)
    try:
        yield
    finally:
        logger.removeHandler(heard)
