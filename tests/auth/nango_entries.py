"""Translate an entry of Nango's provider catalogue to our keys: just enough of it for the recorded cases."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Untranslatable", "auth_keys", "entry_of", "template"]

_FUNCTIONS = {
    "base64": "base64",
    "fingerprint": "public_key_fingerprint",
    "sha256Hex": "sha256_hex",
    "sha256Base64": "sha256_base64",
    "hmacSha1Hex": "hmac_sha1_hex",
    "hmacSha256Hex": "hmac_sha256_hex",
}
_ROOTS = {"connectionConfig": "connection_config", "assertionOption": "credentials"}
_DATE = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PARAMETERS = {"scopes": "scope"}
_NOT_AUTH = frozenset(
    """
    alias auth categories client_certificate connection_config connection_configuration credentials
    credentials_verification_script decode_url display_name docs docs_connect installation integration_config logo
    post_connection_script pre_connection_deletion_script proxy refresh_token_response_metadata
    require_client_certificate setup_guide_url webhook_allowed_query_params webhook_response_metadata
    webhook_routing_script webhook_user_defined_secret authorization_code_param_in_webhook
    user_defined_connection_config
    """.split()  # noqa: SIM905 - words
)
_ELSEWHERE = {
    "OAUTH2_CC": {"authorization_url"},
    "OAUTH2": {"refresh_token_params"},
    "TWO_STEP": {"authorization_url", "authorization_params", "default_scopes", "assertion_option"},
    "SIGNATURE": {"token"},
}
"""Keys that Nango's code never reads in that mode."""


class Untranslatable(Exception):  # noqa: N818 - it says what an entry is
    """The entry uses something that our language has no word for."""


def entry_of(catalogue: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the entry *name*, over those that it is an alias of."""
    entry = catalogue[name]
    return {**entry_of(catalogue, entry["alias"]), **entry} if "alias" in entry else entry


def auth_keys(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of ``auth`` that *entry* declares, in our language."""
    left_out = _NOT_AUTH | _ELSEWHERE.get(entry["auth_mode"], set())
    keys = {key: _translated(value) for key, value in entry.items() if key not in left_out and value is not None}
    if lifetime := keys.pop("token_expires_in_ms", 0):
        keys["default_token_lifetime"] = lifetime / 1000
    if words := keys.pop("authorization_url_skip_encode", ()):
        # Theirs are words, ours are names of parameters; what fills a base URL is encoded by its place here.
        keys["authorization_url_skip_encode"] = [_PARAMETERS[word] for word in words if word in _PARAMETERS]
    if entry["auth_mode"] == "OAUTH2_CC":
        keys["token_params"] = {"grant_type": None, **keys.get("token_params", {})}  # theirs are all that is sent
    return keys


def _translated(value: Any) -> Any:
    if isinstance(value, str):
        return template(value)
    if isinstance(value, dict):
        return {key: _translated(item) for key, item in value.items()}
    return [_translated(item) for item in value] if isinstance(value, list) else value


def template(text: str) -> str:
    """Return *text* with its placeholders in our language; ``$${`` is not theirs."""
    if "||" in re.sub(r"\$\{[^}]*\}", "", text):
        return f"${{{_alternatives(*(side.strip() for side in text.split('||')))}}}"
    return "".join(part if kind == "text" else f"${{{_expression(part)}}}" for kind, part in _parts(text))


def _alternatives(left: str, right: str) -> str:
    """Return the left text where everything it names has a value, as Nango chooses; else the right one."""
    names = " and ".join(_expression(part) for kind, part in _parts(left) if kind == "name")
    return f"{_joined(left)} if {names} else {_joined(right)}"


def _parts(text: str) -> list[tuple[str, str]]:
    parts, at = [], 0
    while (begin := text.find("${", at)) >= 0:
        end, depth = begin + 2, 1
        while depth and end < len(text):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        parts += [("text", text[at:begin]), ("name", text[begin + 2 : end - 1])]
        at = end
    return [(kind, part) for kind, part in [*parts, ("text", text[at:])] if part]


def _expression(inner: str) -> str:
    if "||" in inner:
        return " or ".join(_expression(side.strip()) for side in inner.split("||"))
    if call := re.fullmatch(r"(\w+)\((.*)\)", inner, re.DOTALL):
        name, arguments = call.groups()
        if name not in _FUNCTIONS:
            raise Untranslatable(name)
        return f"{_joined(arguments)} | {_FUNCTIONS[name]}"
    if inner == "random":
        return "uuid()"
    if inner.startswith("now"):
        return _moment(inner)
    return _name(inner)


def _joined(text: str) -> str:
    sides = [f"'{part}'" if kind == "text" else f"({_expression(part)})" for kind, part in _parts(text)]
    return f"({' ~ '.join(sides)})"


def _moment(inner: str) -> str:
    if inner == "now":
        return "now()"
    name, _, pattern = inner.partition(":")
    if name != "now":
        raise Untranslatable(inner)  # a moment of another day
    for word, directive in _DATE.items():
        pattern = pattern.replace(word, directive)
    return f"now('{pattern}')"


def _name(name: str) -> str:
    root, *path = name.split(".")
    root = _ROOTS.get(root, root)
    return root + "".join(f".{step}" if step.isidentifier() else f"['{step}']" for step in path)
