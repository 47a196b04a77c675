"""nango-py keep-alive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table
from nango_py.core import core_of

if TYPE_CHECKING:
    from nango_py.accounts import KeptAlive

__all__ = ["command"]


@click.command("keep-alive")
@engine_options
@json_option
def command(file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Renew what would die of idleness; run it once a day.

    Integrations with auth.refresh_token_idle_lifetime are looked at. A failure, or an integration that could not be
    looked at because its declaration has errors, makes the exit code 1.
    """
    with load(file, store, blueprints) as nango:
        kept = nango.keep_alive()
        broken = tuple(core_of(nango).declared.broken)
    if as_json:
        print_json({**_plain(kept), "broken": list(broken)})
    else:
        _print(kept)
    if broken:
        click.echo(f"Not looked at, for they have errors: {', '.join(broken)}. Run nango-py check.", err=True)
    sys.exit(1 if kept.failed or broken else 0)


def _plain(kept: KeptAlive) -> dict[str, Any]:
    return {
        "renewed": [{"integration": view.integration, "user_id": view.user_id} for view in kept.renewed],
        "failed": [
            {
                "integration": view.integration,
                "user_id": view.user_id,
                "error": type(error).__name__,
                "message": str(error),
            }
            for view, error in kept.failed
        ],
    }


def _print(kept: KeptAlive) -> None:
    rows = [(view.integration, view.user_id, "renewed", "") for view in kept.renewed]
    rows += [(view.integration, view.user_id, "failed", str(error)) for view, error in kept.failed]
    if rows:
        table(("integration", "user", "outcome", "reason"), rows)
    else:
        click.echo("Nothing was due.")
