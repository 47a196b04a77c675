"""nango-py blueprints new."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, new_file, writing
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.authoring.draft import Draft
    from nango_py.authoring.openapi.blueprint import Taken
    from nango_py.model import Integration

__all__ = ["command"]

_MOST = 50
_SHOWN = 12
_OF_SCRATCH = ("verification_path", "identity", "pagination_type", "pagination")
_OF_OPENAPI = ("only", "only_tags", "report")


@click.command("new")
@click.argument("name")
@click.option("--from-openapi", metavar="FILE", help="An OpenAPI description (2.0 to 3.2), JSON or YAML.")
@click.option("--only", multiple=True, metavar="OPERATION", help="Take this operation of it, by its operationId.")
@click.option("--only-tags", multiple=True, metavar="TAG", help="Take its operations with this tag.")
@click.option(
    "--max-actions", type=click.IntRange(min=0), default=_MOST, show_default=True, metavar="N", help="Take N at most."
)
@click.option("--report", metavar="FILE", help="Write what was left out of it; JSON where FILE ends in .json.")
@click.option("--display-name", metavar="TEXT", help="The provider's name.")
@click.option("--docs-url", metavar="URL", help="Its documentation.")
@click.option(
    "--base-url", metavar="URL", help="What paths are relative to; ${connection_config.NAME} may stand there."
)
@click.option("--auth-mode", metavar="MODE", help="How requests are signed, such as api_key.")
@click.option("--auth", multiple=True, metavar="KEY=VALUE", help="A key of the mode; dots nest.")
@click.option("--verification-path", metavar="PATH", help="A GET request that tells who one is.")
@click.option("--identity", metavar="PATH", help="Where its answer names the account.")
@click.option("--pagination-type", metavar="TYPE", help="How lists are walked: cursor, link, offset, page or none.")
@click.option("--pagination", multiple=True, metavar="KEY=VALUE", help="A key of pagination.")
@click.option("--to", "folder", default="blueprints", show_default=True, metavar="FOLDER", help="Where to write it.")
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@json_option
def command(name: str, folder: str, *, no_input: bool, as_json: bool, **given: Any) -> None:
    """Write the blueprint NAME: from answers to a few questions, or from an OpenAPI description.

    On a terminal it asks for what no option gives. What it writes is checked first, and no file is written over.
    """
    from nango_py.authoring.scratch import check_name, scratch
    from nango_py.cli.asking import answers

    path = new_file(str(Path(folder) / f"{check_name(name)}.yaml"))
    report = None if given["report"] is None else new_file(given["report"])
    if given["from_openapi"] is not None:
        _refuse(_OF_SCRATCH, given, "the description says that: change the file afterwards")
        taken = _taken(name, given)
        draft, integration = taken.draft, taken.integration
    else:
        _refuse(_OF_OPENAPI, given, "it goes with --from-openapi")
        taken = None
        draft = scratch(answers(name, given, asks=sys.stdin.isatty() and not (no_input or as_json)))
        integration = draft.integration()
    draft.write(Path(folder), Path())
    if taken is not None and report is not None:
        _write(taken, report)
    if as_json:
        print_json({"written": str(path), **({} if taken is None else taken.report.document())})
        return
    _tell(draft, integration, path, taken)


def _refuse(names: tuple[str, ...], given: Mapping[str, Any], why: str) -> None:
    for name in names:
        if given[name]:
            raise UsageError(f"--{name.replace('_', '-')}: {why}.")


def _taken(name: str, given: Mapping[str, Any]) -> Taken:
    from nango_py.authoring.foreign import read_foreign
    from nango_py.authoring.kinds import expect
    from nango_py.authoring.openapi.blueprint import Choice, from_openapi
    from nango_py.authoring.openapi.spec import Spec
    from nango_py.cli.asking import auth_given

    path = Path(given["from_openapi"])
    data = read_foreign(path).data
    expect("openapi", data, path)
    return from_openapi(
        Spec(data, str(path)),
        name,
        choice=Choice(only=given["only"], tags=given["only_tags"], most=given["max_actions"]),
        base_url=given["base_url"],
        auth=auth_given(given),
        facts={key: given[key] for key in ("display_name", "docs_url") if given[key]},
    )


def _write(taken: Taken, path: Path) -> None:
    from nango_py.authoring.report import write_report

    with writing():
        write_report(taken.report, path)


def _tell(draft: Draft, integration: Integration, path: Path, taken: Taken | None) -> None:
    from nango_py.auth.none import NoAuth

    click.echo(f"Wrote {path}.")
    if taken is not None:
        click.echo(f"{taken.actions} of {taken.operations} operations became actions.")
        (entry,) = taken.report.entries
        for caution in entry.cautions:
            click.echo(f"Mind that {caution}.")
        reasons = taken.report.reasons("lost").most_common()
        for reason, number in reasons[:_SHOWN]:
            click.echo(f"  {number:5} left out: {reason}")
        if len(reasons) > _SHOWN:
            click.echo(f"        and {len(reasons) - _SHOWN} more reasons: --report FILE has them all.")
        if isinstance(integration.auth, NoAuth):
            click.echo("Nothing signs its requests: if something has to, say how with --auth-mode.")
    comes_in = "connect" if type(integration.auth).connects else "connections add"
    action = next(iter(integration.actions), None)
    use = f"request {draft.name} USER_ID PATH" if action is None else f"run {draft.name} {action} USER_ID"
    click.echo("Next, with this in integrations.yaml:")
    click.echo(f"  integrations: {{{draft.name}: {{extends_blueprint: {draft.name}:v0}}}}")
    for line in (f"check {path}", f"blueprints test {path}", f"{comes_in} {draft.name} USER_ID", use):
        click.echo(f"  nango-py {line}")
