"""Authenticators become auth modes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from nango_py.auth.api_key import ApiKey
from nango_py.auth.basic import Basic
from nango_py.auth.none import NoAuth
from nango_py.auth.oauth2 import OAuth2
from nango_py.auth.oauth2_cc import ClientCredentials
from nango_py.auth.two_step import TwoStep
from nango_py.authoring.pasted import is_pasted
from nango_py.importers.airbyte.language import Untranslatable, filled, interpolations, sole
from nango_py.importers.airbyte.mappings import turned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.importers.airbyte.fields import Fields
    from nango_py.importers.airbyte.language import LookUp
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["Signed", "granted_by", "seconds", "signed_by"]

_DURATION: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_CLIENT: Final = "it is the integration's own: `oauth_client_id` and `oauth_client_secret` in integrations.yaml"
_GIVEN: Final = "it stood there in plain text and was not copied: accounts give theirs"
_BODIES: Final = ("body_data", "body_json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The ``auth`` of a blueprint, what stands beside it, and defaults of its credentials."""

    auth: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)


def signed_by(part: Part | None, fields: Fields) -> Signed:
    """Return how requests are signed; what no mode of ours can do is noted, and nothing signs them then."""
    if part is None or part.kind == "NoAuth":
        return Signed(auth={"auth_mode": NoAuth.mode})
    if part.kind == "SelectiveAuthenticator":
        return _selected(part, fields)
    convert = _KINDS.get(part.kind)
    if convert is None:
        part.forget(
            "lost", f"{part.kind or 'an authenticator without a type'} has no counterpart: nothing signs requests"
        )
        return Signed(auth={"auth_mode": NoAuth.mode})
    try:
        return convert(part, fields)
    except Untranslatable as reason:
        part.forget("lost", f"nothing signs requests: {reason}")
        return Signed(auth={"auth_mode": NoAuth.mode})


def _selected(part: Part, fields: Fields) -> Signed:
    choice = part.part("authenticators")
    part.take("authenticator_selection_path")
    names = list(choice.keys) if choice else []
    options = [one for name in names if choice and (one := choice.part(name)) is not None]
    usable = [one for one in options if one.kind in _KINDS]
    if not usable:
        part.forget("lost", "none of the authenticators to choose from has a counterpart: nothing signs requests")
        return Signed(auth={"auth_mode": NoAuth.mode})
    for other in options:
        if other is not usable[0]:
            other.forget("lost", f"accounts choose how they sign, and a blueprint signs one way: {usable[0].kind}")
    return signed_by(usable[0], fields)


def _bearer(part: Part, fields: Fields) -> Signed:
    value = f"Bearer {_key_value(part, fields)}"
    return Signed(auth={"auth_mode": ApiKey.mode, **_unless(value, "Bearer ${api_key}")})


def _api_key(part: Part, fields: Fields) -> Signed:
    value = _key_value(part, fields)
    place = part.part("inject_into")
    header = part.text("header")
    auth: dict[str, Any] = {"auth_mode": ApiKey.mode}
    where = place.text("inject_into") if place else "header"
    name = (place.text("field_name") if place else "") or header
    if place is not None and "field_path" in place.keys:
        path = place.take("field_path")
        name = name or ".".join(map(str, path if isinstance(path, list) else [path]))
    if where in _BODIES:
        raise Untranslatable("the key travels in the body, and bodies are the actions' own")
    name = filled(name, part.parameters, fields.name)
    if where == "request_parameter":
        return Signed(auth={**auth, "placement": "query", "name": name, **_unless(value, "${api_key}")})
    usual = "Bearer ${api_key}" if name.lower() == "authorization" else "${api_key}"
    return Signed(
        auth={**auth, **({"name": name} if name.lower() != "authorization" else {}), **_unless(value, usual)}
    )


def _unless(value: str, usual: str) -> dict[str, str]:
    return {} if value == usual else {"value": value}


