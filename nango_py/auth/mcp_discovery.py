"""Find out who grants access to an MCP server: RFC 9728 for the server, RFC 8414 for its authorization server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nango_py.address import is_loopback
from nango_py.auth.grant import BadAnswer, TokenRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.auth.grant import Flow
    from nango_py.http import Headers

__all__ = [
    "AuthorizationServer",
    "Resource",
    "discover_resource",
    "discover_server",
    "is_safe",
    "safe_url",
]

_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
_RESOURCE = "/.well-known/oauth-protected-resource"
_SERVER = "/.well-known/oauth-authorization-server"
_OPENID = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What tokens are asked for: the identifier to name as ``resource`` (RFC 8707), and who grants access to it."""

    identifier: str
    issuer: str
    scopes: tuple[str, ...] = ()
    is_found: bool = False
    """Whether *issuer* came from an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServer:
    """What an authorization server says of itself (RFC 8414 section 2)."""

    issuer: str
    authorization_url: str
    token_url: str
    registration_url: str | None = None
    revocation_url: str | None = None
    auth_methods: tuple[str, ...] = ("client_secret_basic",)
    """The client authentications of the token endpoint; this one where it names none."""
    takes_metadata_url: bool = False
    """Whether a client may be the URL of a document about it."""
    names_itself: bool = False
    """Whether every callback bears ``iss`` (RFC 9207 section 3)."""


def discover_resource(server: str) -> Flow[Resource]:
    """Return what *server*, the URL of an MCP server, says of itself.

    Without metadata its own origin is asked, as servers of before June 2025 expect.

    Raises:
        BadAnswer: The metadata is another resource's (RFC 9728 section 3.3), or misses something.
    """
    # Without event-stream in Accept no server begins a stream, whose body would have no end.
    challenge = yield TokenRequest(url=server, method="GET", headers=_accept(), purpose="discovery")
    named = _parameter(challenge.headers, "resource_metadata")
    wanted = tuple((_parameter(challenge.headers, "scope") or "").split())
    for url in (named,) if named else _well_known(server, _RESOURCE):
        data = yield from _document(safe_url(url, "resource_metadata"), found=bool(named))
        if data is not None:
            return _resource(server, data, wanted)
    if named:
        raise BadAnswer("was answered with a resource_metadata that is not there", status=challenge.status)
    parts = urlsplit(server)
    return Resource(identifier=server, issuer=f"{parts.scheme}://{parts.netloc}", scopes=wanted)


def _resource(server: str, data: Mapping[str, Any], wanted: tuple[str, ...]) -> Resource:
    identifier = data.get("resource")
    if not is_safe(identifier) or not _encloses(str(identifier), server):
        raise BadAnswer("was answered with the metadata of another resource", status=_OK)
    servers = data.get("authorization_servers")
    if not isinstance(servers, list) or not servers:
        raise BadAnswer("was answered with metadata that names no authorization server", status=_OK)
    issuer = safe_url(servers[0], "authorization_servers")
    return Resource(
        identifier=str(identifier),
        issuer=issuer,
        scopes=wanted or _words(data.get("scopes_supported")),
        is_found=True,
    )


def _encloses(identifier: str, server: str) -> bool:
    """Tell whether *identifier* names *server* or what encloses it on the same origin, as MCP's own clients accept.

    A token for another origin's resource would else be handed to whoever answers here.
    """
    mine, asked = urlsplit(identifier), urlsplit(server)
    if (mine.scheme, mine.netloc.lower()) != (asked.scheme, asked.netloc.lower()) or mine.query:
        return False
    return f"{asked.path.rstrip('/')}/".startswith(f"{mine.path.rstrip('/')}/")


def discover_server(issuer: str, *, found: bool) -> Flow[AuthorizationServer]:
    """Return what the authorization server *issuer* says of itself.

    Raises:
        BadAnswer: It says nothing, names another issuer (RFC 8414 section 3.3), or misses an endpoint or S256.
    """
    for url in _server_urls(issuer):
        data = yield from _document(url, found=found)
        if data is not None:
            return _server(issuer, data)
    raise BadAnswer(
        "found no metadata of the authorization server; declare authorization_url and token_url", status=_OK
    )


def _server(issuer: str, data: Mapping[str, Any]) -> AuthorizationServer:
    if str(data.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise BadAnswer("was answered with the metadata of another issuer", status=_OK)
    if "S256" not in _words(data.get("code_challenge_methods_supported")):
        raise BadAnswer("found an authorization server that does not support PKCE with S256", status=_OK)
    return AuthorizationServer(
        issuer=str(data["issuer"]),
        authorization_url=safe_url(data.get("authorization_endpoint"), "authorization_endpoint"),
        token_url=safe_url(data.get("token_endpoint"), "token_endpoint"),
        registration_url=_optional_url(data, "registration_endpoint"),
        revocation_url=_optional_url(data, "revocation_endpoint"),
        auth_methods=_words(data.get("token_endpoint_auth_methods_supported")) or ("client_secret_basic",),
        takes_metadata_url=data.get("client_id_metadata_document_supported") is True,
        names_itself=data.get("authorization_response_iss_parameter_supported") is True,
    )


def _optional_url(data: Mapping[str, Any], name: str) -> str | None:
    return safe_url(data[name], name) if data.get(name) else None


def _words(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def safe_url(url: Any, what: str) -> str:
    """Return the *url* of an answer.

    Raises:
        BadAnswer: It is not safe; *what* names it.
    """
    if not is_safe(url):
        raise BadAnswer(f"was answered with a {what!r} that is no https URL", status=_OK)
    return str(url)


def is_safe(url: Any) -> bool:
    """Tell whether *url* is https, or leads to this machine."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    except ValueError:
        return False
    is_safe_way = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    return is_safe_way and bool(parts.hostname) and parts.username is None and not parts.fragment


def _well_known(url: str, name: str) -> Iterator[str]:
    """Yield where a document about *url* stands: the well-known part goes before the path, then without it."""
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if path:
        yield f"{origin}{name}{path}"
    yield f"{origin}{name}"


def _server_urls(issuer: str) -> Iterator[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    yield f"{origin}{_SERVER}{path}"
    yield f"{origin}{_OPENID}{path}"
    if path:
        yield f"{origin}{path}{_OPENID}"  # where OpenID Connect itself puts it


def _document(url: str, *, found: bool) -> Flow[Mapping[str, Any] | None]:
    answer = yield TokenRequest(url=url, method="GET", headers=_accept(), purpose="discovery", found=found)
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
        raise BadAnswer(f"was answered {answer.status}", status=answer.status)
    if answer.status != _OK:
        return None
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None  # a page for people, whatever is asked for
    return data if isinstance(data, Mapping) else None


def _accept() -> dict[str, str]:
    return {"Accept": "application/json"}


def _parameter(headers: Headers, name: str) -> str | None:
    """Return a parameter of the challenges (RFC 9110 section 11.6.1), as a token or a quoted text."""
    pattern = re.compile(rf'(?:^|[\s,]){name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)
    for text in headers.get_list("WWW-Authenticate"):
        if match := pattern.search(text):
            return match[2] or re.sub(r"\\(.)", r"\1", match[1] or "") or None
    return None
