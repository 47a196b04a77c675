"""What holds for the whole suite, also over the other pool: ``NANGO_PY_TEST_POOL=fast``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from nango_py.exchange.pool import AsyncPool, Pool

# No limits by the clock, for a machine may stand still; the same draws each time, so that a failure belongs to the
# change that brings it. `--hypothesis-profile other-draws` looks further.
settings.register_profile("other-draws", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("other-draws"), derandomize=True, database=None)
settings.load_profile("steady")

if os.environ.get("NANGO_PY_TEST_POOL") == "fast":
    for pool in (Pool, AsyncPool):
        pool.__init__.__kwdefaults__["fast"] = True
