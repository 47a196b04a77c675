"""nango-py mcp."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.engine import engine_options, pairs, reading
from nango_py.core import core_of
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.async_engine import AsyncNango

__all__ = ["command"]

_VARIABLE = "NANGO_MCP_TOKEN"
_SHORTEST_TOKEN = 16


@click.command("mcp")
@click.option("--user", "user_id", metavar="USER_ID", help="Offer the actions of all connections of this user.")
@click.option(
    "--connection",
    "connections",
    multiple=True,
    metavar="INTEGRATION=USER_ID",
    help="Offer the actions of this connection; repeat it for more.",
)
@click.option(
    "--action", "actions", multiple=True, metavar="NAME", help="Only these, as list-leads or close/list-leads."
)
@click.option("--read-only", is_flag=True, help="Only actions that are known to change nothing.")
@click.option(
    "--http", "is_http", is_flag=True, help="Serve streamable HTTP on 127.0.0.1 instead of stdin and stdout."
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8_808, show_default=True, help="The port, with --http."
)
@click.option(
    "--max-output",
    type=click.IntRange(min=1_000),
    default=50_000,
    show_default=True,
    metavar="CHARACTERS",
    help="The longest result; what is longer is cut, and says so.",
)
@engine_options
def command(
    user_id: str | None,
    connections: tuple[str, ...],
    actions: tuple[str, ...],
    port: int,
    max_output: int,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    read_only: bool,
    is_http: bool,
) -> None:
    """Serve actions as tools of the Model Context Protocol, to a model's host on this machine.

    Whose accounts they work with is said here; a model cannot choose it. Over HTTP a client shows the bearer token of
    NANGO_MCP_TOKEN, or of the file that NANGO_MCP_TOKEN_FILE names; without either one is made and shown on stderr.
    """
    try:
        import mcp  # noqa: F401
    except ImportError:
        raise UsageError("the mcp package is not installed: pip install 'nango-py[mcp]'.") from None
    import anyio

    from nango_py.async_engine import AsyncNango

    _log_to_stderr()
    chosen = {
        "user_id": user_id,
        "connections": pairs(connections, option="--connection", form="INTEGRATION=USER_ID"),
        "actions": actions or None,
        "read_only": read_only,
    }
    with reading():
        nango = AsyncNango.load(Path(file), store=store, blueprints=blueprints)
    anyio.run(_serve, nango, chosen, port if is_http else None, max_output)


async def _serve(nango: AsyncNango, chosen: Mapping[str, Any], port: int | None, max_output: int) -> None:
    from nango_py.mcp.offers import make_offers
    from nango_py.mcp.server import make_server

    async with nango:
        server = make_server(nango, await make_offers(nango, **chosen), max_output=max_output)
        if port is None:
            from nango_py.mcp.stdio import serve_stdio

            await serve_stdio(server)
            return
        from nango_py.mcp.http import PATH, listen, serve_http

        token, is_new = _token(core_of(nango).environ)
        try:
            listener = listen(port)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be listened on: {error.strerror}. Choose another by --port."
            ) from None
        with listener:
            click.echo(f"Serving http://127.0.0.1:{listener.getsockname()[1]}{PATH}", err=True)
            if is_new:
                click.echo(f"Clients send the header Authorization: Bearer {token}", err=True)
            await serve_http(server, listener, token)


def _token(environ: Mapping[str, str]) -> tuple[str, bool]:
    """Return the token, and whether it was made here."""
    if path := environ.get(f"{_VARIABLE}_FILE"):
        try:
            token = Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise UsageError(f"{_VARIABLE}_FILE: {path} cannot be read: {error.strerror}.") from None
    elif not (token := environ.get(_VARIABLE, "")):
        return secrets.token_urlsafe(32), True
    if len(token) < _SHORTEST_TOKEN or not token.isascii():
        raise UsageError(f"{_VARIABLE}: a token has at least {_SHORTEST_TOKEN} ASCII characters.")
    return token, False


def _log_to_stderr() -> None:
    """Show the engine's lines on stderr: a host keeps them, and standard output is the protocol's."""
    logger = logging.getLogger("nango_py")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
