"""The bottom transport: connections shared by every client of every account."""

from nango_py.exchange.pool.asynchronous import AsyncPool
from nango_py.exchange.pool.profile import PROFILE_EXTENSION, ClientCertificate, Profile
from nango_py.exchange.pool.proxies import proxy_for
from nango_py.exchange.pool.single import DEADLINE_EXTENSION, OneShot
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
