"""nango-py blueprints diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.cli.engine import blueprints_option, reading, searched
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.versions.change import Change
    from nango_py.versions.content import Content

__all__ = ["command"]


@click.command("diff")
@click.argument("versions", nargs=-1, metavar="BEFORE AFTER")
@click.option("--locked", is_flag=True, help="Compare what nango.lock holds with the blueprints at hand.")
@click.option(
    "--file",
    "-f",
    default="integrations.yaml",
    show_default=True,
    metavar="PATH",
    help="The integrations, for --locked.",
)
@blueprints_option
@json_option
def command(
    versions: tuple[str, ...], file: str, blueprints: tuple[str, ...], *, locked: bool, as_json: bool
) -> None:
    """Say what changes for users between two versions, and exit with 1 if anything breaks.

    A version is close:v0, or blueprints/close.yaml:v0. With --locked, BEFORE and AFTER give way to the keys of
    interest; without any, all that are locked are compared.
    """
    from nango_py.versions.diff import diff

    with reading():
        pairs = list(_locked(Path(file), versions, blueprints) if locked else _given(versions, blueprints))
    found = [(before, after, diff(before, after)) for before, after in pairs]
    if as_json:
        print_json([_plain(*one) for one in found])
    else:
        click.echo("\n".join(line for one in found for line in _lines(*one, locked=locked)) or "Nothing is locked.")
    sys.exit(1 if any(change.level == "BREAKING" for *_, changes in found for change in changes) else 0)


def _given(versions: tuple[str, ...], blueprints: tuple[str, ...]) -> Iterator[tuple[Content, Content]]:
    from nango_py.versions.content import find

    if len(versions) != 2:  # noqa: PLR2004 - a pair
        raise click.UsageError("name two versions, such as close:v0 close:v1; or say --locked.")
    before, after = (find(version, searched(blueprints)) for version in versions)
    is_same = (before.key, before.blueprints[-1].source) == (after.key, after.blueprints[-1].source)
    if is_same and versions[0] != versions[1]:
        # Without a version a name is the newest: a gate written so would compare that with itself, and never fail.
        raise click.UsageError(f"{versions[0]} and {versions[1]} are both {after.key}; name the version of each.")
    yield before, after


def _locked(file: Path, keys: tuple[str, ...], blueprints: tuple[str, ...]) -> Iterator[tuple[Content, Content]]:
    from nango_py.errors import UsageError
    from nango_py.location import did_you_mean
    from nango_py.versions.lock import LOCK_NAME, compared, read_lock, uses_of

    path = file.with_name(LOCK_NAME)
    if not path.exists():
        raise UsageError(f"there is no {path}. Make one with: nango-py lock")
    pins = read_lock(path)
    for key in keys:
        if key not in pins:
            raise UsageError(f"{path} does not pin {key!r}. {did_you_mean(key, pins)}".rstrip())
    for pin, content in compared(pins, uses_of(file, blueprints)):
        if not keys or pin.key in keys:
            yield pin.content(str(path)), content


def _lines(before: Content, after: Content, changes: tuple[Change, ...], *, locked: bool) -> Iterator[str]:
    from nango_py.versions.change import LEVELS

    yield f"{before.key}, as locked -> {after.key}, at hand" if locked else f"{before.key} -> {after.key}"
    for level in LEVELS:
        group = [change for change in changes if change.level == level]
        if group:
            yield f"\n{level} ({len(group)})"
            yield from (f"  {change.location}: {change}" for change in group)
    yield "\nNothing changes for users.\n" if not changes else ""


def _plain(before: Content, after: Content, changes: tuple[Change, ...]) -> dict[str, object]:
    return {
        "before": before.key,
        "after": after.key,
        "changes": [
            {
                "level": change.level,
                "pointer": change.pointer,
                "message": change.message,
                "reason": change.reason,
                "location": str(change.location),
            }
            for change in changes
        ],
    }
