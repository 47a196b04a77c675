"""nango-py blueprints pack."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.blueprint_tests import report
from nango_py.cli.output import json_option, show_written, writing

__all__ = ["command"]


@click.group("pack")
def command() -> None:
    """Share blueprints as a package."""


@command.command("new")
@click.argument("name")
@click.option("--to", metavar="FOLDER", help="Where to; the folder NAME without it.")
@json_option
def new(name: str, to: str | None, *, as_json: bool) -> None:
    """Begin a pack: a package NAME with a first blueprint, its test, and what makes pip install it."""
    from nango_py.packs.begin import begin_pack

    folder = Path(to or name)
    with writing():
        written = begin_pack(name, folder)
    show_written(written, f"Next: write the blueprint, then nango-py blueprints pack test {folder}.", is_json=as_json)


@command.command("test")
@click.argument("folder", default=".")
@click.option("--all", "shows_all", is_flag=True, help="Show the checks that passed, too.")
@json_option
def test(folder: str, *, shows_all: bool, as_json: bool) -> None:
    """Check the pack in FOLDER: every blueprint, what it does against a provider in memory, and the wheel."""
    from nango_py.packs.check import check_pack, read_pack

    report(tuple(check_pack(read_pack(Path(folder)))), shows_all=shows_all, as_json=as_json)
