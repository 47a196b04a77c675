"""The whole suite over the other pool: ``NANGO_PY_TEST_POOL=fast``."""

from __future__ import annotations

import os

from nango_py.exchange.pool import AsyncPool, Pool

if os.environ.get("NANGO_PY_TEST_POOL") == "fast":
    for pool in (Pool, AsyncPool):
        pool.__init__.__kwdefaults__["fast"] = True
