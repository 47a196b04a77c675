"""What Nango's code knows beside its catalogue, and keys that requests do not need: data, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.authoring.report import Outcome

__all__ = [
    "CERTIFICATE",
    "CODE",
    "CODED",
    "DOCS",
    "HOST",
    "KEYS",
    "MODES",
    "NO_MODE",
    "PROXY_KEYS",
    "UNDECLARED",
    "UNKNOWN",
    "UNREAD_IN",
    "Mode",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """Say which of our modes stands for one of theirs, and with what: their code does what no key says."""

    name: str
    auth: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    """What a credential is called here, by the name that it has there."""
    own_headers: frozenset[str] = frozenset()
    """Headers that an entry has to declare there, and that our scheme sets itself."""
    always_places: bool = True
    """Whether their code sends an Authorization header beside those that the entry declares."""
    places_unless_named: bool = False
    """Whether it does so unless they name the token."""
    signs_itself: bool = False
    """Whether our scheme has a way of its own."""


_SECRET = MappingProxyType({"secret": True})

MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "API_KEY": Mode(name="API_KEY", renamed={"apiKey": "api_key"}, always_places=False),
        "AWS_SIGV4": Mode(
            name="AWS_SIGV4",
            auth={
                "service": "${connection_config.service}",
                "region": "${connection_config.region}",
                "role_arn": "${credentials.role_arn}",
            },
        ),
        "BILL": Mode(
            name="TWO_STEP",
            auth={
                "token_params": {
                    "username": "${credentials.username}",
                    "password": "${credentials.password}",
                    "organizationId": "${credentials.organization_id}",
                    "devKey": "${credentials.dev_key}",
                },
                "token_response": {"token": "sessionId"},
                "default_token_lifetime": 2100,
                "placement": "none",
            },
            headers={"sessionId": "${access_token}", "devKey": "${credentials.dev_key}"},
            credentials={
                "username": {"title": "User name"},
                "password": {"title": "Password", **_SECRET},
                "organization_id": {"title": "Organization ID"},
                "dev_key": {"title": "Developer key", **_SECRET},
            },
            always_places=False,
        ),
        "MCP_OAUTH2_GENERIC": Mode(name="MCP_OAUTH2", auth={"server_url": "${connection_config.mcp_server_url}"}),
        "NONE": Mode(name="NONE", always_places=False),
        "SIGNATURE": Mode(name="SIGNATURE", own_headers=frozenset({"x-wsse"}), signs_itself=True),
        "TBA": Mode(name="TBA", auth={"account_id": "${connection_config.accountId}"}),
        "TWO_STEP": Mode(name="TWO_STEP", always_places=False, places_unless_named=True),
    }
)
"""The modes that need more than their name."""

NO_MODE: Mapping[str, str] = MappingProxyType(
    {
        "APP_STORE": "APP_STORE is left over in Nango; JWT says the same",
        "CUSTOM": "CUSTOM is code that Nango has for this provider: two auth modes in one connection",
        "TABLEAU": "TABLEAU is left over in Nango; TWO_STEP says the same",
    }
)

UNREAD_IN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "SIGNATURE": frozenset({"token"}),
        "TWO_STEP": frozenset({"default_scopes", "scope_separator", "token_request_auth_method"}),
    }
)
"""Keys that our mode knows, and that Nango's code does not read in its mode of that name."""

CODED = frozenset(
    """
    braintree braintree-sandbox bullhorn coros coros-sandbox facebook fanvue figma heygen instagram jobber
    microsoft-admin one-drive revolut-business sentry-oauth slack stripe-app stripe-app-sandbox threads
    tiktok-accounts tiktok-ads tiktok-personal
    """.split()  # noqa: SIM905 - words
)
"""Providers whose tokens Nango gets by code of its own: what their entries say is not all that is sent."""
CODE = "code of Nango's obtains this provider's tokens; what the entry declares is all that is sent here"

_SCRIPT = "a script: TypeScript that runs in Nango's server"
_WEBHOOKS = "nango_py receives no webhooks"
HOST = "it chooses a host that gets credentials: a format says what it may be"
UNDECLARED = "named in placeholders, declared nowhere: declared here"
UNKNOWN = "no rule of the importer knows this key"
CERTIFICATE = "a file that network.client_certificate names in integrations.yaml"
DOCS = "a page for people, behind no request"
_DEAD = "no code of Nango reads it"

KEYS: Mapping[str, tuple[Outcome, str]] = MappingProxyType(
    {
        "auth": ("not_needed", _DEAD),
        "authorization_code_param_in_webhook": ("lost", _WEBHOOKS),
        "connection_configuration": ("not_needed", _DEAD),
        "credentials_verification_script": ("lost", _SCRIPT),
        "decode_url": ("not_needed", _DEAD),
        "installation": ("not_needed", "where an app is installed, which no request depends on"),
        "logo": ("not_needed", DOCS),
        "post_connection_script": ("lost", _SCRIPT),
        "pre_connection_deletion_script": ("lost", _SCRIPT),
        "refresh_token_response_metadata": ("not_needed", _DEAD),
        "require_client_certificate": ("lost", CERTIFICATE),
        "setup_guide_url": ("not_needed", DOCS),
        "user_defined_connection_config": ("not_needed", _DEAD),
        "webhook_allowed_query_params": ("lost", _WEBHOOKS),
        "webhook_response_metadata": ("lost", _WEBHOOKS),
        "webhook_routing_script": ("lost", _SCRIPT),
        "webhook_user_defined_secret": ("lost", _WEBHOOKS),
    }
)

PROXY_KEYS: Mapping[str, tuple[Outcome, str]] = MappingProxyType(
    {
        "body": ("lost", "values put into every body; actions write their bodies themselves"),
        "connection_config": ("not_needed", "a list of what base_url and headers name anyway"),
        "decompress": ("not_needed", "answers are always decompressed"),
        "forward_headers_on_redirect": ("lost", "credentials do not follow a redirect to another host"),
    }
)
