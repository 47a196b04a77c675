"""The read wing: from files to resolved integrations."""

from __future__ import annotations

from nango_py.declare.loader import Declared, load

__all__ = ["Declared", "load"]
