"""What users import in their own tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_py.testing.cassette import Cassette, CassetteError, record, replay
    from nango_py.testing.clock import ManualClock
    from nango_py.testing.faults import Faults
    from nango_py.testing.messages import Seen
    from nango_py.testing.simulator import Simulator, simulate
    from nango_py.testing.suite import Check, conformance, conformance_test

__all__ = [
    "Cassette",
    "CassetteError",
    "Check",
    "Faults",
    "ManualClock",
    "Seen",
    "Simulator",
    "conformance",
    "conformance_test",
    "record",
    "replay",
    "simulate",
]

_HOMES = {
    "Cassette": "cassette",
    "CassetteError": "cassette",
    "Check": "suite",
    "Faults": "faults",
    "ManualClock": "clock",
    "Seen": "messages",
    "Simulator": "simulator",
    "conformance": "suite",
    "conformance_test": "suite",
    "record": "cassette",
    "replay": "cassette",
    "simulate": "simulator",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: the pytest plugin is loaded in every test run (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nango_py.testing.{_HOMES[name]}"), name)
