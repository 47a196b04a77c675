"""nango-py import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.errors import UsageError

if TYPE_CHECKING:
    from nango_py.importers.report import Report

__all__ = ["command"]


@click.group("import")
def command() -> None:
    """Turn catalogues of other tools into blueprints."""


def _tell(report: Report, path: str | None) -> None:
    """Show what came along, write the whole of it to *path*, and exit with 1 where an entry gave no blueprint."""
    from nango_py.importers.report import write_report

    for line in report.summary():
        click.echo(line)
    if path is not None:
        try:
            write_report(report, Path(path))
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    sys.exit(1 if report.failed else 0)
