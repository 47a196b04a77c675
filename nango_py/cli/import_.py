"""nango-py import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, new_file, writing

if TYPE_CHECKING:
    from nango_py.authoring.report import Report

__all__ = ["command"]


@click.group("import")
def command() -> None:
    """Turn catalogues of other tools into blueprints."""


@command.command("nango")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="The folder that the blueprints go to, such as blueprints/.")  # fmt: skip
@click.option(
    "--only", "names", multiple=True, metavar="NAME", help="Only these providers, commas between; all without it."
)
@click.option("--report", "report", metavar="FILE", help="Where the whole report goes: JSON by its name, else YAML.")
@click.option("--overwrite", is_flag=True, help="Replace what is there already and differs, the report, too.")
@json_option
def _nango(
    file: Path, folder: Path, names: tuple[str, ...], report: str | None, *, overwrite: bool, as_json: bool
) -> None:
    """Turn FILE, your copy of Nango's providers.yaml, into blueprints.

    What cannot come along stands in the report, key by key, with the reason.
    """
    from nango_py.importers.nango.importer import import_catalogue

    only = [name.strip() for given in names for name in given.split(",") if name.strip()]
    written = None if report is None else new_file(report, overwrite=overwrite)
    found = import_catalogue(file, folder, only=only, overwrite=overwrite)
    _tell(found, written, overwrite=overwrite, as_json=as_json)


@command.command("airbyte")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="The folder that the blueprint goes to, such as blueprints/.")  # fmt: skip
@click.option("--name", metavar="NAME", help="The blueprint's name; that of the connector without it.")
@click.option("--report", "report", metavar="FILE", help="Where the whole report goes: JSON by its name, else YAML.")
@json_option
def _airbyte(file: Path, folder: Path, name: str | None, report: str | None, *, as_json: bool) -> None:
    """Turn FILE, the manifest.yaml of a low-code Airbyte connector, into a blueprint.

    Each stream becomes an action that lists its records. What cannot come along stands in the report.
    """
    from nango_py.authoring.scratch import check_name
    from nango_py.importers.airbyte.importer import import_manifest

    written = None if report is None else new_file(report)
    _tell(import_manifest(file, folder, name=None if name is None else check_name(name)), written, as_json=as_json)


def _tell(report: Report, path: Path | None, *, overwrite: bool = False, as_json: bool) -> None:
    """Show what came along, write the whole of it to *path*, and exit with 1 where an entry gave no blueprint."""
    from nango_py.authoring.report import write_report

    if as_json:
        print_json(report.document())
    else:
        for line in report.summary():
            click.echo(line)
    if path is not None:
        with writing():
            write_report(report, path, replaces=overwrite)
    sys.exit(1 if report.failed else 0)
