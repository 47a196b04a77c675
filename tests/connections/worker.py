"""A process of its own for test_processes.py: ``python worker.py TASK URL [ARGUMENTS]``."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

from nango_py.connections import rotation
from nango_py.connections.keyring import KeyRing
from nango_py.connections.opening import open_store
from nango_py.connections.store import Row
from nango_py.connections.vault import Vault

OLD, NEW = b"o" * 32, b"n" * 32


def increment(store, times):
    for _ in range(int(times)):
        while not add_one(store):
            pass


def add_one(store):
    row = store.get("close", "counter")
    return store.compare_and_swap(replace(row, metadata=str(int(row.metadata) + 1)), expected_version=row.version)


def put_for_ever(store, first):
    """Put one row after the other, and say which are stored."""
    number = int(first)
    while True:
        store.put(
            Row(
                id=f"{number:032x}",
                integration="close",
                user_id=f"user-{number}",
                sealed="s" * 700,
                created_at=1.0,
                updated_at=1.0,
            )
        )
        print(number, flush=True)  # noqa: T201 - what was said must be found after the kill
        number += 1


def rotate(store, lease_seconds):
    rotation.LEASE_SECONDS = float(lease_seconds)
    vault = Vault(store, KeyRing(lambda: (NEW, OLD)), SimpleNamespace(now=lambda: 1.0))
    vault.rotate(lambda counts: print(counts.rotated, flush=True))  # noqa: T201


if __name__ == "__main__":
    task, url, *arguments = sys.argv[1:]
    opened = open_store(url, {})
    {"increment": increment, "put_for_ever": put_for_ever, "rotate": rotate}[task](opened, *arguments)
    opened.close()
