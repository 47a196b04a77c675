"""What went wrong with an attempt, as its user is told."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from nango_py.errors import AccessDenied, CallbackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.errors import NangoError

__all__ = ["FAILURES", "reason_of"]

_SIGNED_OUT = "Sign in first. Then connect your account once more."
_REFUSED = (
    "The other side did not grant access, so nothing was connected. If you did not mean that, go back and connect "
    "your account once more."
)
_CALLBACK = (
    "Connecting an account must end within ten minutes, in the browser in which it began, with the same user signed "
    "in, and cookies allowed. Go back and connect your account once more."
)
_UNSTORED = "Your account could not be saved just now. Wait a minute, and load this page again."
_TROUBLE = (
    "Your account could not be connected. Try again in a few minutes. If that does not help, tell the people who run "
    "this site."
)
FAILURES: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "signed-out": (401, "You are not signed in", _SIGNED_OUT),
        "refused": (403, "Access was not granted", _REFUSED),
        "callback": (400, "This cannot be finished here", _CALLBACK),
        "unstored": (503, "This is not finished yet", _UNSTORED),
        "trouble": (502, "Something went wrong", _TROUBLE),
    }
)
"""Status, title and text of each failure; nothing in them comes from the request or the provider."""


def reason_of(error: NangoError) -> str:
    """Return which failure an error is."""
    if isinstance(error, CallbackError):
        return "callback"
    return "refused" if isinstance(error, AccessDenied) else "trouble"
