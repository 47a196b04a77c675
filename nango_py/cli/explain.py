"""nango-py explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table
from nango_py.core import core_of

if TYPE_CHECKING:
    from nango_py.core import Core
    from nango_py.model import Integration

__all__ = ["command"]


@click.command("explain")
@click.argument("integration")
@click.argument("action", required=False)
@click.argument("user_id", required=False)
@engine_options
@json_option
def command(
    integration: str,
    action: str | None,
    user_id: str | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show what an INTEGRATION declares, or the request of an ACTION for a user, each value with file and line."""
    nango = load(file, store or (None if user_id else "memory://"), blueprints)
    core = core_of(nango)
    found = core.integration(integration)
    if action is not None:
        core.action(found, action)
    rows = _request_rows(core, found, action, user_id) if action else _declared_rows(found)
    used = [{"key": item.key, "source": item.source} for item in found.blueprints]
    if as_json:
        _print_json(integration, action, used, rows)
        return
    for item in found.blueprints:
        click.echo(f"blueprint {item.key} from {item.source}")
    click.echo(
        f"credentials go to: {found.requests.base_url.text} {' '.join(found.requests.allowed_origins)}".rstrip()
    )
    click.echo()
    table(("what", "value", "set by"), rows)


def _print_json(integration: str, action: str | None, used: list[dict[str, str]], rows: list[Any]) -> None:
    values = [{"what": what, "value": value, "set_by": where} for what, value, where in rows]
    print_json({"integration": integration, "action": action, "blueprints": used, "values": values})


def _declared_rows(found: Integration) -> list[tuple[str, str, str]]:
    from nango_py.exchange.explained import shown

    return [
        (pointer.lstrip("/").replace("/", "."), shown(found, pointer), str(where.location))
        for pointer, where in found.provenance.items()
        if "/x-" not in pointer
    ]


def _request_rows(core: Core, found: Integration, action: str | None, user_id: str | None) -> list[Any]:
    from nango_py.exchange.explained import explain_request

    view = None
    if user_id is not None:
        connection = core.accounts.manager.vault.get(found.name, user_id)
        if connection is None:
            from nango_py.errors import UnknownConnection

            raise UnknownConnection(f"integration {found.name!r} has no connection for user {user_id!r}.")
        view = connection.view()
    return explain_request(found, action or "", view)
