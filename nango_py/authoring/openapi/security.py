"""How requests are signed: of the security schemes of a description, those that most operations accept."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice, product
from typing import TYPE_CHECKING, Any, Final

from nango_py.auth import SCHEMES
from nango_py.auth.api_key import ApiKey
from nango_py.auth.basic import Basic
from nango_py.auth.none import NoAuth
from nango_py.auth.oauth2 import OAuth2
from nango_py.auth.oauth2_cc import ClientCredentials
from nango_py.authoring.foreign import mapping
from nango_py.authoring.names import field_name, one_line
from nango_py.authoring.openapi.servers import is_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nango_py.authoring.openapi.servers import Server
    from nango_py.authoring.openapi.spec import Operation, Spec

__all__ = ["Signing", "signing_of"]

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MOST_SCOPES: Final = 16
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The ``auth`` of a blueprint, and what it takes beside that."""

    auth: Mapping[str, Any]
    schemes: frozenset[str] = frozenset()
    """The security schemes that requests satisfy."""
    granting: str | None = None
    """The scheme among them whose scopes count."""
    credentials: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    satisfies_all: bool = False
    """Whether every operation is content, whatever it says: somebody knows better than the description."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Schemes that nothing was made of, each with the reason."""

    def accepts(self, operation: Operation) -> bool:
        """Tell whether the operation is content with how requests are signed; one that says nothing is."""
        return self.satisfies_all or not operation.security or any(one <= self.schemes for one in operation.security)

    def scopes(self, operation: Operation) -> list[Any]:
        """Return what the operation requires as ``requires_scopes``: all of them, a list means any of its own."""
        alternatives = [
            asked.get(self.granting or "", ())
            for one, asked in zip(operation.security or (), operation.scopes, strict=True)
            if one <= self.schemes
        ]
        if not alternatives or not all(alternatives):
            return []
        # (a and b) or c is (a or c) and (b or c).
        choices = list(islice(product(*alternatives), _MOST_SCOPES + 1))
        if len(choices) > _MOST_SCOPES:
            return []
        unlike = dict.fromkeys(tuple(dict.fromkeys(choice)) for choice in choices)
        return [choice[0] if len(choice) == 1 else list(choice) for choice in unlike]


def signing_of(spec: Spec, operations: Iterable[Operation], server: Server) -> Signing:
    """Return how the requests of most *operations* can be signed."""
    schemes = spec.schemes()
    if not schemes:
        return Signing(auth={"auth_mode": NoAuth.mode}, comment="The description names no security scheme.")
    ready = {name: _scheme(name, keys, server) for name, keys in schemes.items()}
    votes: Counter[frozenset[str]] = Counter()
    for operation in operations:
        votes.update(set(operation.security or ()) - {frozenset()})
    # A description that only defines schemes, and asks for none, means any of them.
    wanted = votes or Counter(dict.fromkeys((frozenset({name}) for name in schemes), 1))
    usable = [one for one in wanted if all(isinstance(ready.get(name), _Scheme) for name in one)]
    refused = tuple((name, made) for name, made in ready.items() if isinstance(made, str))
    order = list(schemes)
    usable = [one for one in usable if sum(ready[name].is_main for name in one) <= 1]  # type: ignore[union-attr]
    if not usable:
        reason = "Nothing was made of the security schemes: " + "; ".join(f"{name}: {why}" for name, why in refused)
        return Signing(auth={"auth_mode": NoAuth.mode}, comment=reason, left_out=refused)
    chosen = max(usable, key=lambda one: (wanted[one], -len(one), -min(order.index(name) for name in one)))
    made = sorted(
        (one for name in sorted(chosen) if isinstance(one := ready[name], _Scheme)),
        key=lambda one: (not one.is_main, order.index(one.name)),
    )
    unused = tuple(
        (name, "another scheme signs the requests")
        for name, one in ready.items()
        if isinstance(one, _Scheme) and name not in chosen
    )
    return _together(made, (*refused, *unused))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """A security scheme that a mode of ours can be."""

    name: str
    auth: Mapping[str, Any]
    is_main: bool = True
    """False for a key that may as well stand beside other credentials."""
    grants: bool = False
    comment: str = ""


def _scheme(name: str, keys: Mapping[str, Any], server: Server) -> _Scheme | str:
    """Return what the scheme becomes, or why it becomes nothing."""
    match keys.get("type"), str(keys.get("scheme", "")).lower():
        case ("basic", _) | ("http", "basic"):
            return _Scheme(name=name, auth={"auth_mode": Basic.mode})
        case "http", "bearer":
            return _Scheme(name=name, auth={"auth_mode": ApiKey.mode})
        case "http", other:
            return f"the HTTP scheme {one_line(other)!r} is not known"
        case "apiKey", _:
            return _key(name, keys)
        case "oauth2", _:
            return _granted(name, keys, server)
        case "openIdConnect", _:
            return "endpoints of OpenID Connect are not looked up: write the OAuth 2 URLs into `auth`"
        case "mutualTLS", _:
            return "a client certificate is the integration's: `network.client_certificate`"
        case kind, _:
            return f"the type {one_line(str(kind))!r} is not known"


