"""Typed faces of integrations: what the modules that ``nango-py types`` writes stand on."""

from nango_py.typed.face import OMITTED, AsyncFace, Face, File, Omitted

__all__ = ["OMITTED", "AsyncFace", "Face", "File", "Omitted"]
