"""How problems are printed: for people, for machines, or for the checks of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nango_py.cli.output import as_json, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nango_py.location import Problem

__all__ = ["as_github", "as_text", "print_json", "print_lines"]


def as_text(problem: Problem) -> str:
    """Return one line for people."""
    return f"{problem} [{problem.code}]" if problem.severity == "error" else f"{problem} [warning: {problem.code}]"


def as_github(problem: Problem) -> str:
    """Return the workflow command that annotates the line.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    where = problem.location
    facts = {"file": where.source}
    if where.line:
        facts |= {"line": str(where.line), "col": str(where.column)}
    facts["title"] = problem.code
    shown = ",".join(f"{name}={_property(value)}" for name, value in facts.items())
    message = f"{problem.message} {problem.hint}".rstrip()
    return f"::{problem.severity} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def print_json(problems: Sequence[Problem], fixed: Sequence[Problem], **facts: Any) -> None:
    """Print one document of problems, those that were mended, and more facts."""
    as_json({"problems": [plain(one) for one in problems], "fixed": [plain(one) for one in fixed], **facts})


def print_lines(problems: Sequence[Problem], form: str) -> None:
    """Print a line for each problem."""
    for problem in problems:
        click.echo(as_github(problem) if form == "github" else as_text(problem))