def _key(name: str, keys: Mapping[str, Any]) -> _Scheme | str:
    key, place = keys.get("name"), keys.get("in")
    if not isinstance(key, str) or not key:
        return "it does not say what the key is called"
    mode = {"auth_mode": ApiKey.mode}
    if place == "query":
        return _Scheme(name=name, auth={**mode, "placement": "query", "name": key}, is_main=False)
    if place == "cookie" and _HEADER.fullmatch(key):
        return _Scheme(name=name, auth={**mode, "name": "Cookie", "value": f"{key}=${{api_key}}"})
    if place != "header" or not _HEADER.fullmatch(key):
        return "it does not say where the key goes"
    if key.lower() == "authorization":
        # What a key in Authorization stands behind is said in prose, if at all.
        prefix = re.search(r"\b(Bearer|Token|ApiKey|Basic)\b", str(keys.get("description", "")))
        value = f"{prefix[1]} ${{api_key}}" if prefix else "${api_key}"
        guess = f"A guess from the description of {name!r}: check what stands before the key."
        return _Scheme(name=name, auth={**mode, "name": key, "value": value}, comment=guess)
    return _Scheme(name=name, auth={**mode, "name": key}, is_main=False)


def _granted(name: str, keys: Mapping[str, Any], server: Server) -> _Scheme | str:
    flows = mapping(keys.get("flows"))
    if not flows and isinstance(keys.get("flow"), str):  # Swagger 2.0
        spelt = {"accessCode": "authorizationCode", "application": "clientCredentials"}
        flows = {spelt.get(keys["flow"], keys["flow"]): keys}
    code, client = mapping(flows.get("authorizationCode")), mapping(flows.get("clientCredentials"))
    scopes = list(mapping((code or client or mapping(flows.get("implicit"))).get("scopes")))
    comment = ""
    if scopes:
        shown = ", ".join(one_line(scope, 80) for scope in scopes[:_SHOWN])
        comment = f"Scopes that the description names: {shown}{', ...' if len(scopes) > _SHOWN else ''}"
    if code:
        urls = _endpoints(code, server)
        if "token_url" not in urls:
            comment = f"No token URL is named that credentials may go to: write it here.\n{comment}".strip()
        return _Scheme(name=name, auth={"auth_mode": OAuth2.mode, **urls}, grants=True, comment=comment)
    if client:
        urls = {key: url for key, url in _endpoints(client, server).items() if key == "token_url"}
        if not urls:
            return "its token URL is none that credentials may go to"
        return _Scheme(name=name, auth={"auth_mode": ClientCredentials.mode, **urls}, grants=True, comment=comment)
    if "implicit" in flows:
        note = "Only the implicit flow is described, which OAuth 2.1 gave up: write the URLs of the code flow here."
        return _Scheme(name=name, auth={"auth_mode": OAuth2.mode}, grants=True, comment=f"{note}\n{comment}".strip())
    return f"its flows ({', '.join(map(one_line, flows)) or 'none'}) are not known"


def _endpoints(flow: Mapping[str, Any], server: Server) -> dict[str, str]:
    named = {
        "authorization_url": flow.get("authorizationUrl"),
        "token_url": flow.get("tokenUrl"),
        "refresh_url": flow.get("refreshUrl"),
    }
    urls = {key: server.absolute(url) for key, url in named.items() if isinstance(url, str) and url}
    if urls.get("refresh_url") == urls.get("token_url"):
        urls.pop("refresh_url", None)
    return {key: url for key, url in urls.items() if is_endpoint(url)}


def _together(schemes: list[_Scheme], left_out: tuple[tuple[str, str], ...]) -> Signing:
    """Return the first scheme as the one that signs, with the keys of the others beside it."""
    main, *keys = schemes
    credentials: dict[str, Any] = {}
    headers: dict[str, str] = {}
    params: dict[str, str] = {}
    for key in keys:
        name = key.auth["name"]
        held = field_name(name).lower().strip("_")
        held = held if re.fullmatch(r"[a-z][a-z0-9_]*", held) else "second_key"
        credentials[held] = {"title": one_line(name, 80), "secret": True}
        (params if key.auth.get("placement") == "query" else headers)[name] = f"${{credentials.{held}}}"
    place = SCHEMES[main.auth["auth_mode"]].declare(main.auth).place() if keys else None
    if place is not None:
        # A scheme places nothing by itself where `requests` places one of the account's credentials.
        (params if place.where == "query" else headers)[place.name] = place.value.text
    return Signing(
        auth=main.auth,
        schemes=frozenset(one.name for one in schemes),
        granting=next((one.name for one in schemes if one.grants), None),
        credentials=credentials,
        headers=headers,
        params=params,
        comment="\n".join(filter(None, (one.comment for one in schemes))),
        left_out=left_out,
    )