def _key_value(part: Part, fields: Fields) -> str:
    """Return what is sent; the one secret in a longer text is the key as well."""
    text = part.text("api_token")
    for begin, end in interpolations(text):
        found = sole(text[begin:end])
        if found is not None and found.root == "config" and "api_key" not in fields.bound.values():
            fields.bind(found.path, "api_key")
    made = filled(text, part.parameters, fields.name)
    if "${" in made:
        return made
    part.note("api_token", "changed", _GIVEN)
    return "${api_key}"


def _basic(part: Part, fields: Fields) -> Signed:
    credentials: dict[str, Any] = {}
    texts = {key: part.text(key) for key in ("username", "password")}
    has_account = any("{{" in text for text in texts.values())
    for key, text in texts.items():
        found = sole(text)
        if found is not None and found.root == "config":
            fields.bind(found.path, key)
        elif "{{" in text:
            part.note(key, "changed", f"it is composed of several values: accounts give the whole {key}")
        elif is_pasted("password", text) and (key == "password" or not has_account):
            part.note(key, "changed", _GIVEN)
        elif text or key == "password":
            credentials[key] = {"default": text}
    return Signed(auth={"auth_mode": Basic.mode}, credentials=credentials)


def _oauth(part: Part, fields: Fields) -> Signed:
    grant = part.text("grant_type") or "refresh_token"
    auth: dict[str, Any] = {"auth_mode": ClientCredentials.mode if grant == "client_credentials" else OAuth2.mode}
    if grant not in {"client_credentials", "refresh_token"}:
        raise Untranslatable(f"the grant {grant!r} is not known")
    auth["token_url"] = filled(part.text("token_refresh_endpoint"), part.parameters, fields.name)
    for key in ("client_id", "client_secret", "refresh_token", "access_token_value"):
        found = sole(part.text(key))
        if found is not None and found.root == "config":
            fields.bind(found.path, f"oauth_{key}" if key.startswith("client") else key.removesuffix("_value"))
    part.note("client_id", "changed", _CLIENT)
    part.drop("not_needed", "the standard name", "client_id_name", "client_secret_name", "refresh_token_name")
    part.drop("not_needed", "the standard name", "grant_type_name")
    part.drop("not_needed", "what a stored token says about its end counts", "token_expiry_date")
    part.drop("lost", "forms of dates are told apart by themselves", "token_expiry_date_format")
    answer = {"token": part.text("access_token_name"), "token_expiration": part.text("expires_in_name")}
    usual = {"token": "access_token", "token_expiration": "expires_in"}
    if changed := {name: path for name, path in answer.items() if path and path != usual[name]}:
        auth["token_response"] = changed
    scopes = part.take("scopes")
    if isinstance(scopes, list) and scopes:
        auth["default_scopes"] = [str(scope) for scope in scopes]
    if (body := part.part("refresh_request_body")) is not None:
        auth["token_params" if grant == "client_credentials" else "refresh_params"] = turned(body, fields.name)
    if (headers := part.part("refresh_request_headers")) is not None:
        auth["token_headers"] = turned(headers, fields.name)
    _updater(part, auth)
    return Signed(auth={key: value for key, value in auth.items() if value})


def _updater(part: Part, auth: dict[str, Any]) -> None:
    updater = part.part("refresh_token_updater")
    for one in (part, updater) if updater else (part,):
        values = one.take("refresh_token_error_values")
        if isinstance(values, list) and (codes := [str(code) for code in values if code != "invalid_grant"]):
            auth["reauth_errors"] = codes
        one.drop("not_needed", "`error` is where RFC 6749 has it", "refresh_token_error_key")
        one.drop("not_needed", "the code decides, whatever the status", "refresh_token_error_status_codes")
    if updater is not None:
        updater.drop(
            "not_needed", "renewed tokens are stored by themselves",
            "refresh_token_name", "refresh_token_config_path", "access_token_config_path",
            "token_expiry_date_config_path", "token_expiry_date_format", "token_expiry_is_time_of_expiration",
        )  # fmt: skip


