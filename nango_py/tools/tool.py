"""One action as a tool, and how each vendor wants it told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nango_py.tools.schemas import input_schema, output_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.actions.signature import Signature

__all__ = ["FORMATS", "Tool"]

_LONGEST_DESCRIPTION = 1024


@dataclass(frozen=True, kw_only=True)
class Tool:
    """An action that a model may call, under a name of its own."""

    name: str
    signature: Signature

    @property
    def description(self) -> str:
        """Return the action's description, or else its names."""
        signature = self.signature
        return (signature.description or f"{signature.integration}: {signature.name}")[:_LONGEST_DESCRIPTION]

    @cached_property
    def input(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments."""
        return input_schema(self.signature)

    @cached_property
    def output(self) -> dict[str, Any] | None:
        """Return the JSON Schema of the structured result, where there is one."""
        return output_schema(self.signature)

    @cached_property
    def hints(self) -> dict[str, bool]:
        """Return what is known of the tool's effects, by the protocol's names."""
        known = self.signature.annotations
        hints = {
            "readOnlyHint": known.read_only,
            "destructiveHint": known.destructive,
            "idempotentHint": known.idempotent,
        }
        return {name: value for name, value in hints.items() if value is not None} | {"openWorldHint": True}


def _openai(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.input},
    }


def _openai_responses(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.input,
        "strict": False,
    }


def _anthropic(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.input}


def _langchain(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "args_schema": tool.input}


def _mcp(tool: Tool) -> dict[str, Any]:
    told = {"name": tool.name, "description": tool.description, "inputSchema": tool.input, "annotations": tool.hints}
    return told if tool.output is None else {**told, "outputSchema": tool.output}


FORMATS: Mapping[str, Callable[[Tool], dict[str, Any]]] = MappingProxyType(
    {
        "anthropic": _anthropic,
        "langchain": _langchain,
        "mcp": _mcp,
        "openai": _openai,
        "openai-responses": _openai_responses,
    }
)
