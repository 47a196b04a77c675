"""Where an API is: the base URL of its first server, and what an account says about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from nango_py.authoring.foreign import mapping, texts
from nango_py.authoring.names import field_name, one_line
from nango_py.authoring.pasted import is_pasted
from nango_py.errors import UsageError
from nango_py.field import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.authoring.openapi.spec import Spec

__all__ = ["Server", "is_endpoint", "is_same_server", "server_of"]

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDER: Final = re.compile(r"\$\{connection_config\.\w+\}")
_AUTHORITY: Final = r"(?:[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_BASE: Final = re.compile(rf"https?://{_AUTHORITY}(?:/[^?#\s{{}}$]*)?")
_ENDPOINT: Final = re.compile(rf"https://{_AUTHORITY}(?:[/?][^#\s{{}}$]*)?")
_OTHERS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A base URL, the connection config that its placeholders name, and what there is to say about it."""

    base_url: str
    connection_config: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""

    def absolute(self, url: str) -> str:
        """Return a URL of the description, which may be relative to the server."""
        if re.match(r"https?://", url):
            return url
        shield = {found: f"placeholder-{at}" for at, found in enumerate(_PLACEHOLDER.findall(self.base_url))}
        base = self.base_url
        for found, stands in shield.items():
            base = base.replace(found, stands)
        try:
            joined = urljoin(base, url)
        except ValueError:  # it is none: is_endpoint says so
            return url
        for found, stands in shield.items():
            joined = joined.replace(stands, found)
        return joined


def server_of(spec: Spec, base_url: str | None) -> Server:
    """Return the first server, or *base_url* in its place.

    Raises:
        UsageError: The description names no host, and there is no *base_url*.
    """
    if base_url is not None:
        return Server(base_url=base_url)
    urls = _urls(spec)
    for url, variables in urls:
        server = _server(url, variables)
        literal = _PLACEHOLDER.sub("x", server.base_url)
        if _BASE.fullmatch(literal) and _has_host(literal):
            return Server(
                base_url=server.base_url,
                connection_config=server.connection_config,
                comment=_others([one_line(other) for other, _ in urls if other != url]),
            )
    raise UsageError(f"{spec.source}: no server with a host is named: give --base-url https://...")


def is_endpoint(url: str) -> bool:
    """Tell whether credentials may go to a URL: it is https, and what stands in it are our own placeholders."""
    literal = _PLACEHOLDER.sub("x", url)
    return bool(_ENDPOINT.fullmatch(literal)) and _has_host(literal)


def _has_host(url: str) -> bool:
    """Tell whether a URL has a host, and no port but a number."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:  # brackets around what is no address, a port of other characters
        return False
    return has_port and parts.hostname is not None


def _urls(spec: Spec) -> list[tuple[str, Mapping[str, Any]]]:
    if spec.is_swagger:
        host, base = spec.data.get("host"), spec.data.get("basePath")
        schemes = texts(spec.data.get("schemes")) or ("https",)
        scheme = "https" if "https" in schemes else schemes[0]
        path = base if isinstance(base, str) else "/"
        return [(f"{scheme}://{host}/{path.lstrip('/')}", {})] if isinstance(host, str) and host else []
    servers = spec.data.get("servers")
    found = [mapping(one) for one in servers] if isinstance(servers, list) else []
    return [(one["url"], mapping(one.get("variables"))) for one in found if isinstance(one.get("url"), str)]


def _server(url: str, variables: Mapping[str, Any]) -> Server:
    config: dict[str, Any] = {}
    made, at = "", 0
    for match in _VARIABLE.finditer(url):
        made += url[at : match.start()]
        made += _filled(match[1], mapping(variables.get(match[1])), made, url[match.end() :], config)
        at = match.end()
    made += url[at:]
    return Server(base_url=made if made.endswith("/") else f"{made}/", connection_config=config)


def _filled(name: str, variable: Mapping[str, Any], before: str, after: str, config: dict[str, Any]) -> str:
    """Return what stands for a variable: a placeholder, or its default where no placeholder can be."""
    default = str(variable["default"]) if isinstance(variable.get("default"), str | int) else ""
    default = "" if is_pasted(name, default) else default
    is_in_path = "/" in before.partition("://")[2]
    # A scheme, a port and a user are no places for what an account says.
    if "://" not in before or (not is_in_path and re.search(r":\d*\Z", before.partition("://")[2])):
        return default
    key = field_name(name).lower().strip("_") or "server"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
        key = f"server_{field_name(key)}"
    words = [word for word in texts(variable.get("enum")) if word]
    made: dict[str, Any] = {"title": key.replace("_", " ").capitalize()}
    if description := one_line(variable.get("description")):
        made["description"] = description
    if words:
        made["enum"] = list(dict.fromkeys(words))
        made |= {"default": default} if default in words else {}
    elif is_in_path:
        made |= {"default": default} if default else {}
    else:
        is_whole = before.endswith("://") and not after.startswith(".")
        made["format"] = "hostname" if is_whole else "domain-label"
        # The default of a host is somebody's example: an account's credentials must not go there unasked.
        made |= {"example": default} if FORMATS[made["format"]].fullmatch(default) else {}
    config[key] = made
    return f"${{connection_config.{key}}}"


def _others(urls: list[str]) -> str:
    if not urls:
        return ""
    shown = ", ".join(urls[:_OTHERS]) + (", ..." if len(urls) > _OTHERS else "")
    return f"The first server; the description also names {shown}"


def is_same_server(server: Server, url: str) -> bool:
    """Tell whether an operation's own server is the one that requests go to."""
    try:
        own, base = urlsplit(server.absolute(url)), urlsplit(server.base_url)
    except ValueError:
        return False
    return (own.scheme, own.netloc, own.path.rstrip("/")) == (base.scheme, base.netloc, base.path.rstrip("/"))
