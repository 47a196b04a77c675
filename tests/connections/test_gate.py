"""The gate lets many through, or none."""

from __future__ import annotations

import threading

from nango_py.connections.gate import Gate


def test_a_shut_gate_waits_for_those_inside():
    gate = Gate()
    with gate.passing(), gate.passing():
        assert not gate.shut(0.01)
    assert gate.shut(0.01)


def test_a_shut_gate_admits_nobody_until_it_opens():
    gate, through = Gate(), threading.Event()
    gate.shut(0)

    def enter():
        with gate.passing():
            through.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not through.wait(0.05)
    gate.open()
    thread.join()
    assert through.is_set()
