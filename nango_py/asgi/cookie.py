"""The cookie that ties an attempt to the browser that began it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nango_py.oauth.attempt import ATTEMPT_SECONDS

if TYPE_CHECKING:
    from nango_py.asgi.request import Address

__all__ = ["cleared", "cookie_name", "kept"]


def cookie_name(state: str, address: Address) -> str:
    """Return the name of an attempt's cookie: one of its own, so that attempts in several tabs do not meet.

    ``__Host-`` would want ``Path=/``, and so send the binding to every page; ``__Secure-`` leaves the path free. What
    ``__Host-`` adds, that no sibling domain plants the cookie, is had from asking whose attempt it is.
    """
    prefix = "__Secure-" if address.is_secure else ""
    return f"{prefix}nango-{hashlib.sha256(state.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def kept(state: str, binding: str, address: Address) -> str:
    """Return the ``Set-Cookie`` value that gives the binding to the browser."""
    return f"{cookie_name(state, address)}={binding}; Max-Age={ATTEMPT_SECONDS:.0f}; {_attributes(address)}"


def cleared(state: str, address: Address) -> str:
    """Return the ``Set-Cookie`` value that takes the binding away again."""
    return f"{cookie_name(state, address)}=; Max-Age=0; {_attributes(address)}"


def _attributes(address: Address) -> str:
    # Lax, not Strict: the browser comes back from another site.
    attributes = f"Path={address.callback_path}; HttpOnly; SameSite=Lax"
    return f"{attributes}; Secure" if address.is_secure else attributes
