"""Which requests may meet private addresses: by who had a say in the URL's host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.address import placeholders_in_host

if TYPE_CHECKING:
    from nango_py.http import Request
    from nango_py.model import Integration
    from nango_py.template import Template

__all__ = ["ASKED_EXTENSION", "is_hop", "may_be_private", "remember_asked"]

ASKED_EXTENSION = "nango_asked_url"
"""The request extension that holds the URL which the caller asked for; httpx copies it to redirects."""

_OURS = frozenset({"env", "app_api_key", "oauth_client_id", "oauth_client_secret"})


def may_be_private(integration: Integration, url: Template) -> bool:
    """Tell whether requests to *url* may meet private addresses.

    ``network.allow_private`` decides where it is written; else, neither whoever connects an account nor a pack must
    choose a host inside our own network: only the integration's author and the environment may.
    """
    written = integration.network.allow_private
    if written is not None:
        return written
    if any(used.is_from_pack for used in integration.blueprints):
        return False
    ours = _OURS.union(integration.environment)
    return all(name[0] in ours for expression in placeholders_in_host(url) for name in expression.names)


def remember_asked(request: Request) -> None:
    """Mark the caller's own request, so that redirects of it can be told from it."""
    request.extensions.setdefault(ASKED_EXTENSION, request.url)


def is_hop(request: Request) -> bool:
    """Tell whether the request's URL is not the caller's own but an answer's."""
    asked = request.extensions.get(ASKED_EXTENSION, request.url)
    return asked is not request.url and asked != request.url
