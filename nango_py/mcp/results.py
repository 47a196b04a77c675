"""What a tool call answers: text for the model, structured where the action promises a shape, errors as results."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from nango_py.json_schema import Schema
from nango_py.tools.results import fit, json_of
from nango_py.tools.schemas import wrapper_of

if TYPE_CHECKING:
    from mcp_types import ContentBlock

    from nango_py.tools.downloads import ReadFile
    from nango_py.tools.tool import Tool

__all__ = ["failed", "gave_file", "succeeded"]


def succeeded(tool: Tool, output: Any, most: int) -> CallToolResult:
    """Return the result that *output* is, of at most *most* characters, with a note where it was cut."""
    fitted = fit(json_of(output), most)
    if tool.output is None:
        return CallToolResult(content=_texts(fitted.value, fitted.note))
    name = wrapper_of(tool.signature)
    structured = fitted.value if name is None else {name: fitted.value}
    if not fitted.is_whole and any(Schema(tool.output).violations(structured)):
        # The protocol wants structured content that keeps its schema, and nobody may repeat what was done.
        note = f"It was done, do not repeat it. The output is larger than what fits. {fitted.note}"
        return CallToolResult(content=_texts(fitted.value, note), is_error=True)
    return CallToolResult(content=_texts(structured, fitted.note), structured_content=structured)


def gave_file(tool: Tool, file: ReadFile) -> CallToolResult:
    """Return the result that is a file: a picture as one, everything else as a resource of its kind."""
    media_type = file.content_type.partition(";")[0].strip().lower()
    data = b64encode(file.data).decode()
    if media_type.startswith("image/"):
        return CallToolResult(content=[ImageContent(data=data, mime_type=media_type)])
    signature = tool.signature
    uri = f"nango://{signature.integration}/{signature.name}/{quote(file.filename or 'file', safe='')}"
    if (text := _text_of(media_type, file.data)) is not None:
        contents: Any = TextResourceContents(uri=uri, mime_type=media_type, text=text)
    else:
        contents = BlobResourceContents(uri=uri, mime_type=media_type, blob=data)
    return CallToolResult(content=[EmbeddedResource(resource=contents)])


def _text_of(media_type: str, data: bytes) -> str | None:
    if not (media_type.startswith("text/") or media_type in {"application/json", "application/xml"}):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def failed(message: str) -> CallToolResult:
    """Return an error that the model can see and act on."""
    return CallToolResult(content=[TextContent(text=message)], is_error=True)


def _texts(value: Any, note: str) -> list[ContentBlock]:
    shown: list[ContentBlock] = [TextContent(text=json.dumps(value, ensure_ascii=False))]
    return [*shown, TextContent(text=note)] if note else shown
