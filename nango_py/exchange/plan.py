"""Work out what an integration and a connection make of a request: pure, and once per version of the connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from nango_py.address import base_part, base_url_text, segment
from nango_py.errors import CredentialsError, InputError
from nango_py.http import URL
from nango_py.secret import Secret
from nango_py.template import Expression, Template, TemplateError, names_in, render_tree, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nango_py.auth.scheme import Place
    from nango_py.model import Integration, ListStyle

__all__ = [
    "Plan",
    "Shape",
    "filled_headers",
    "filled_params",
    "header_text",
    "make_plan",
    "pairs_of",
    "render_path",
    "secret_texts",
    "shape_of",
    "values_of",
]

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PER_EXCHANGE = frozenset({"now", "request", "uuid"})
_PER_CONNECTION = frozenset({"connection_config", "metadata", "credentials", "raw"})
_SHARED_SECRETS = frozenset({"app_api_key", "oauth_client_id", "oauth_client_secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of an integration's requests before any connection is read.

    ``headers`` and ``params`` are the same for every connection and bear no secret: a client shows them. The *late*
    ones are put in below the client.
    """

    base_url: str | None = field(repr=False)
    """The base URL where no connection has a say in it, else None."""
    shown_base_url: str
    """The base URL as people may see it before a connection is read."""
    shown_base: URL
    """It, parsed once."""
    headers: tuple[tuple[str, str], ...]
    params: tuple[tuple[str, str], ...]
    late_headers: tuple[tuple[str, Any], ...] = field(repr=False)
    late_params: tuple[tuple[str, Any], ...] = field(repr=False)
    names_agent: bool
    """Whether a late header is the User-Agent, in place of the engine's own."""
    is_timed: bool
    """Whether a late one tells the time, a UUID or a part of the request, so that no two requests have the same."""
    place: Place | None
    """Where the scheme puts the credentials by itself."""
    places: bool

    @property
    def is_fixed(self) -> bool:
        """Tell whether no connection has a say in the base URL."""
        return self.base_url is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one version of a connection makes of its requests."""

    base_url: str = field(repr=False)
    base: URL = field(repr=False)
    """The base URL, parsed once."""
    shown_base_url: str
    values: Mapping[str, Any] = field(repr=False)
    connection: Any = field(repr=False)


def is_secret(integration: Integration, name: tuple[str, ...]) -> bool:
    """Tell whether a placeholder's name stands for a secret value."""
    return name[0] in _secret_roots(integration)


def _secret_roots(integration: Integration) -> frozenset[str]:
    own = {item.name for item in integration.credentials} | integration.auth.supplies
    return frozenset(own | {"credentials", "raw", "env", *integration.environment} | _SHARED_SECRETS)


def shape_of(integration: Integration) -> Shape:
    """Return what is known of an integration's requests without a connection."""
    requests = integration.requests
    late = _secret_roots(integration) | _PER_CONNECTION | _PER_EXCHANGE
    headers, late_headers = _parted(requests.headers, late)
    params, late_params = _parted(requests.params, late)
    own = {item.name for item in integration.credentials} | integration.auth.supplies | {"credentials"}
    used = {name[0] for tree in (requests.headers, requests.params) for name in names_in(tree)}
    used |= {name[0] for name in requests.base_url.names}
    sets = any(integration.auth.uses_header(name) for name in requests.headers)
    is_explicit = "placement" in integration.declared.get("auth", {})
    environment = {**integration.environment, "env": integration.environment}
    roots = {name[0] for name in requests.base_url.names}
    is_fixed = roots <= {"env", *integration.environment}
    base_url = base_url_text(requests.base_url, environment) if is_fixed else None
    shown_base_url = (
        _stand_in(requests.base_url, {}) if base_url is None else _shown_base(integration, environment, base_url)
    )
    late_names = {path[0] for _, tree in (*late_headers, *late_params) for path in names_in(tree)}
    return Shape(
        base_url=base_url,
        shown_base_url=shown_base_url,
        shown_base=URL(shown_base_url),
        headers=tuple((name, header_text(name, value)) for name, value in headers),
        params=tuple(pair for name, value in params for pair in pairs_of(name, value)),
        late_headers=late_headers,
        late_params=late_params,
        names_agent=any(name.lower() == "user-agent" for name, _ in late_headers),
        is_timed=bool(late_names & _PER_EXCHANGE),
        place=integration.auth.place(),
        places=is_explicit or not (own & used or sets),
    )


def _parted(
    tree: Mapping[str, Any], late: frozenset[str]
) -> tuple[list[tuple[str, Any]], tuple[tuple[str, Any], ...]]:
    plain, held = [], []
    for name, value in tree.items():
        if {path[0] for path in names_in(value)} & late:
            held.append((name, value))
        elif (rendered := render_tree(value, {})) is not None:
            plain.append((name, rendered))
    return plain, tuple(held)


def make_plan(integration: Integration, connection: Any, shape: Shape) -> Plan:
    """Return the plan of a connection.

    Raises:
        CredentialsError: The base URL cannot be made of the connection's values.
    """
    values = values_of(integration, connection)
    try:
        real = shape.base_url or base_url_text(integration.requests.base_url, values)
    except TemplateError as error:
        raise CredentialsError(f"integration {integration.name!r}: base_url: {error}") from None
    shown = shape.shown_base_url if shape.is_fixed else _shown_base(integration, values, real)
    return Plan(
        base_url=real,
        base=shape.shown_base if real == shape.shown_base_url else URL(real),
        shown_base_url=shown,
        values=values,
        connection=connection,
    )


