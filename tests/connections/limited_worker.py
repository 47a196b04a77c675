"""A process of its own for test_shared_limits.py: ``python limited_worker.py URL STORE TASK``."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from nango_py import Nango
from nango_py.exchange import keeper
from nango_py.policy import stored_tally

# A third of the usual, so that the test need not wait for the whole of it.
stored_tally.HELD = 6.0
keeper.RENEWED = 2.0


def declared(base_url):
    return {
        "integrations": {
            "a": {
                "auth": {"auth_mode": "NONE"},
                "requests": {"base_url": base_url},
                "retry": {"max_attempts": 1, "max_wait": 300, "deadline": 600},
                "rate_limit": [{"limit": 50, "per": 1, "burst": 5, "scope": "integration", "concurrency": 2}],
                "rate_limit_shared": True,
            }
        }
    }


def main(base_url, store, task):
    with Nango.load(declared(base_url), store=store) as nango, nango.client("a", "user") as client:
        if task == "hang":
            client.get("hang")
        elif task == "pair":
            with ThreadPoolExecutor(2) as pool:
                print([answer.status_code for answer in pool.map(client.get, ["pair", "pair"])])  # noqa: T201
        else:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(client.get, [f"{task}/{number}" for number in range(40)]))
            print(sum(answer.status_code == 200 for answer in answers))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
