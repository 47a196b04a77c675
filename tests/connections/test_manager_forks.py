"""A child that is forked while another thread looks a connection up can look connections up, too."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.connections.faulty import LIFETIME, granted, opened

if TYPE_CHECKING:
    from collections.abc import Iterable


def hold(locks: Iterable[Any], held: threading.Event, over: threading.Event) -> None:
    with ExitStack() as stack:
        for lock in locks:
            stack.enter_context(lock)
        held.set()
        over.wait(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_waits_for_no_lock_of_its_parent() -> None:
    with opened(granted(1)) as account:
        account.nango.call("register_connection", "it", "bob", {"access_token": "bob's", "expires_in": LIFETIME})
        nango = account.nango._nango  # type: ignore[attr-defined]
        core = nango._core
        accounts = core.accounts
        locks = (nango._lock, core._sessions._lock, core.registry._lock, accounts._lock, accounts.manager._lock)
        held, over = threading.Event(), threading.Event()
        holder = threading.Thread(target=hold, args=(locks, held, over))
        holder.start()
        assert held.wait(60)
        child = os.fork()
        if not child:
            signal.alarm(60)
            os._exit(0 if account.nango.send("it", "bob", "GET", "/x").is_success else 1)
        over.set()
        holder.join()
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
