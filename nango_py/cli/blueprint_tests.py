"""nango-py blueprints test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from nango_py.cli.engine import blueprints_option, searched
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table

if TYPE_CHECKING:
    from nango_py.testing.suite import Check

__all__ = ["command", "report"]


@click.command("test")
@click.argument("blueprint")
@click.option("--against", metavar="FILE|KEY", help="A blueprint that says what the provider does, such as the last.")
@blueprints_option
@click.option("--all", "shows_all", is_flag=True, help="Show the checks that passed, too.")
@json_option
def command(
    blueprint: str, against: str | None, blueprints: tuple[str, ...], *, shows_all: bool, as_json: bool
) -> None:
    """Check a BLUEPRINT against a provider in memory: nothing is sent.

    It is a file, whose newest version is checked, or a key such as close:v0.
    """
    from nango_py.testing import conformance

    report(
        conformance(blueprint, against=against, blueprints=searched(blueprints)), shows_all=shows_all, as_json=as_json
    )


def report(found: tuple[Check, ...], *, shows_all: bool, as_json: bool) -> NoReturn:
    """Show what checks found, and exit with 1 if one failed."""
    failed = [check for check in found if check.ok is False]
    if as_json:
        print_json([{"id": check.id, "ok": check.ok, "message": check.message} for check in found])
        sys.exit(1 if failed else 0)
    shown = found if shows_all else [check for check in found if not check.ok]
    if shown:
        words = {True: "ok", False: "FAILED", None: "skipped"}
        table(("check", "result", "message"), [(check.id, words[check.ok], check.message) for check in shown])
        click.echo()
    skipped = sum(check.ok is None for check in found)
    passed = len(found) - len(failed) - skipped
    click.echo(f"{passed} passed, {len(failed)} failed, {skipped} had nothing to check.")
    sys.exit(1 if failed else 0)
