"""API_KEY: one static key, in a header or in the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nango_py.auth.scheme import AuthScheme, Place, Placement
from nango_py.field import Field
from nango_py.template import Template, split

__all__ = ["ApiKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(AuthScheme):
    """Send one key with every request.

    Without ``value`` the key is sent bare, and behind ``Bearer`` in the Authorization header.
    """

    mode: ClassVar[str] = "API_KEY"
    fields: ClassVar[tuple[Field, ...]] = (Field(name="api_key", title="API key", secret=True),)
    templates: ClassVar[frozenset[str]] = frozenset({"value"})

    placement: Placement = "header"
    name: str = "Authorization"
    value: Template | None = None

    def place(self) -> Place | None:
        """Return the declared header or parameter, unless the blueprint places the key itself."""
        if self.placement == "none":
            return None
        bearer = self.placement == "header" and self.name.lower() == "authorization"
        value = self.value or split("Bearer ${api_key}" if bearer else "${api_key}")
        return Place(where=self.placement, name=self.name, value=value)
