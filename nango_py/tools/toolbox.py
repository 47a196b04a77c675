"""``nango.tools(...)``: a list for a vendor's SDK that also runs what the model calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

from nango_py.errors import UnknownAction, UsageError
from nango_py.location import did_you_mean
from nango_py.tools.arguments import input_of
from nango_py.tools.choice import choose
from nango_py.tools.downloads import aread_file, read_file
from nango_py.tools.results import json_of
from nango_py.tools.tool import FORMATS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nango_py.async_engine import AsyncNango
    from nango_py.connections.connection import ConnectionView
    from nango_py.core import Core
    from nango_py.engine import Nango
    from nango_py.exchange.options import RunOptions
    from nango_py.tools.tool import Tool

__all__ = ["AsyncTools", "Format", "Tools", "chosen", "of_connected"]

Format = Literal["anthropic", "langchain", "mcp", "openai", "openai-responses"]


def chosen(
    core: Core,
    format: str,  # noqa: A002 - the word of the public call
    *,
    integrations: Iterable[str] | None,
    actions: Collection[str] | None,
    read_only: bool,
) -> tuple[Tool, ...]:
    """Return the tools that were asked for; the format is known."""
    if format not in FORMATS:
        hint = did_you_mean(str(format), FORMATS)
        raise UsageError(f"format={format!r} is none of {', '.join(get_args(Format))}. {hint}")
    if isinstance(integrations, str):
        raise UsageError("integrations= is a list of names.")
    return choose(core, integrations=integrations, actions=actions, read_only=read_only)


def of_connected(tools: tuple[Tool, ...], views: Iterable[ConnectionView]) -> tuple[Tool, ...]:
    """Return the tools of the integrations that have a connection."""
    connected = {view.integration for view in views}
    return tuple(tool for tool in tools if tool.signature.integration in connected)


class _Box(list[dict[str, Any]]):
    """Hold tools as a vendor wants them; whose account they work with is no argument of theirs."""

    def __init__(self, tools: tuple[Tool, ...], format: str, user_id: str | None) -> None:  # noqa: A002
        super().__init__(FORMATS[format](tool) for tool in tools)
        self._tools = {tool.name: tool for tool in tools}
        self._user_id = user_id

    def _prepared(
        self, name: str, arguments: Mapping[str, Any] | str | None, user_id: str | None
    ) -> tuple[Tool, str, dict[str, Any]]:
        """Return the tool, the user and the input."""
        tool = self._tools.get(name)
        if tool is None:
            raise UnknownAction(f"{name!r} is none of these tools. {did_you_mean(str(name), self._tools)}".rstrip())
        user = user_id or self._user_id
        if user is None:
            raise UsageError("whose account? Say tools(..., user_id=) or call(..., user_id=).")
        return tool, user, input_of(tool.signature, arguments, who=f"tool {name!r}")


class Tools(_Box):
    """A list of tools that runs what a model calls."""

    def __init__(self, nango: Nango, tools: tuple[Tool, ...], format: str, user_id: str | None) -> None:  # noqa: A002
        super().__init__(tools, format, user_id)
        self._nango = nango

    def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | str | None = None,
        *,
        user_id: str | None = None,
        **options: Unpack[RunOptions],
    ) -> Any:
        """Run the tool that a model calls and return its output as a JSON value.

        A file is ``{"filename", "content_type", "size", "base64"}``, of at most 10 MiB.

        *arguments* are as the vendor hands them out: a mapping, or JSON text. *options* are those of
        ``trigger_action``: deadline, idempotency_key, on_event.

        Raises:
            UnknownAction: The tool is none of these, whatever else is declared.
            InputError: The arguments do not fit; the message helps the model to do better.
            RemoteError: The provider refused or failed.
        """
        tool, user, given = self._prepared(name, arguments, user_id)
        signature = tool.signature
        output = self._nango.trigger_action(signature.integration, signature.name, user, given, **options)
        return read_file(tool, output).as_json() if signature.is_download else json_of(output)


class AsyncTools(_Box):
    """A list of tools that runs what a model calls, beside an event loop."""

    def __init__(
        self,
        nango: AsyncNango,
        tools: tuple[Tool, ...],
        format: str,  # noqa: A002
        user_id: str | None,
    ) -> None:
        super().__init__(tools, format, user_id)
        self._nango = nango

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | str | None = None,
        *,
        user_id: str | None = None,
        **options: Unpack[RunOptions],
    ) -> Any:
        """Run the tool that a model calls; as :meth:`Tools.call`."""
        tool, user, given = self._prepared(name, arguments, user_id)
        signature = tool.signature
        output = await self._nango.trigger_action(signature.integration, signature.name, user, given, **options)
        return (await aread_file(tool, output)).as_json() if signature.is_download else json_of(output)
