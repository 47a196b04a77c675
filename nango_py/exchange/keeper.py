"""A thread that tells the store what no request is there to tell, and renews what this process holds."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from nango_py.errors import StoreError
from nango_py.policy.stored_tally import HELD

if TYPE_CHECKING:
    from nango_py.exchange.stored_gate import StoredGate

__all__ = ["Keeper"]

LINGER = 0.02
"""Seconds for which news waits for a request that may tell it along with its own question."""
RENEWED = HELD / 3


class Keeper:
    """Sync gates in the background, in real time; the thread ends when no gate has anything to keep."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew in a forked child, which has no thread."""
        self._wanted = threading.Condition(threading.RLock())
        self._gates: dict[StoredGate, None] = {}
        self._is_urgent = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def watch(self, gate: StoredGate) -> None:
        """Keep a gate that holds something, or has something to tell."""
        with self._wanted:
            self._gates[gate] = None
            if self._is_closed:
                return
            if gate.has_news:
                self._is_urgent = self._is_urgent or gate.is_awaited
                self._wanted.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nango_py-limits", daemon=True)
                with suppress(RuntimeError):  # no thread can be started any more: what is held ends by itself
                    self._thread.start()

    def close(self) -> None:
        """Tell what there is to tell, and let the thread go."""
        with self._wanted:
            self._is_closed = True
            self._wanted.notify()
            thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join()
        self._sync(list(self._gates))

    def _run(self) -> None:
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: self._is_closed or any(gate.has_news for gate in self._gates), RENEWED)
                self._wanted.wait_for(lambda: self._is_urgent or self._is_closed, LINGER)
                if self._is_closed:
                    return
                self._is_urgent = False
                gates = list(self._gates)
            self._sync(gates)
            with self._wanted:
                self._gates = {gate: None for gate in self._gates if not gate.is_idle}
                if not self._gates:
                    self._thread = None
                    return

    def _sync(self, gates: list[StoredGate]) -> None:
        for gate in gates:
            if gate.is_due(RENEWED):
                with suppress(StoreError):  # whoever asks next is told so
                    gate.sync(anyway=True)
