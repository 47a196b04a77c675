"""What the requests of one action do otherwise than those of its integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nango_py.exchange.timeouts import TOTAL, phases_of

if TYPE_CHECKING:
    from nango_py.http import Request
    from nango_py.model import Integration, Overrides

__all__ = ["overrides_of", "put_overrides"]

_EXTENSION: Final = "nango_overrides"


def put_overrides(request: Request, overrides: Overrides, integration: Integration) -> None:
    """Let a request keep to them."""
    request.extensions[_EXTENSION] = overrides
    if overrides.timeouts is not None:
        phases = phases_of(integration, overrides.timeouts)
        # A total that the action takes away is not the integration's either.
        request.extensions["timeout"] = {TOTAL: None, **phases}


def overrides_of(request: Request) -> Overrides | None:
    """Return those of a request, None where there are none."""
    found: Overrides | None = request.extensions.get(_EXTENSION)
    return found
