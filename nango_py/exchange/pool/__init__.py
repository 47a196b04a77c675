"""The bottom transport: connections shared by every client of every account."""

from nango_py.exchange.pool.asynchronous import AsyncPool
from nango_py.exchange.pool.profile import PROFILE_EXTENSION, ClientCertificate, Profile
from nango_py.exchange.pool.proxies import proxy_for
from nango_py.exchange.pool.synchronous import Pool

__all__ = ["PROFILE_EXTENSION", "AsyncPool", "ClientCertificate", "Pool", "Profile", "proxy_for"]
