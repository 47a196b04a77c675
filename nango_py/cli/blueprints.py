"""nango-py blueprints."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.blueprint_tests import command as _test
from nango_py.cli.diff import command as _diff
from nango_py.cli.new import command as _new
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table
from nango_py.cli.pack import command as _pack

__all__ = ["command"]


@click.group("blueprints")
def command() -> None:
    """See the blueprints at hand."""


def _catalogue(folders: tuple[str, ...]):  # type: ignore[no-untyped-def] # noqa: ANN202
    from nango_py.declare.catalogue import Catalogue

    return Catalogue(folders=(*map(Path, folders), Path("blueprints")))


@command.command("list")
@click.option("--blueprints", multiple=True, metavar="FOLDER", help="A folder of blueprints, searched first.")
@json_option
def list_(blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """List every blueprint with the place that it comes from."""
    rows, seen = [], set()
    for source in _catalogue(blueprints).sources():
        for name in source.names():
            if name not in seen:
                seen.add(name)
                rows.append((name, source.label, str(source.folder)))
    if as_json:
        _print([dict(zip(("name", "source", "folder"), row, strict=True)) for row in sorted(rows)])
    else:
        table(("name", "source", "folder"), sorted(rows))


@command.command("show")
@click.argument("key")
@click.option("--blueprints", multiple=True, metavar="FOLDER", help="A folder of blueprints, searched first.")
@json_option
def show(key: str, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Show a blueprint: KEY is name or name:version."""
    from nango_py.declare import load
    from nango_py.errors import ConfigError

    folders = (*blueprints, *(["blueprints"] if Path("blueprints").is_dir() else []))
    declared = load({"integrations": {"shown": {"extends_blueprint": key}}}, blueprints=folders, environ={})
    if "shown" not in declared.integrations:
        raise ConfigError(declared.broken["shown"])
    integration = declared.integrations["shown"]
    facts = [
        ("blueprint", " < ".join(used.key for used in reversed(integration.blueprints))),
        ("file", integration.blueprints[-1].source),
        ("auth_mode", integration.declared["auth"]["auth_mode"]),
        ("base_url", integration.requests.base_url.text),
        ("credentials", ", ".join(_field(field) for field in integration.credentials)),
        ("connection_config", ", ".join(_field(field) for field in integration.connection_config)),
        ("pagination", integration.pagination.type if integration.pagination else ""),
        ("verification", integration.verification.path.text if integration.verification else ""),
        ("actions", ", ".join(integration.actions)),
    ]
    if as_json:
        _print(dict(facts))
    else:
        table(("what", "value"), facts)


command.add_command(_diff)
command.add_command(_new)
command.add_command(_pack)
command.add_command(_test)


def _field(field) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    return field.name if field.required else f"[{field.name}]"


def _print(document: object) -> None:
    print_json(document)
