"""Check the URLs that an integration's credentials may meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.template import plain_text

if TYPE_CHECKING:
    from nango_py.declare.build import Builder
    from nango_py.model import Integration

__all__ = ["check_origins"]

_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::[0-9]+)?")
_BASE = re.compile(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?")


def check_origins(builder: Builder, integration: Integration) -> None:
    """Report a base URL or an allowed origin that has another shape than it must have."""
    base = integration.requests.base_url
    literal = "".join(part if isinstance(part, str) else "x" for part in base.parts)
    starts_open = not isinstance(base.parts[0], str)
    if not starts_open and not _BASE.fullmatch(literal):
        builder.report(
            "/requests/base_url", "requests.base_url", "base_url must be an http or https URL with a host.",
            "It has no user name, query or fragment: https://api.example.com/v1/.",
        )  # fmt: skip
    for index, origin in enumerate(integration.requests.allowed_origins):
        if not plain_text(origin) or not _ORIGIN.fullmatch(origin):
            builder.report(
                f"/requests/allowed_origins/{index}", "requests.origin", "this is no origin.",
                "Write https://host, https://host:port or https://*.example.com, without placeholders.",
            )  # fmt: skip
