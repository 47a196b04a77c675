"""nango-py request."""

from __future__ import annotations

import sys
from typing import Any

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.given import read_json
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option
from nango_py.errors import UnreachableError

__all__ = ["command"]


@click.command("request")
@click.argument("integration")
@click.argument("user_id")
@click.argument("path")
@click.option("--method", "-X", default="GET", show_default=True, help="The method.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A query parameter.")
@click.option("--data", metavar="JSON", help="A JSON body: JSON, @FILE, or - for standard input.")
@engine_options
@json_option
def command(
    integration: str,
    user_id: str,
    path: str,
    method: str,
    params: tuple[str, ...],
    data: str | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Send one request to PATH as a connected account, and print the answer's body."""
    from nango_py.http import TransportError

    with load(file, store, blueprints) as nango, nango.client(integration, user_id) as client:
        pairs = [_pair(item) for item in params]
        body = {} if data is None else {"json": read_json(data, "--data")}
        try:
            answer = client.request(method.upper(), path, params=tuple(pairs) or None, **body)
        except TransportError as error:
            raise UnreachableError(
                f"integration {integration!r}: no answer: {str(error) or type(error).__name__}."
            ) from None
        if as_json:
            _print(answer)
        else:
            click.echo(f"{answer.status_code} {answer.reason_phrase}", err=True)
            click.echo(answer.text)
    sys.exit(1 if answer.is_error else 0)


def _pair(item: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not (name and sign):
        raise click.UsageError("--param wants NAME=VALUE.")
    return name, value


def _print(answer: Any) -> None:
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    print_json({"status": answer.status_code, "headers": dict(answer.headers), "body": body})
