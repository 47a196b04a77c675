"""Pages that connect accounts, as a small ASGI app that any framework mounts."""

from __future__ import annotations

from nango_py.asgi.app import connect_app

__all__ = ["connect_app"]
