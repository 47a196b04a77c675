"""nango-py blueprints."""

from __future__ import annotations

from pathlib import Path

import click

from nango_py.cli.blueprint_tests import command as _test
from nango_py.cli.diff import command as _diff
from nango_py.cli.engine import blueprints_option, searched
from nango_py.cli.new import command as _new
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table
from nango_py.cli.pack import command as _pack

__all__ = ["command"]


@click.group("blueprints")
def command() -> None:
    """See the blueprints at hand."""


@command.command("list")
@blueprints_option
@json_option
def list_(blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """List every blueprint with the place that it comes from."""
    from nango_py.declare.catalogue import Catalogue

    rows, seen = [], set()
    for source in Catalogue(folders=tuple(map(Path, searched(blueprints)))).sources():
        for name in source.names():
            if name not in seen:
                seen.add(name)
                rows.append((name, source.label, str(source.folder)))
    if as_json:
        print_json([dict(zip(("name", "source", "folder"), row, strict=True)) for row in sorted(rows)])
    else:
        table(("name", "source", "folder"), sorted(rows))


@command.command("show")
@click.argument("key")
@blueprints_option
@json_option
def show(key: str, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Show a blueprint: KEY is name, name:version, or a file."""
    from nango_py.testing.simulator import declared_by

    integration = declared_by(key, searched(blueprints))
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
        print_json(dict(facts))
    else:
        table(("what", "value"), facts)


command.add_command(_diff)
command.add_command(_new)
command.add_command(_pack)
command.add_command(_test)


def _field(field) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    return field.name if field.required else f"[{field.name}]"
