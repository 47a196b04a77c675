"""Declare an API integration in YAML; get a configured httpx client and runnable actions for every account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_py.accounts import KeptAlive
    from nango_py.actions.context import AsyncContext, Context
    from nango_py.actions.mark import action
    from nango_py.actions.verification import CheckResult
    from nango_py.async_engine import AsyncNango
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.store import Store
    from nango_py.engine import Nango
    from nango_py.errors import (
        AccessDenied,
        ActionError,
        AuthenticationError,
        CallbackError,
        ConfigError,
        CredentialsError,
        DeadlineError,
        DecryptionError,
        DuplicateConnection,
        ForeignOriginError,
        InputError,
        MissingScopes,
        NangoError,
        OutputError,
        PaginationError,
        RateLimitedError,
        ReauthRequired,
        RemoteError,
        ResponseError,
        StoreError,
        UnknownAction,
        UnknownConnection,
        UnknownIntegration,
        UnreachableError,
        UsageError,
    )
    from nango_py.events import OnEvent
    from nango_py.exchange.attempts import Attempt
    from nango_py.exchange.download import AsyncDownload, Download
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.pages import Page
    from nango_py.location import Location, Problem
    from nango_py.oauth.attempt import AuthorizationRequest, DeviceAuthorization
    from nango_py.oauth.face import AsyncOAuth, OAuth
    from nango_py.secret import Secret
    from nango_py.tools.toolbox import AsyncTools, Tools

__version__ = "0.1.0"

_ERRORS = (
    "AccessDenied", "ActionError", "AuthenticationError", "CallbackError", "ConfigError", "CredentialsError",
    "DeadlineError", "DecryptionError", "DuplicateConnection", "ForeignOriginError", "InputError", "MissingScopes",
    "NangoError", "OutputError", "PaginationError", "RateLimitedError", "ReauthRequired", "RemoteError",
    "ResponseError", "StoreError", "UnknownAction", "UnknownConnection", "UnknownIntegration", "UnreachableError",
    "UsageError",
)  # fmt: skip
_HOMES = {
    "AsyncContext": "actions.context",
    "AsyncDownload": "exchange.download",
    "AsyncNango": "async_engine",
    "AsyncOAuth": "oauth.face",
    "AsyncTools": "tools.toolbox",
    "Attempt": "exchange.attempts",
    "AuthorizationRequest": "oauth.attempt",
    "CheckResult": "actions.verification",
    "Clock": "clock",
    "Connection": "connections.connection",
    "ConnectionView": "connections.connection",
    "Context": "actions.context",
    "DeviceAuthorization": "oauth.attempt",
    "Download": "exchange.download",
    "KeptAlive": "accounts",
    "Limit": "exchange.limit_views",
    "Location": "location",
    "Nango": "engine",
    "OAuth": "oauth.face",
    "OnEvent": "events",
    "Page": "exchange.pages",
    "Problem": "location",
    "Secret": "secret",
    "Store": "connections.store",
    "Tools": "tools.toolbox",
    "action": "actions.mark",
    **dict.fromkeys(_ERRORS, "errors"),
}

__all__ = [
    "AccessDenied", "ActionError", "AsyncContext", "AsyncDownload", "AsyncNango", "AsyncOAuth", "AsyncTools",
    "Attempt", "AuthenticationError", "AuthorizationRequest", "CallbackError", "CheckResult", "Clock",
    "ConfigError", "Connection", "ConnectionView", "Context", "CredentialsError", "DeadlineError",
    "DecryptionError", "DeviceAuthorization", "Download", "DuplicateConnection", "ForeignOriginError",
    "InputError", "KeptAlive", "Limit", "Location", "MissingScopes", "Nango", "NangoError", "OAuth", "OnEvent",
    "OutputError", "Page", "PaginationError", "Problem", "RateLimitedError", "ReauthRequired", "RemoteError",
    "ResponseError", "Secret", "Store", "StoreError", "Tools", "UnknownAction", "UnknownConnection",
    "UnknownIntegration", "UnreachableError", "UsageError", "__version__", "action",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
