"""NONE: an API that asks for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nango_py.auth.scheme import AuthScheme

__all__ = ["NoAuth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAuth(AuthScheme):
    """Send requests as they are."""

    mode: ClassVar[str] = "NONE"
