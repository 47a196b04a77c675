"""Read what the browser brought back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from nango_py.errors import CallbackError, UsageError
from nango_py.log import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_redirect_uri", "read_callback", "refusal_in", "state_of"]

_LONGEST = 16_384
_URL = re.compile(r"[^=&]*\?|[A-Za-z][A-Za-z0-9+.-]*://")
"""A query alone may hold ``?`` and ``://`` as well, in its values (RFC 3986 section 3.4)."""


def read_callback(url: str) -> Mapping[str, str]:
    """Return the parameters of a callback, given as its URL or as the query alone.

    Raises:
        CallbackError: It is no URL, or a parameter comes twice (RFC 6749 section 3.1).
    """
    if len(url) > _LONGEST:
        raise CallbackError("the callback is no URL of a sensible length.")
    try:
        query = urlsplit(url).query if _URL.match(url) else url
    except ValueError:
        raise CallbackError("the callback is no URL.") from None
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise CallbackError("the callback gives a parameter twice; nobody sends such a one by mistake.")
    return dict(pairs)


def state_of(callback: Mapping[str, str]) -> str:
    """Return what names the attempt: ``state``, or OAuth 1's token."""
    state = callback.get("state") or callback.get("oauth_token") or callback.get("denied")
    if not state:
        # OAuth 1 has no answer for a user who refuses; some servers send OAuth 2's, which names no attempt.
        refusal = f", only a refusal: {found}" if (found := refusal_in(callback)) else ", so it belongs to no attempt"
        raise CallbackError(f"the callback bears no state{refusal}. Begin again.")
    return state


def refusal_in(callback: Mapping[str, str]) -> str | None:
    """Return how the provider, or the account holder, refused; None when nobody did."""
    if "denied" in callback:
        return "access_denied"
    if not (error := callback.get("error")):
        return None
    text = f"{error}: {callback['error_description']}" if callback.get("error_description") else error
    return one_line(text)


def check_redirect_uri(uri: str) -> None:
    """Refuse what cannot be a redirect URI (RFC 6749 section 3.1.2)."""
    try:
        parts = urlsplit(uri if uri and uri.isprintable() else "")
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not (parts.netloc or parts.path) or parts.fragment or " " in uri:
        raise UsageError("redirect_uri must be an absolute URL without a fragment: https://app.example.com/callback.")
