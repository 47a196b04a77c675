"""Files that an action returns, read whole: a model gets them at once or not at all."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.errors import ResponseError
from nango_py.tools.arguments import MAX_FILE

if TYPE_CHECKING:
    from nango_py.exchange.download import AsyncDownload, Download
    from nango_py.tools.tool import Tool

__all__ = ["ReadFile", "aread_file", "read_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A file in memory."""

    filename: str | None
    content_type: str
    data: bytes

    def as_json(self) -> dict[str, Any]:
        """Return the file as JSON, its bytes as base64 text."""
        return {
            "filename": self.filename,
            "content_type": self.content_type,
            "size": len(self.data),
            "base64": b64encode(self.data).decode(),
        }


def read_file(tool: Tool, download: Download) -> ReadFile:
    """Return the file that an action gave.

    Raises:
        ResponseError: It has more bytes than a model may get.
    """
    with download:
        data = b""
        for piece in download if _fits(download) else ():
            data += piece
            if len(data) > MAX_FILE:
                break
    return _whole(tool, download, data)


async def aread_file(tool: Tool, download: AsyncDownload) -> ReadFile:
    """Return the file that an action gave; as :func:`read_file`."""
    async with download:
        data = b""
        if _fits(download):
            async for piece in download:
                data += piece
                if len(data) > MAX_FILE:
                    break
    return _whole(tool, download, data)


def _fits(download: Download | AsyncDownload) -> bool:
    return download.size is None or download.size <= MAX_FILE


def _whole(tool: Tool, download: Download | AsyncDownload, data: bytes) -> ReadFile:
    if not _fits(download) or len(data) > MAX_FILE:
        raise ResponseError(
            f"tool {tool.name!r}: the file has more than {MAX_FILE:,} bytes, which is more than a model may get.",
            integration=tool.signature.integration,
            action=tool.signature.name,
        )
    content_type = download.content_type or "application/octet-stream"
    return ReadFile(filename=download.filename, content_type=content_type, data=data)
