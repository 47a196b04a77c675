"""BASIC: a user name and a password in the Authorization header (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.scheme import AuthScheme, Place, revealed
from nango_py.field import Field
from nango_py.secret import Secret
from nango_py.template import split

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Basic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic(AuthScheme):
    """Send ``Basic`` and the base64 text of ``username:password``; a password that is not given is empty."""

    mode: ClassVar[str] = "BASIC"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="username", title="User name"),
        Field(name="password", title="Password", secret=True, default=""),
    )
    supplies: ClassVar[frozenset[str]] = frozenset({"basic_auth_encoded"})

    placement: Literal["header", "none"] = "header"

    def values(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the credentials and their base64 text."""
        pair = f"{revealed(credentials, 'username')}:{revealed(credentials, 'password')}"
        return {**credentials, "basic_auth_encoded": Secret(b64encode(pair.encode()).decode())}

    def place(self) -> Place | None:
        """Return the Authorization header, unless the blueprint places the credentials itself."""
        if self.placement == "none":
            return None
        return Place(where="header", name="Authorization", value=split("Basic ${basic_auth_encoded}"))