def granted_by(consent: Part | None, signed: Signed) -> Signed:
    """Return how requests are signed, with where access is granted, as far as ``advanced_auth`` says it."""
    if consent is None:
        return signed
    outer = consent.part("oauth_config_specification")
    inner = outer.part("oauth_connector_input_specification") if outer else None
    found: dict[str, Any] = {}
    if inner is not None and signed.auth["auth_mode"] == OAuth2.mode:
        urls = {
            "authorization_url": inner.text("consent_url").partition("?")[0],
            "token_url": inner.text("access_token_url"),
        }
        found = {key: url for key, url in urls.items() if re.fullmatch(r"https://[^\s{}$?#@]+", url)}
        scopes = inner.take("scopes")
        if isinstance(scopes, list):
            named = [one.get("scope") if isinstance(one, dict) else one for one in scopes]
            found["default_scopes"] = [scope for scope in named if isinstance(scope, str)]
    if found:
        consent.note(
            "", "changed", "where access is granted came along; the rest of the consent follows the standard"
        )
        consent.clear()
    else:
        consent.forget("lost", "who grants access, and where, is not said in words that are known here")
    return replace(signed, auth={**signed.auth, **{key: value for key, value in found.items() if value}})


def _session(part: Part, fields: Fields) -> Signed:
    login = part.part("login_requester")
    placed = part.part("request_authentication")
    if login is None or placed is None:
        raise Untranslatable("its login is not described")
    url = filled(login.text("url") or login.text("url_base"), login.parameters, fields.name)
    path = filled(login.text("path"), login.parameters, fields.name)
    auth: dict[str, Any] = {
        "auth_mode": TwoStep.mode,
        "token_url": f"{url.rstrip('/')}/{path.lstrip('/')}" if path else url,
    }
    method = login.text("http_method") or "GET"
    auth |= {"token_request_method": method} if method == "GET" else {}
    for key, form in (("request_body_json", "json"), ("request_body_data", "form"), ("request_parameters", "query")):
        if (body := login.part(key)) is not None and body.keys:
            auth |= {"token_params": turned(body, fields.name), **({"body_format": form} if method != "GET" else {})}
    if (headers := login.part("request_headers")) is not None:
        auth["token_headers"] = turned(headers, fields.name)
    if (inner := login.part("authenticator")) is not None and inner.kind != "NoAuth":
        inner.forget("lost", "a login signs itself by what it sends, and by nothing else")
    login.drop("lost", "a login is tried again as every request is", "error_handler")
    token = part.take("session_token_path")
    auth["token_response"] = {"token": ".".join(map(str, token if isinstance(token, list) else [token]))}
    if lifetime := part.text("expiration_duration"):
        auth["default_token_lifetime"] = seconds(lifetime)
    return _session_token(placed, auth, fields)


def _session_token(placed: Part, auth: dict[str, Any], fields: Fields) -> Signed:
    if placed.kind == "Bearer":
        return Signed(auth=auth)
    option = placed.part("inject_into")
    name = option.text("field_name") if option else ""
    where = option.text("inject_into") if option else ""
    text = placed.text("api_token") or "{{ session_token }}"

    def named(found: LookUp) -> str:
        return "${access_token}" if found.root == "session_token" else fields.name(found)

    value = filled(text, placed.parameters, named)
    if where == "header" and name:
        return Signed(auth={**auth, "placement": "none"}, headers={name: value})
    if where == "request_parameter" and name:
        return Signed(auth={**auth, "placement": "none"}, params={name: value})
    raise Untranslatable("the session's token goes where requests are the actions' own")


def seconds(duration: str) -> int:
    """Return the seconds of an ISO 8601 duration.

    Raises:
        Untranslatable: It is none.
    """
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        raise Untranslatable(f"{duration!r} is no duration")
    days, hours, minutes, rest = (int(group or 0) for group in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


_KINDS: Final[Mapping[str, Callable[[Part, Fields], Signed]]] = {
    "BearerAuthenticator": _bearer,
    "ApiKeyAuthenticator": _api_key,
    "BasicHttpAuthenticator": _basic,
    "OAuthAuthenticator": _oauth,
    "SessionTokenAuthenticator": _session,
}
