"""nango-py lock."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.engine import blueprints_option, reading
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, writing

__all__ = ["command"]


@click.command("lock")
@click.option(
    "--file", "-f", default="integrations.yaml", show_default=True, metavar="PATH", help="The integrations."
)
@blueprints_option
@json_option
def command(file: str, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Pin the blueprints that are used, as they are today, in a nango.lock beside the integrations."""
    from nango_py.versions.lock import LOCK_NAME, lock_text, pin_of, uses_of

    with reading():
        pins = {use.content.key: pin_of(use.content) for use in uses_of(Path(file), blueprints, strict=True)}
    path = Path(file).with_name(LOCK_NAME)
    text = lock_text(list(pins.values()))
    is_same = path.is_file() and path.read_bytes() == text.encode()
    with writing():
        path.write_text(text, "utf-8", newline="\n")
    if as_json:
        print_json({"written": str(path), "changed": not is_same, "blueprints": sorted(pins)})
        return
    for key in sorted(pins):
        click.echo(f"{key}  {', '.join(f'{one} from {label}' for one, label in pins[key].sources.items())}")
    count = f"{len(pins)} blueprint{'' if len(pins) == 1 else 's'}"
    click.echo(f"{path} holds {count}; {'nothing changed' if is_same else 'commit it'}.")
