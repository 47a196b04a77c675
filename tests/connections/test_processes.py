"""Several processes on one store: no lost updates, no harm from kill -9, and forks that do not meet."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nango_py.connections.keyring import KeyRing, key_id, sealed_with
from nango_py.connections.memory import MemoryStore
from nango_py.connections.opening import open_store
from nango_py.connections.store import Row
from nango_py.connections.vault import Vault
from nango_py.errors import StoreError

OLD, NEW = b"o" * 32, b"n" * 32
CHILD_SECONDS = 60
WORKER = str(Path(__file__).with_name("worker.py"))


@pytest.fixture
def opened(shared_url):
    store = open_store(shared_url, {})
    yield store
    store.close()


def row(user_id, number=0, metadata="{}"):
    return Row(
        id=f"{number:032x}",
        integration="close",
        user_id=user_id,
        sealed="sealed",
        metadata=metadata,
        created_at=1.0,
        updated_at=1.0,
    )


def run(task, url, *arguments):
    command = [sys.executable, "-W", "error", WORKER, task, url, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_after(child, lines, more_seconds=0.0):
    """Kill a child a random moment after it has said some lines; return all the whole lines it said."""
    said = [child.stdout.readline() for _ in range(lines)]
    threading.Event().wait(random.uniform(0, more_seconds))
    child.send_signal(signal.SIGKILL)
    said += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    return [line for line in said if line.endswith("\n")]


def test_processes_swap_without_losing_an_update(shared_url, opened):
    opened.put(row("counter", metadata="0"))
    children = [run("increment", shared_url, "12") for _ in range(8)]
    for child in children:
        child.communicate()

    assert [child.returncode for child in children] == [0] * 8
    assert opened.get("close", "counter").metadata == "96"


def test_a_kill_in_the_middle_of_puts_loses_no_reported_row(shared_url):
    expected, first = set(), 1
    for _ in range(6):
        said = killed_after(run("put_for_ever", shared_url, str(first)), 3, more_seconds=0.05)
        expected |= {f"user-{int(line)}" for line in said}
        store = open_store(shared_url, {})
        found = {one.user_id for one in store.iterate()}
        store.close()
        # The kill may fall between the commit and its report: one more row per round may be there.
        assert expected <= found
        first = max(int(user_id.removeprefix("user-")) for user_id in found) + 1
    assert len(expected) >= 18


def test_a_kill_in_the_middle_of_a_rotation_leaves_every_connection_readable(shared_url, opened):
    old, both = (
        Vault(opened, KeyRing(lambda keys=keys: keys), SimpleNamespace(now=lambda: 1.0))
        for keys in ((OLD,), (NEW, OLD))
    )
    made = {f"user-{number}": old.register("close", f"user-{number}", {"n": str(number)}) for number in range(150)}
    for _ in range(5):
        killed_after(_rotation(shared_url, lease_seconds=0.2), 2, more_seconds=0.02)
        assert all(
            both.get("close", user_id).credentials == connection.credentials for user_id, connection in made.items()
        )
    last = _rotation(shared_url, lease_seconds=60)
    last.communicate()

    assert last.returncode == 0
    assert {sealed_with(one.sealed) for one in opened.iterate()} == {key_id(NEW)}
    assert len(list(opened.iterate())) == 150


def _rotation(url, *, lease_seconds):
    """Start a rotation once the lease of the killed one has run out; those to be killed have a short one."""
    store = open_store(url, {})
    end = time.monotonic() + 20
    while store.acquire_lease("keys.rotate", "probe", 30) is None and time.monotonic() < end:
        threading.Event().wait(0.02)
    store.release_lease("keys.rotate", "probe")
    store.close()
    return run("rotate", url, str(lease_seconds))


def forked(task):
    """Run *task* in a forked child; return its exit status, 0 when the task returned true."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(CHILD_SECONDS)  # a child that got stuck must not outlive the test
    status = 2
    try:
        status = 0 if task() else 1
    finally:
        os._exit(status)


fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@fork
def test_a_forked_child_and_its_parent_use_one_store(opened):
    opened.put(row("parent", 1))

    def use():
        opened.put(row("child", 2))
        return opened.get("close", "parent") == row("parent", 1)

    assert [forked(use), opened.get("close", "child")] == [0, row("child", 2)]
    assert opened.delete("close", "parent")


@fork
def test_a_child_that_ends_or_closes_does_not_harm_its_parent(opened):
    opened.put(row("parent", 1))

    def leave():
        opened.close()
        return True

    assert [forked(leave), forked(lambda: True)] == [0, 0]
    assert opened.get("close", "parent") == row("parent", 1)


@fork
def test_an_interpreter_that_ends_in_the_child_does_not_harm_its_parent(shared_url):
    code = """
import os, sys
from nango_py.connections.opening import open_store
store = open_store(sys.argv[1], {})
store.version("close", "nobody")
child = os.fork()
if not child:
    sys.exit(0 if store.version("close", "nobody") is None else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
store.version("close", "nobody")
store.close()
sys.exit(status)
"""
    assert subprocess.run([sys.executable, "-c", code, shared_url], check=False, timeout=60).returncode == 0


@fork
def test_what_a_child_writes_survives_the_parents_closing(shared_url):
    """SQLite believes in a child that it holds the parent's locks; the parent's last close would delete its log."""
    store = open_store(shared_url, {})
    store.put(row("parent", 1))
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(CHILD_SECONDS)
        status = 2
        try:
            store.put(row("child", 2))
            os.write(ready[1], b".")
            os.read(go[0], 1)
            store.put(row("late child", 3))
            status = 0
        finally:
            os._exit(status)
    os.read(ready[0], 1)
    store.put(row("parent again", 4))
    store.close()
    os.write(go[1], b".")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for end in (*ready, *go):
        os.close(end)
    again = open_store(shared_url, {})
    found = {one.user_id for one in again.iterate()}
    again.close()

    assert (status, found) == (0, {"parent", "child", "parent again", "late child"})


@fork
def test_forks_while_threads_work_lose_nothing(opened):
    stop, done = threading.Event(), []

    def work(first):
        number = first
        while not stop.is_set():
            opened.put(row(f"user-{number}", number))
            done.append(number)
            number += 1

    threads = [threading.Thread(target=work, args=(first,)) for first in (1_000_000, 2_000_000, 3_000_000)]
    for thread in threads:
        thread.start()
    statuses = [
        forked(lambda number=number: opened.put(row(f"child-{number}", number)) or True) for number in range(10)
    ]
    stop.set()
    for thread in threads:
        thread.join()
    found = {int(one.id, 16) for one in opened.iterate()}

    assert statuses == [0] * 10
    assert found == {*done, *range(10)}


@fork
def test_a_forked_child_has_its_own_memory_store():
    store = MemoryStore()
    store.put(row("parent", 1))

    assert forked(lambda: store.delete("close", "parent")) == 0
    assert store.get("close", "parent") == row("parent", 1)


@fork
def test_a_closed_store_stays_closed_in_a_child(opened):
    opened.close()

    def refused():
        try:
            opened.get("close", "nobody")
        except StoreError:
            return True
        return False

    assert forked(refused) == 0
