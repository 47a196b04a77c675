"""How credentials are obtained: the `auth` of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES
from nango_py.authoring.pasted import PASTED, is_pasted
from nango_py.declare.schema import load_schema
from nango_py.importers.nango.aws import signed_by_amazon
from nango_py.importers.nango.language import Untranslatable, translate, translate_url
from nango_py.importers.nango.tables import MODES, NO_MODE, UNKNOWN, UNREAD_IN, Mode

if TYPE_CHECKING:
    from nango_py.importers.keys import Keys
    from nango_py.importers.nango.language import Words

__all__ = ["NoBlueprint", "auth_of", "mode_of"]

_CLIENT, _LOGIN, _PLUGIN = "OAUTH2_CC", "TWO_STEP", "INSTALL_PLUGIN"
_LITERAL_BARS = frozenset({_LOGIN, "JWT"})
"""The modes in whose parameters Nango reads `||` as text."""
_PARAMETERS = {"scopes": "scope"}
"""Its words for what is not encoded, and our names of parameters."""


class NoBlueprint(ValueError):  # noqa: N818 - it says what the entry is
    """There can be no blueprint for an entry; the message says why."""


def mode_of(keys: Keys, entry: Mapping[str, Any]) -> Mode:
    """Return our mode for an *entry* with these *keys*.

    Raises:
        NoBlueprint: There is none.
    """
    theirs = keys.text("auth_mode") or ""
    if theirs == _PLUGIN:
        theirs = keys.text("auth_type") or theirs
        keys.note("auth_mode", "changed", "a plugin is installed there; here its own credentials are registered")
    if theirs in NO_MODE:
        raise NoBlueprint(NO_MODE[theirs])
    assertion = entry.get("assertion")
    if isinstance(assertion, Mapping) and assertion.get("type") == "saml":
        raise NoBlueprint("it logs in with a SAML assertion, which nothing here signs")
    if (signed := signed_by_amazon(entry)) is not None:
        return signed
    mode = MODES.get(theirs) or Mode(name=theirs)
    if mode.name not in SCHEMES:
        raise NoBlueprint(f"there is no auth_mode {theirs!r}")
    return _as_login(keys) if theirs == _CLIENT and _names_client_otherwise(keys) else mode


def _names_client_otherwise(keys: Keys) -> bool:
    """Tell whether the client proves itself as a user does, with ``username`` and ``password``."""
    method = keys.take("token_request_auth_method")
    if method == "custom":
        return True
    if method is not None:
        keys.give_back("token_request_auth_method", method)
    return False


def _as_login(keys: Keys) -> Mode:
    keys.note("token_request_auth_method", "changed", "a client that proves itself as a user does: a login says it")
    user = {"username": "${credentials.client_id}", "password": "${credentials.client_secret}"}
    asked: dict[str, Mapping[str, Any]] = {
        "client_id": {"title": "Client ID"},
        "client_secret": {"title": "Client secret", "secret": True},
    }
    return replace(MODES[_LOGIN], auth={"body_format": "form", "token_params": user}, credentials=asked)


def auth_of(
    keys: Keys, mode: Mode, words: Words, *, base_url: str | None = None, asks_scopes: bool = False
) -> dict[str, Any]:
    """Return the `auth` of a blueprint, of every key that our mode knows; an MCP server is where requests go, too.

    *asks_scopes* says whether a connection is asked for the scopes that its client gets.
    """
    scheme = SCHEMES[mode.name]
    known = load_schema(f"auth/{mode.name.lower()}.schema.json")["properties"]
    unread = UNREAD_IN.get(mode.name, frozenset())
    auth: dict[str, Any] = {"auth_mode": mode.name, **mode.auth}
    _read_otherwise(keys, auth, known)
    for key in known:
        if key not in keys or key in unread:
            continue
        value = _pruned(keys, keys.take(key), known[key], key)
        if scheme.holds_placeholders(key):
            value = _Filled(keys, words, alternatives=mode.name not in _LITERAL_BARS).value(value, key)
        if value is not None:
            given = auth.get(key)
            auth[key] = {**value, **given} if isinstance(value, Mapping) and isinstance(given, Mapping) else value
    if "server_url" in known and "server_url" not in auth and base_url:
        auth["server_url"] = base_url
    if mode.name == _CLIENT:
        auth["token_params"] = _client_params(auth, asks_scopes=asks_scopes)
    _drop_unread(keys, mode.name)
    return auth


def _client_params(auth: Mapping[str, Any], *, asks_scopes: bool) -> dict[str, Any]:
    """Return all that a client sends: what Nango's entries do not declare is not sent."""
    declared = auth.get("token_params")
    params = {"grant_type": None, **(declared if isinstance(declared, Mapping) else {})}
    if asks_scopes and "scope" not in params:
        separator = auth.get("scope_separator", " ")
        params["scope"] = f"${{connection_config.oauth_scopes | replace(',', '{separator}')}}"
    return params


