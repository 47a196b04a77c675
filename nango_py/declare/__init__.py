"""The read wing: from files to resolved integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_py.declare.loader import Declared, load

__all__ = ["Declared", "load"]


def __getattr__(name: str) -> Any:
    """Import the loader when it is first asked for: who lists blueprints needs the catalogue alone."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nango_py.declare import loader  # noqa: PLC0415

    return getattr(loader, name)