def values_of(integration: Integration, connection: Any) -> dict[str, Any]:
    """Return what placeholders see: the credentials by name, and everything else that DESIGN's table names."""
    credentials = integration.auth.values(connection.credentials)
    return {
        **integration.environment,
        **credentials,
        "env": integration.environment,
        "credentials": connection.credentials,
        "connection_config": connection.connection_config,
        "metadata": connection.metadata,
        "app_api_key": integration.app_api_key,
        "oauth_client_id": integration.oauth_client_id,
        "oauth_client_secret": integration.oauth_client_secret,
    }


def secret_texts(integration: Integration, connection: Any) -> Iterator[str]:
    """Yield every secret text that a connection's exchanges may meet."""
    shared = (integration.app_api_key, integration.oauth_client_secret)
    for value in (integration.auth.values(connection.credentials), integration.environment, shared):
        yield from _secrets_in(value)
    named = (connection.connection_config.get(item.name) for item in integration.connection_config if item.secret)
    yield from filter(None, named)


_WORDS = frozenset(
    {"scope", "token_type", "issuer", "resource", "token_url", "revocation_url", "token_endpoint_auth_method"}
)
"""What credentials hold of ordinary words and addresses: masking them would make logs unreadable."""


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in _WORDS:
                yield from _secrets_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets_in(item)


def _stand_in(template: Template, known: Mapping[int, str]) -> str:
    """Return the base URL with a readable name in place of each part that is not *known*, by its number."""
    text = ""
    for number, part in enumerate(template.parts):
        if isinstance(part, str):
            text += part
        elif number in known:
            text += known[number]
        else:
            # Where a port stands, no name can.
            slug = "0" if text.endswith(":") else _slug(part)
            text += slug if text else f"https://{slug}"
    return text if text.endswith("/") else text + "/"


def _slug(expression: Expression) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", expression.text.lower()).strip("-.") or "value"


def _shown_base(integration: Integration, values: Mapping[str, Any], real: str) -> str:
    """Return the base URL as people may see it: secrets in it have a stand-in, a host of the environment has none."""
    secret = _secret_roots(integration)
    template = integration.requests.base_url
    if not any(name[0] in secret for name in template.names):
        return real
    of_host = secret - {"env", *integration.environment}
    known, before = {}, ""
    for number, part in enumerate(template.parts):
        if isinstance(part, str):
            before += part
            continue
        text = base_part(part, before, values)
        roots = {name[0] for name in part.names}
        if not roots & (secret if "/" in before.partition("://")[2] else of_host):
            known[number] = text if before or not roots & secret else _host_shown(text, part)
        before += text
    return _stand_in(template, known)


def _host_shown(url: str, expression: Expression) -> str:
    """Return a URL that an expression gave, with a stand-in for what is behind its host."""
    scheme, _, rest = url.partition("://")
    host, slash, _ = rest.partition("/")
    return f"{scheme}://{host}/{_slug(expression)}" if slash else url


def render_path(template: Template, values: Mapping[str, Any]) -> str:
    """Return a path with each value encoded as one segment (RFC 3986 section 3.3).

    Raises:
        InputError: A value is missing, empty, ``.`` or ``..``, so that the path would mean another resource.
    """
    if template.is_plain:
        return template.render(values)
    try:
        text = "".join(part if isinstance(part, str) else _path_part(part, values) for part in template.parts)
    except TemplateError as error:
        raise InputError(f"path: {error}") from None
    if any(unquote(part) in {".", ".."} for part in re.split(r"[/?]", text)):
        raise InputError("path: a value makes a segment '.' or '..'.")
    return text


def _path_part(expression: Expression, values: Mapping[str, Any]) -> str:
    named = f"${{{expression.text}}}"
    value = expression.value(values)
    if value is None:
        raise TemplateError(f"{named} has no value, and a segment of a path cannot be left out.")
    return segment(to_text(value, named), named)


def header_text(name: str, value: Any) -> str:
    """Return a header's value as text; what no header can hold is refused."""
    text = to_text(value, f"header {name!r}")
    if _CONTROL.search(text):
        raise TemplateError(f"header {name!r} holds a control character, such as a line break.")
    if not text.isascii():
        raise TemplateError(f"header {name!r} holds a character that is not ASCII.")
    return text


def pairs_of(name: str, value: Any, style: ListStyle = "repeat") -> Iterable[tuple[str, str]]:
    """Yield the query pairs of a parameter: a list becomes one pair an item, or what its *style* says, null none."""
    if value is None:
        return
    what = f"parameter {name!r}"
    if not isinstance(value, list | tuple):
        yield name, to_text(value, what)
        return
    texts = [to_text(item, what) for item in value if item is not None]
    if style == "comma":
        if texts:
            yield name, ",".join(texts)
        return
    written = f"{name}[]" if style == "brackets" else name
    yield from ((written, text) for text in texts)


def filled_headers(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with their placeholders filled; one that is null is left out."""
    filled = (render_tree(tree, values) or {}) if tree else {}
    return {name: header_text(name, value) for name, value in filled.items() if value is not None}


def filled_params(
    tree: Mapping[str, Any], values: Mapping[str, Any], style: ListStyle = "repeat"
) -> tuple[tuple[str, str], ...]:
    """Return query pairs with their placeholders filled; a parameter that is null is left out."""
    return tuple(pair for name, value in tree.items() for pair in pairs_of(name, render_tree(value, values), style))


def swap_base(url: URL, shown: str, real: str) -> URL:
    """Return *url* with the real base URL in place of the shown one."""
    if shown == real:
        return url
    text = str(url)
    if text.startswith(shown):
        return URL(real + text[len(shown) :])
    shown_url, real_url = URL(shown), URL(real)
    if (url.scheme, url.host, url.port) == (shown_url.scheme, shown_url.host, shown_url.port):
        return url.copy_with(scheme=real_url.scheme, host=real_url.host, port=real_url.port)
    return url
