"""nango-py connections."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict

import click

from nango_py.cli.connection_facts import facts_of, show, time_text, token_facts
from nango_py.cli.engine import engine_options, load, pairs
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, log_shown, table
from nango_py.core import core_of
from nango_py.errors import CredentialsError, DuplicateConnection

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
    """Register the account of USER_ID; secrets come from a prompt, standard input or files, never from a flag.

    The file of one credential may be named by a variable, such as API_KEY_FILE.
    """
    from nango_py.cli.secrets import read_config, read_credentials

    with load(file, store, blueprints) as nango:
        core = core_of(nango)
        found = core.integration(integration)
        if core.accounts.manager.vault.version(integration, user_id) is not None:
            raise DuplicateConnection(
                f"integration {integration!r} has a connection for user {user_id!r} already. "
                f"To make it anew, delete it first: nango-py connections delete {integration} {user_id}"
            )
        given = read_credentials(found, os.environ, credentials)
        if found.auth.connects and not given:
            raise CredentialsError(
                f"integration {integration!r}: its accounts sign in: nango-py connect {integration} {user_id}. "
                "Tokens that you have come in as JSON: --credentials FILE, or --credentials - for standard input."
            )
        view = nango.register_connection(integration, user_id, given, read_config(found, pairs(config))).view()
        show(facts_of(view), as_json=as_json)


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
            names = [integration] if integration else core_of(nango).declared.integrations
            views = [view for name in names for view in nango.get_connections_for_integration(name)]
    if as_json:
        print_json([facts_of(view) for view in views])
    else:
        rows = [(view.integration, view.user_id, view.status, time_text(view.created_at)) for view in views]
        table(("integration", "user", "status", "created"), rows)


@command.command("show")
@click.argument("integration")
@click.argument("user_id")
@engine_options
@json_option
def show_(
    integration: str, user_id: str, file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool
) -> None:
    """Show one connection, without credentials."""
    with load(file, store, blueprints) as nango:
        connection = nango.get_connection(integration, user_id)
        found = core_of(nango).declared.integrations.get(integration)
    facts = facts_of(connection.view()) | token_facts(found.auth if found else None, connection)
    facts["credentials"] = dict.fromkeys(connection.credentials, "***")
    show(facts, as_json=as_json)


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
    with load(file, store, blueprints) as nango, log_shown("revocation."):
        nango.delete_connection(integration, user_id)
    show({"deleted": f"{integration}/{user_id}"}, as_json=as_json)


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
    show({**asdict(result), "elapsed": round(result.elapsed, 3)}, as_json=as_json)
    sys.exit(0 if result.ok else 1)
