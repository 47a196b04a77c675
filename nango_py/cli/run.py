"""nango-py run."""

from __future__ import annotations

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.files import saved, with_files
from nango_py.cli.given import read_object
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option
from nango_py.cli.progress import progress
from nango_py.core import core_of
from nango_py.exchange.download import Download

__all__ = ["command"]


@click.command("run")
@click.argument("integration")
@click.argument("action")
@click.argument("user_id")
@click.option("--input", "given", metavar="JSON", help="The input: JSON, @FILE, or - for standard input.")
@click.option("--attach", "attached", multiple=True, metavar="NAME=PATH", help="A file as the input NAME.")
@click.option("--output", metavar="FILE", help="Where to write the file that the action gives; - is standard output.")
@engine_options
@json_option
def command(
    integration: str,
    action: str,
    user_id: str,
    given: str | None,
    attached: tuple[str, ...],
    output: str | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Run an ACTION as a connected account and print its output, as JSON in any case.

    Files in JSON are base64 text.
    """
    del as_json
    with load(file, store, blueprints) as nango:
        core = core_of(nango)
        schema = core.action(core.integration(integration), action).input
        who = f"integration {integration!r}, action {action!r}"
        full = with_files(read_object(given, "--input"), attached, schema, who)
        with progress() as on_event:
            result = nango.trigger_action(integration, action, user_id, full, on_event=on_event)
            document = saved(result, output) if isinstance(result, Download) else result
        if document is not None or not isinstance(result, Download):
            print_json(document)
