"""What a declared header may name of the request that bears it: ``${request.method}`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.http import Request

__all__ = ["PARTS", "parts_of"]

PARTS = ("method", "host", "path", "query", "body")


def parts_of(request: Request, body: bytes | None) -> Mapping[str, str]:
    """Return the parts of a request as text; a body that is not in memory, or no text, is left out.

    The path is encoded as it is sent. The query is in the form that signatures are made of: encoded as RFC 3986 wants
    it, and sorted.
    """
    url = request.url
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in url.params.multi_items())
    parts = {
        "method": request.method,
        "host": url.netloc.decode("ascii"),
        "path": url.raw_path.partition(b"?")[0].decode("ascii"),
        "query": "&".join(f"{name}={value}" for name, value in pairs),
    }
    try:
        return parts if body is None else {**parts, "body": body.decode()}
    except UnicodeDecodeError:
        return parts


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
