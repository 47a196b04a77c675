"""A child that is forked while another thread looks a connection up can look connections up, too."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.connections.faulty import granted, opened

if TYPE_CHECKING:
    from collections.abc import Iterable


def hold(locks: Iterable[Any], held: threading.Event, over: threading.Event) -> None:
    with ExitStack() as stack:
        for lock in locks:
            stack.enter_context(lock)
        held.set()
        over.wait(10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_waits_for_no_lock_of_its_parent() -> None:
    with opened(granted(1)) as account:
        account.get()
        core = account.nango._nango._core  # type: ignore[attr-defined]
        locks = (core._lock, core.accounts._lock, core.accounts.manager._lock)
        held, over = threading.Event(), threading.Event()
        holder = threading.Thread(target=hold, args=(locks, held, over))
        holder.start()
        assert held.wait(10)
        child = os.fork()
        if not child:
            signal.alarm(10)
            os._exit(0 if account.get().is_success else 1)
        over.set()
        holder.join()
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
