"""Become a client of an authorization server that was only just found: static, by a document, or registered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nango_py.address import is_loopback
from nango_py.auth.grant import BadAnswer, TokenRequest, read_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nango_py.auth.client_authentication import Method
    from nango_py.auth.grant import Flow

__all__ = ["METHODS", "Client", "register", "static_client"]

METHODS: Mapping[str, Method] = {"none": "none", "client_secret_basic": "basic", "client_secret_post": "post"}
"""The client authentications that such a client may have, by their names of RFC 7591 section 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, and how it proves itself; a *method* by its name of RFC 7591."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    method: str = "none"
    is_static: bool = False
    """Whether id and secret are the integration's: a connection must not remember them."""

    def kept(self) -> dict[str, str]:
        """Return what a connection must remember of its client."""
        own = {} if self.is_static else {"client_id": self.client_id, "client_secret": self.client_secret}
        found = {**own, "token_endpoint_auth_method": self.method}
        return {name: value for name, value in found.items() if value}


def static_client(client_id: str, client_secret: str, supported: Sequence[str]) -> Client:
    """Return a client that was registered by hand, with the proof that the server takes of it."""
    known = [name for name in ("client_secret_basic", "client_secret_post") if name in supported]
    method = (*known, "client_secret_basic")[0] if client_secret else "none"
    return Client(client_id=client_id, client_secret=client_secret, method=method, is_static=True)


def register(
    url: str,
    *,
    redirect_uri: str,
    supported: Sequence[str],
    scope: str | None,
    params: Mapping[str, Any],
    found: bool,
) -> Flow[Client]:
    """Register a client (RFC 7591 section 3.1) and return it; *params* win over what is usual.

    Raises:
        Refused: The server does not want it.
        BadAnswer: It does not say who the client is, or wants a proof that it cannot give.
    """
    wanted = {
        "client_name": "nango_py",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": next((name for name in METHODS if name in supported), "none"),
        "application_type": _application_type(redirect_uri),
        "scope": scope,
        **params,
    }
    body = {name: value for name, value in wanted.items() if value is not None}
    headers = {"Accept": "application/json"}
    request = TokenRequest(url=url, json=body, headers=headers, purpose="client registration", found=found)
    answer = yield replace(request, is_repeatable=False)
    return _client(read_answer(answer), str(wanted["token_endpoint_auth_method"]), answer.status)


def _client(data: Mapping[str, Any], asked: str, status: int) -> Client:
    client_id, secret = data.get("client_id"), data.get("client_secret") or ""
    method = str(data.get("token_endpoint_auth_method") or asked)
    if not isinstance(client_id, str) or not client_id or not isinstance(secret, str):
        raise BadAnswer("was answered without a client_id", status=status)
    if method not in METHODS or (method != "none" and not secret):
        raise BadAnswer("was answered with a token_endpoint_auth_method that cannot be used", status=status)
    return Client(client_id=client_id, client_secret="" if method == "none" else secret, method=method)


def _application_type(redirect_uri: str) -> str:
    """Return the kind of client: only a native one may come back to the user's own machine (OpenID registration)."""
    parts = urlsplit(redirect_uri)
    return "web" if parts.scheme == "https" and not is_loopback(parts.hostname) else "native"
