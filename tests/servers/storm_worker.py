"""One process of the storm: ``python storm_worker.py SETTINGS``, a JSON text.

It prints ``ready`` when its requests begin, goes on until its standard input ends, and prints what they met.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections import Counter

from nango_py import AsyncNango, Nango, NangoError, ReauthRequired
from nango_py.connections import lease
from nango_py.exchange.conversation import RENEWAL_ERROR

PAUSE = 0.2
WORKERS = 16
OVER = threading.Event()


def verdict(answer):
    error = answer.extensions.get(RENEWAL_ERROR)
    if answer.is_success:
        return "ok"
    return type(error).__name__ if error is not None else f"status {answer.status_code}"


def said(error):
    return type(error).__name__ if isinstance(error, ReauthRequired) else f"{type(error).__name__}: {error}"


def with_threads(settings, seen, waits):
    with Nango.load(settings["declared"], store=settings["store"], environ=settings["environ"]) as nango:
        threads = [threading.Thread(target=in_thread, args=(nango, settings, seen, waits)) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def in_thread(nango, settings, seen, waits):
    while not OVER.is_set():
        began = time.monotonic()
        try:
            with nango.client("it", "ann") as client:
                seen.append(verdict(client.get("me")))
        except NangoError as error:
            seen.append(said(error))
        waits.append(time.monotonic() - began)
        time.sleep(PAUSE)


async def with_tasks(settings, seen, waits):
    async with AsyncNango.load(settings["declared"], store=settings["store"], environ=settings["environ"]) as nango:
        await asyncio.gather(*(in_task(nango, settings, seen, waits) for _ in range(WORKERS)))


async def in_task(nango, settings, seen, waits):
    number = 0
    while not OVER.is_set():
        number += 1
        began = time.monotonic()
        # A requester in five gives up at once: what it began must go on without it.
        patience = 0.01 if settings["cancels"] and number % 5 == 0 else None
        try:
            async with asyncio.timeout(patience), nango.client("it", "ann") as client:
                seen.append(verdict(await client.get("me")))
        except NangoError as error:
            seen.append(said(error))
        except TimeoutError:
            seen.append("cancelled")
        waits.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE)


def die_before_storing(settings):
    """Renew once, and be killed between the token's arrival and its storage."""
    with Nango.load(settings["declared"], store=settings["store"], environ=settings["environ"]) as nango:
        store = nango._core.accounts.manager.vault.store
        store.compare_and_swap = lambda *_args, **_named: os.kill(os.getpid(), signal.SIGKILL)
        nango.credentials("it", "ann")


def die_before_asking(settings):
    """Take the lease, and be killed before the token request."""
    with Nango.load(settings["declared"], store=settings["store"], environ=settings["environ"]) as nango:
        nango._core.accounts.manager.renewals.renew = lambda *_args, **_named: os.kill(os.getpid(), signal.SIGKILL)
        nango.credentials("it", "ann")


def wait_for_the_end():
    sys.stdin.read()
    OVER.set()


def main():
    settings = json.loads(sys.argv[1])
    lease.LEASE_SECONDS = settings.get("lease", lease.LEASE_SECONDS)
    if settings["kind"].startswith("die_"):
        globals()[settings["kind"]](settings)
    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print("ready", flush=True)  # noqa: T201
    seen, waits = [], []
    if settings["kind"] == "threads":
        with_threads(settings, seen, waits)
    else:
        asyncio.run(with_tasks(settings, seen, waits))
    waits.sort()
    median, longest = (waits[len(waits) // 2], waits[-1]) if waits else (0.0, 0.0)
    print(json.dumps({"seen": Counter(seen), "median": median, "longest": longest}))  # noqa: T201


if __name__ == "__main__":
    main()
