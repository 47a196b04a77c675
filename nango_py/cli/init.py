"""nango-py init."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.output import json_option, writing
from nango_py.errors import UsageError

__all__ = ["command"]

_TEXT = """\
{modeline}
integrations:
  close:
    extends_blueprint: close:v0
"""


@click.command("init")
@click.option(
    "--file", "-f", default="integrations.yaml", show_default=True, metavar="PATH", help="The file to write."
)
@json_option
def command(file: str, *, as_json: bool) -> None:
    """Write an integrations.yaml to begin with; a file that is there already stays as it is.

    Its first line tells editors the schema, which is written into .nango/schemas beside it.
    """
    from nango_py.declare.editor import modeline, write_schemas

    path = Path(file)
    with writing():
        try:
            with path.open("x", encoding="utf-8") as written:
                written.write(_TEXT.format(modeline=modeline("integrations", path, path.parent)))
        except FileExistsError:
            raise UsageError(f"{path} exists already; it was left as it is.") from None
        write_schemas(path.parent)
    if as_json:
        from nango_py.cli.output import as_json as print_json

        print_json({"written": str(path)})
        return
    click.echo(f"Wrote {path}. Next: nango-py check, then nango-py connections add close USER_ID.")
