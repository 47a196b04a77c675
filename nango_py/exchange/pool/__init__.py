"""The bottom transport: connections shared by every client of every account."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_py.exchange.pool.asynchronous import AsyncPool
    from nango_py.exchange.pool.profile import (
        DEADLINE_EXTENSION,
        PROFILE_EXTENSION,
        ClientCertificate,
        Profile,
    )
    from nango_py.exchange.pool.proxies import proxy_for
    from nango_py.exchange.pool.single import OneShot
    from nango_py.exchange.pool.synchronous import Pool

__all__ = [
    "DEADLINE_EXTENSION",
    "PROFILE_EXTENSION",
    "AsyncPool",
    "ClientCertificate",
    "OneShot",
    "Pool",
    "Profile",
    "proxy_for",
]

_HOMES = {
    "AsyncPool": "asynchronous",
    "ClientCertificate": "profile",
    "DEADLINE_EXTENSION": "profile",
    "OneShot": "single",
    "PROFILE_EXTENSION": "profile",
    "Pool": "synchronous",
    "Profile": "profile",
    "proxy_for": "proxies",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: a program of threads never needs the event loop's half."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
