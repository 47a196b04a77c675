"""nango-py schema."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.output import json_option, show_written, writing

__all__ = ["command"]


@click.command("schema")
@click.argument("kind", type=click.Choice(["integrations", "blueprint"]), default="integrations")
@click.option("--write", is_flag=True, help="Write both into .nango/schemas, where the files' first lines lead to.")
@click.option(
    "--file",
    "-f",
    default="integrations.yaml",
    show_default=True,
    metavar="PATH",
    help="The integrations, for --write.",
)
@json_option
def command(kind: str, file: str, *, write: bool, as_json: bool) -> None:
    """Print the JSON Schema of integrations.yaml or of a blueprint file, as one document for editors.

    --write makes the schemas of a project anew: after a fresh checkout, an upgrade, or for new blueprints to be
    suggested.
    """
    from nango_py.declare.editor import KINDS, editor_schema, modeline, write_schemas

    project = Path(file).parent
    if not write:
        (chosen,) = (known for known in KINDS if known == kind)
        click.echo(editor_schema(chosen, (project / "blueprints",)), nl=False)
        return
    with writing():
        paths = write_schemas(project)
    line = modeline("integrations", Path(file), project)
    show_written(paths, f"{file} is to begin with this line:\n{line}", is_json=as_json)
