"""Standard input and output: one client, which started this process."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from mcp.server.stdio import stdio_server

if TYPE_CHECKING:
    from mcp.server import Server

__all__ = ["serve_stdio"]


async def serve_stdio(server: Server[Any]) -> None:
    """Serve until standard input ends.

    Meanwhile whatever else would be printed goes to standard error: standard output is the protocol's.
    """
    async with stdio_server() as (incoming, outgoing):
        # The SDK diverts the descriptor; what stands in Python's buffer would follow when it comes back.
        with redirect_stdout(sys.stderr):
            await server.run(incoming, outgoing, server.create_initialization_options())