def _pruned(keys: Keys, value: Any, schema: Mapping[str, Any], at: str) -> Any:
    """Return a value without the keys that its *schema* does not know, and note them."""
    if isinstance(value, list):
        return [_pruned(keys, one, schema.get("items", {}), f"{at}.{index}") for index, one in enumerate(value)]
    inner = schema.get("properties")
    if not isinstance(value, Mapping) or inner is None:
        return value
    for name in value:
        if name not in inner:
            keys.note(f"{at}.{name}", "lost", UNKNOWN)
    return {name: _pruned(keys, one, inner[name], f"{at}.{name}") for name, one in value.items() if name in inner}


def _read_otherwise(keys: Keys, auth: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Read the keys that are called or written otherwise here."""
    if "default_token_lifetime" in known:
        lifetime = keys.take("token_expires_in_ms")
        if isinstance(lifetime, int | float) and lifetime > 0:
            auth["default_token_lifetime"] = lifetime // 1000 if lifetime % 1000 == 0 else lifetime / 1000
        elif lifetime is not None:
            keys.note("token_expires_in_ms", "not_needed", "a token without a lifetime never expires here either")
    if "authorization_url_skip_encode" in known:
        words = keys.texts("authorization_url_skip_encode")
        if named := [_PARAMETERS[word] for word in words if word in _PARAMETERS]:
            auth["authorization_url_skip_encode"] = named
        for word in words:
            if word not in _PARAMETERS:
                reason = "what fills a URL is encoded by its place"
                keys.note(f"authorization_url_skip_encode.{word}", "not_needed", reason)


def _drop_unread(keys: Keys, mode: str) -> None:
    """Say of keys that belong to other modes that nobody reads them in this one."""
    others = {key for name in SCHEMES for key in load_schema(f"auth/{name.lower()}.schema.json")["properties"]}
    for key in (*sorted(others), "token_expires_in_ms", "authorization_url_skip_encode", "auth_type"):
        keys.drop(key, "not_needed", f"a key of other auth modes: neither Nango nor {mode} here reads it")


class _Filled:
    """Translate a value with placeholders, at every depth; what cannot be said is left out and noted."""

    def __init__(self, keys: Keys, words: Words, *, alternatives: bool) -> None:
        self._keys = keys
        self._words = words
        self._alternatives = alternatives

    def value(self, value: Any, at: str) -> Any:
        """Return what stands for *value*, None where nothing does."""
        if isinstance(value, str):
            return self._text(value, at)
        if isinstance(value, Mapping):
            found = {name: self.value(inner, f"{at}.{name}") for name, inner in value.items()}
            return {name: one for name, one in found.items() if one is not None or value[name] is None}
        if isinstance(value, list):
            return [
                one for index, inner in enumerate(value) if (one := self.value(inner, f"{at}.{index}")) is not None
            ]
        return value

    def _text(self, text: str, at: str) -> str | None:
        is_url = at.rpartition(".")[2].endswith("_url")
        try:
            if is_url:
                return translate_url(text, self._words)
            made = translate(text, self._words, alternatives=self._alternatives, keeps_empty=True)
        except Untranslatable as error:
            self._keys.note(at, "lost", f"it holds {error}")
            return None
        if is_pasted(at.rpartition(".")[2], made):
            self._keys.note(at, "lost", PASTED)
            return None
        return made
