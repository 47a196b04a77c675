"""What users import in their own tests."""

from __future__ import annotations

from nango_py.testing.clock import ManualClock
from nango_py.testing.simulator import Seen, Simulator, simulate

__all__ = ["ManualClock", "Seen", "Simulator", "simulate"]
