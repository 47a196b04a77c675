"""The server: which tools there are, and what a call of one does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ListToolsResult
from mcp_types import Tool as ProtocolTool

from nango_py.core import core_of
from nango_py.errors import NangoError
from nango_py.mcp.progress import relayed
from nango_py.mcp.results import failed, gave_file, succeeded
from nango_py.tools.arguments import input_of
from nango_py.tools.downloads import aread_file
from nango_py.tools.tool import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server import ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, PaginatedRequestParams

    from nango_py.async_engine import AsyncNango
    from nango_py.events import OnEvent
    from nango_py.mcp.offers import Offer

__all__ = ["make_server"]


def make_server(nango: AsyncNango, offers: tuple[Offer, ...], *, max_output: int) -> Server[Any]:
    """Return a server of the offered tools; a result has at most *max_output* characters of JSON."""
    from nango_py import __version__  # noqa: PLC0415

    by_name = {offer.tool.name: offer for offer in offers}
    listed = ListToolsResult(tools=[ProtocolTool.model_validate(FORMATS["mcp"](offer.tool)) for offer in offers])

    async def list_tools(
        _context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return listed

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        offer = by_name.get(params.name)
        if offer is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}")
        async with relayed(context.session.report_progress) as heard:
            return await _called(nango, offer, params.arguments, max_output, heard)

    return Server("nango-py", version=__version__, on_list_tools=list_tools, on_call_tool=call_tool)


async def _called(
    nango: AsyncNango, offer: Offer, arguments: Mapping[str, Any] | None, most: int, heard: OnEvent
) -> CallToolResult:
    signature = offer.tool.signature
    trigger = partial(nango.trigger_action, signature.integration, signature.name, offer.user_id)
    try:
        given = input_of(signature, arguments, who=f"tool {offer.tool.name!r}")
        output = await trigger(given, on_event=heard)
        if signature.is_download:
            return gave_file(offer.tool, await aread_file(offer.tool, output))
        return succeeded(offer.tool, output, most)
    except NangoError as error:
        return failed(f"{type(error).__name__}: {error}")
    except Exception as error:
        # What an action of the user's own raises may quote anything: the model gets the kind, the log gets it masked.
        session = core_of(nango).session(signature.integration, offer.user_id)
        session.log("error", "tool.failed", tool=offer.tool.name, exc_info=error)
        return failed(f"The action failed with {type(error).__name__}; its log says more.")
