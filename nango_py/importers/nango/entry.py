"""Turn one entry of Nango's catalogue into a blueprint, and say what became of each of its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES
from nango_py.authoring.cautions import cautions_of
from nango_py.authoring.report import Finding
from nango_py.importers.keys import keys_of
from nango_py.importers.nango.auth import NoBlueprint, auth_of, mode_of
from nango_py.importers.nango.fields import read_fields
from nango_py.importers.nango.hosts import host_bounds
from nango_py.importers.nango.mentions import config_named, config_replaceable, credentials_named
from nango_py.importers.nango.names import Names
from nango_py.importers.nango.placement import placement_of
from nango_py.importers.nango.requests import pagination_of, requests_of, retry_of
from nango_py.importers.nango.tables import CERTIFICATE, CODE, CODED, DOCS, HOST, KEYS, UNDECLARED, UNKNOWN
from nango_py.importers.nango.verification import verification_of

if TYPE_CHECKING:
    from nango_py.importers.keys import Keys
    from nango_py.importers.nango.tables import Mode

__all__ = ["Converted", "convert"]

_CERTIFICATE = ("client_certificate", "client_private_key")
"""Credentials that are a file of `network.client_certificate` here."""
_KEY = _CERTIFICATE[1]
_ASKING = ("connection_config", "credentials", "integration_config", "assertion_option")
_OWN_BASE = "baseUrl"
_BROUGHT = ("token_response_metadata", "redirect_uri_metadata")
_ORDER = ("comment", "auth", "credentials", "connection_config", "requests", "retry", "pagination", "verification")


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """Hold a blueprint as plain data, and what became of the keys that it was made of."""

    document: dict[str, Any] | None
    """None where nothing could be made; *problem* says why."""
    problem: str = ""
    findings: tuple[Finding, ...] = ()
    cautions: tuple[str, ...] = ()


def convert(name: str, entry: Mapping[str, Any], *, source: str = "providers.yaml") -> Converted:
    """Return what an entry, with all that it inherits, is in our format."""
    keys, findings = keys_of(entry)
    base = keys.take("alias")
    try:
        if _OWN_BASE in _mapping(entry.get("integration_config")):
            raise NoBlueprint("each integration has a base URL of its own: write it in integrations.yaml")
        mode = mode_of(keys, entry)
    except NoBlueprint as error:
        return Converted(document=None, problem=f"{error}.")
    document: dict[str, Any] = {"name": name}
    for theirs, ours in (("display_name", "display_name"), ("docs", "docs_url")):
        if text := keys.text(theirs):
            document[ours] = text
    document["maintainer"] = "imported from Nango"
    if categories := keys.texts("categories"):
        document["categories"] = list(categories)
    version = _version(keys, mode, entry)
    origin = f"{source}, {name}{f', an alias of {base}' if base else ''}"
    version["comment"] = f"Imported from Nango's {origin}."
    document["versions"] = {"v0": {key: version[key] for key in _ORDER if version.get(key)}}
    if any("doc_section" in str(entry.get(section)) for section in _ASKING):
        keys.take("docs_connect")  # fields lead there
    keys.drop("docs_connect", "not_needed", DOCS)
    if name in CODED:
        keys.note("token_url", "lost", CODE)
    for key, (outcome, reason) in KEYS.items():
        keys.drop(key, outcome, reason)
    left = tuple(Finding(key=place, outcome="lost", reason=UNKNOWN) for place in keys.rest())
    cautions = tuple(cautions_of(version["requests"].get("base_url", "")))
    return Converted(document=document, problem=_missing(version), findings=(*findings, *left), cautions=cautions)


def _version(keys: Keys, mode: Mode, entry: Mapping[str, Any]) -> dict[str, Any]:
    brought = frozenset(name for key in _BROUGHT for name in _texts(entry.get(key)))
    config = _config(keys, entry, brought)
    asked = _asked(keys, entry)
    signs = isinstance(entry.get("assertion"), Mapping)
    if signs and asked.pop("assertion", None) is not None:
        keys.note("credentials.assertion", "not_needed", "it is signed for each login; nobody is asked for it")
    scheme = SCHEMES[mode.name]
    words = Names(
        config=config,
        picked=brought,
        credentials={
            **{field.name: {"default": field.default} for field in scheme.fields if field.default is not None},
            **asked,
        },
        renamed=mode.renamed,
        provided=frozenset(field.name for field in scheme.fields) | scheme.supplies,
        signs_assertion=signs,
        reads_headers="token_response_headers" in entry,
    )
    proxy = keys.below("proxy")
    requests = requests_of(proxy, words, mode.own_headers)
    if mode.headers:
        requests["headers"] = {**requests.get("headers", {}), **mode.headers}
    retry = retry_of(proxy.below("retry"))
    pagination = pagination_of(proxy.below("paginate"))
    verification = verification_of(proxy.below("verification"), words, entry)
    auth = auth_of(keys, mode, words, base_url=requests.get("base_url"), asks_scopes="oauth_scopes" in config)
    if "base_url" not in requests and "server_url" in auth:
        requests = {"base_url": auth["server_url"], **requests}
    credentials = {**mode.credentials, **{mode.renamed.get(name, name): field for name, field in asked.items()}}
    if placement := placement_of(mode, requests, frozenset(credentials)):
        auth["placement"] = placement
    _guard_hosts(keys, {name: field for name, field in config.items() if name not in brought}, auth, requests)
    return {
        "auth": auth,
        "credentials": credentials,
        "connection_config": config,
        "requests": requests,
        "retry": retry,
        "pagination": pagination,
        "verification": verification,
    }


def _guard_hosts(
    keys: Keys, config: Mapping[str, dict[str, Any]], auth: Mapping[str, Any], requests: Mapping[str, Any]
) -> None:
    """Bound each field that is a host or ends one, where nothing says yet what it may be."""
    for name, bound in host_bounds(auth, requests).items():
        if name in config and not {"format", "pattern", "enum"} & set(config[name]):
            config[name] |= bound
            keys.note(f"connection_config.{name}", "changed", HOST)


def _config(keys: Keys, entry: Mapping[str, Any], brought: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Return the fields of `connection_config`, with what is named in placeholders and declared nowhere."""
    named = config_named(entry)
    config = read_fields(keys.below("connection_config"), page=_page(entry), brought=brought, named=named)
    for name in config.keys() & config_replaceable(entry):
        config[name]["optional"] = True  # another alternative stands in for it
    for name in sorted(named - set(config)):
        config[name] = {"title": name, **({"optional": True} if name in brought else {})}
        if name not in brought:
            keys.note(f"connection_config.{name}", "changed", UNDECLARED)
    return config


