"""Which requests may meet private addresses: by who had a say in the URL's host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.http import Request
    from nango_py.model import Integration
    from nango_py.template import Expression, Template

__all__ = ["ASKED_EXTENSION", "is_hop", "may_be_private", "remember_asked"]

ASKED_EXTENSION = "nango_asked_url"
"""The request extension that holds the URL which the caller asked for; httpx copies it to redirects."""

_OURS = frozenset({"env", "app_api_key", "oauth_client_id", "oauth_client_secret"})


def may_be_private(integration: Integration, url: Template) -> bool:
    """Tell whether requests to *url* may meet private addresses.

    ``network.allow_private`` decides where it is written; else, whoever connects an account must not choose a host
    inside our own network: only the integration's author and the environment may.
    """
    written = integration.network.allow_private
    if written is not None:
        return written
    ours = _OURS.union(integration.environment)
    return all(name[0] in ours for expression in _in_host(url) for name in expression.names)


def remember_asked(request: Request) -> None:
    """Mark the caller's own request, so that redirects of it can be told from it."""
    request.extensions.setdefault(ASKED_EXTENSION, request.url)


def is_hop(request: Request) -> bool:
    """Tell whether the request's URL is not the caller's own but an answer's."""
    asked = request.extensions.get(ASKED_EXTENSION, request.url)
    return asked is not request.url and asked != request.url


def _in_host(url: Template) -> Iterator[Expression]:
    """Yield the placeholders that stand before the path: they have a say in the origin."""
    before = ""
    for part in url.parts:
        if isinstance(part, str):
            before += part
        elif "/" in before.partition("://")[2]:
            return
        else:
            yield part
            # A placeholder at the very beginning brings the scheme along.
            before += "x" if before else "https://x"
