"""The one interface of every auth mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nango_py.field import Field, read_fields
from nango_py.http import with_query
from nango_py.secret import Secret
from nango_py.template import Template, split, tree

if TYPE_CHECKING:
    from nango_py.http import Request

__all__ = ["AuthScheme", "Place", "Placement"]

Placement = Literal["header", "query", "none"]
Refuse = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Say where a scheme puts its credentials: in the header or the query parameter *name*."""

    where: Literal["header", "query"]
    name: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthScheme:
    """Say what a connection must hold and put it on a request.

    A mode is a subclass: its class attributes tell what it is, its fields are the keys of its JSON Schema under
    ``schemas/auth/``.
    """

    mode: ClassVar[str]
    """The word of ``auth_mode``."""
    fields: ClassVar[tuple[Field, ...]] = ()
    """What a connection must hold; a blueprint's ``credentials`` refines and adds."""
    supplies: ClassVar[frozenset[str]] = frozenset()
    """Placeholder names beside the fields' own."""
    templates: ClassVar[frozenset[str]] = frozenset()
    """Keys whose values may hold placeholders."""
    needs_body: ClassVar[bool] = False
    """Whether :meth:`sign` wants the request's body."""
    extra: ClassVar[str | None] = None
    """The optional dependency that the mode needs, by import name, and the extra that brings it: ``module:extra``."""

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return the scheme that checked *keys* declare."""
        return cls(
            **{
                key: _parsed(value) if key in cls.templates else tree(value)
                for key, value in keys.items()
                if key != "auth_mode" and not key.startswith("x-")
            }
        )

    def accept(
        self, given: Mapping[str, Any], fields: tuple[Field, ...], refuse: Refuse, *, now: float
    ) -> dict[str, Any]:
        """Return the credentials to keep, of those *given*; every misfit goes to *refuse*."""
        del now
        return dict(read_fields(fields, given, refuse))

    def values(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what placeholders see of the credentials."""
        return credentials

    def expires_at(self, credentials: Mapping[str, Any]) -> float | None:
        """Return when the credentials stop working, in seconds since the epoch, where that is known."""
        del credentials
        return None

    def place(self) -> Place | None:
        """Return where the scheme puts its credentials by itself, or None where it only signs or does nothing."""
        return None

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with the credentials put on; it is the engine's own copy and may be changed."""
        del now, nonce, body
        place = self.place()
        if place is None:
            return request
        text = place.value.render(values)
        if place.where == "query":
            request.url = with_query(request.url, ((place.name, text),))
        else:
            request.headers[place.name] = text
        return request

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        place = self.place()
        return place is not None and place.where == "header" and place.name.lower() == name.lower()


def _parsed(value: Any) -> Any:
    return split(value) if isinstance(value, str) else tree(value)


def revealed(credentials: Mapping[str, Any], name: str) -> str:
    """Return one credential as text, an absent one as an empty text."""
    value = credentials.get(name)
    return value.reveal() if isinstance(value, Secret) else "" if value is None else str(value)
