"""nango-py connections."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table

__all__ = ["command"]


@click.group("connections")
def command() -> None:
    """Add, list, show, delete and check connections."""


@command.command("add")
@click.argument("integration")
@click.argument("user_id")
@click.option("--credentials", metavar="FILE", help="A JSON file with the credentials; - is standard input.")
@click.option("--config", multiple=True, metavar="NAME=VALUE", help="A value of the connection config.")
@engine_options
@json_option
def add(
    integration: str,
    user_id: str,
    credentials: str | None,
    config: tuple[str, ...],
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Register the account of USER_ID; secrets come from a prompt, standard input or files, never from a flag."""
    from nango_py.cli.secrets import read_credentials

    with load(file, store, blueprints) as nango:
        fields = nango._core.integration(integration).credentials  # noqa: SLF001 - of the house
        given = read_credentials(fields, os.environ, credentials)
        pairs = dict(item.partition("=")[::2] for item in config)
        view = nango.register_connection(integration, user_id, given, pairs).view()
        _show(_plain(view), as_json=as_json)


@command.command("list")
@click.argument("integration", required=False)
@click.option("--user", help="Only those of this user.")
@engine_options
@json_option
def list_(
    integration: str | None,
    user: str | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List connections, without credentials."""
    with load(file, store, blueprints) as nango:
        if user is not None:
            views = nango.get_connections_for_user_id(user)
            views = [view for view in views if integration in {None, view.integration}]
        else:
            names = [integration] if integration else nango._core.declared.integrations  # noqa: SLF001
            views = [view for name in names for view in nango.get_connections_for_integration(name)]
    if as_json:
        _json([_plain(view) for view in views])
    else:
        rows = [(view.integration, view.user_id, view.status, _time(view.created_at)) for view in views]
        table(("integration", "user", "status", "created"), rows)


@command.command("show")
@click.argument("integration")
@click.argument("user_id")
@engine_options
@json_option
def show(
    integration: str, user_id: str, file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool
) -> None:
    """Show one connection, without credentials."""
    with load(file, store, blueprints) as nango:
        connection = nango.get_connection(integration, user_id)
    facts = _plain(connection.view())
    facts["credentials"] = dict.fromkeys(connection.credentials, "***")
    _show(facts, as_json=as_json)


@command.command("delete")
@click.argument("integration")
@click.argument("user_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@engine_options
@json_option
def delete(
    integration: str,
    user_id: str,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete one connection."""
    if not yes:
        click.confirm(f"Delete the connection of {user_id} to {integration}?", abort=True)
    with load(file, store, blueprints) as nango:
        nango.delete_connection(integration, user_id)
    _show({"deleted": f"{integration}/{user_id}"}, as_json=as_json)


@command.command("check")
@click.argument("integration")
@click.argument("user_id")
@engine_options
@json_option
def check(
    integration: str, user_id: str, file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool
) -> None:
    """Ask the provider whether the credentials work."""
    with load(file, store, blueprints) as nango:
        result = nango.check_connection(integration, user_id)
    _show(asdict(result), as_json=as_json)
    sys.exit(0 if result.ok else 1)


def _plain(view: Any) -> dict[str, Any]:
    return {
        "id": view.id,
        "integration": view.integration,
        "user_id": view.user_id,
        "status": view.status,
        "connection_config": dict(view.connection_config),
        "metadata": dict(view.metadata),
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "version": view.version,
    }


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _json(facts)
    else:
        table(("what", "value"), facts.items())


def _json(document: Any) -> None:
    print_json(document)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
