"""Build the URL where people grant access (RFC 6749 section 4.1.1), with the deviations that providers want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nango_py.template import to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["authorization_url"]

_AS_IT_IS = "%:/?@!$'()*+,;=~"
"""What may stand in a parameter's value (RFC 3986 section 3.4): all but & and #, which would end it."""


def authorization_url(
    endpoint: str,
    params: Mapping[str, Any],
    *,
    skip_encode: Collection[str] = (),
    skip_empty: bool = False,
    fragment: str | None = None,
    replacements: Mapping[str, str] | None = None,
) -> str:
    """Return *endpoint* with *params* in its query; a null parameter is left out.

    The parameters named in *skip_encode* go as they are, *replacements* are made in the finished query text, where a
    parameter whose name they take away goes with it, and with *fragment* the query stands behind ``#fragment``.
    """
    pairs = [
        f"{quote(name, safe='')}={quote(text, safe=_AS_IT_IS if name in skip_encode else '')}"
        for name, value in params.items()
        if value is not None and ((text := to_text(value, name)) or not skip_empty)
    ]
    query = "&".join(pairs)
    for old, new in (replacements or {}).items():
        query = query.replace(old, new)
    query = "&".join(pair for pair in query.split("&") if not pair.startswith("="))
    if fragment is not None:
        endpoint = f"{endpoint}#{fragment.lstrip('#')}"
    if not query:
        return endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"