def _asked(keys: Keys, entry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields of `credentials`, and those that Nango asks the integration's owner for."""
    asked = read_fields(keys.below("credentials"), page=_page(entry), secrets=True)
    asked |= read_fields(keys.below("assertion_option"), page=_page(entry), secrets=True)
    named = credentials_named(entry)
    inner = keys.below("integration_config")
    for name in inner:
        if name in named:
            field = read_fields(inner.only(name), page=_page(entry), secrets=True)
            asked = {**field, **asked}
            inner.note(name, "changed", "a value of the integration there, of each connection here")
        else:
            inner.drop(name, "lost", "a value of the integration's form in Nango: say it in integrations.yaml")
    if entry.get("require_client_certificate") is True:
        for name in _CERTIFICATE:
            if asked.pop(name, None) is not None:
                keys.note(f"credentials.{name}", "lost", CERTIFICATE)
    elif _KEY in asked and entry.get("token_request_auth_method") == "private_key_jwt":
        asked["client_secret"] = asked.pop(_KEY)
        keys.note(f"credentials.{_KEY}", "changed", "called client_secret here: the client proves itself with it")
    return asked


def _page(entry: Mapping[str, Any]) -> str | None:
    """Return the page that people are led to by a field's `doc_section`."""
    return next((page for key in ("docs_connect", "docs") if isinstance(page := entry.get(key), str)), None)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _missing(version: Mapping[str, Any]) -> str:
    return "" if "base_url" in version["requests"] else "there is no base_url that can be said."
