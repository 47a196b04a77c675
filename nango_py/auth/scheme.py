"""The one interface of every auth mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nango_py.address import endpoint_text
from nango_py.errors import UsageError
from nango_py.field import Field, read_fields
from nango_py.http import with_query
from nango_py.secret import Secret
from nango_py.template import Template, TemplateError, frozen, split, tree

if TYPE_CHECKING:
    from nango_py.auth.grant import Account, Begun, DeviceCode, Flow, Grant
    from nango_py.http import Request

__all__ = ["AuthScheme", "Place", "Placement", "endpoint_of", "revealed"]

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
    filled: ClassVar[frozenset[str]] = frozenset()
    """Keys in which placeholders may stand at any depth, beside those that end in ``_params`` or ``_headers``."""
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType({})
    """Keys whose values have a type of their own, each with what reads it."""
    needs_body: ClassVar[bool] = False
    """Whether :meth:`sign` wants the request's body."""
    extra: ClassVar[str | None] = None
    """The optional dependency that the mode needs, by import name, and the extra that brings it: ``module:extra``."""
    names_in_tokens: ClassVar[frozenset[str]] = frozenset()
    """Placeholder names that token requests may use beside those of every request."""
    is_kept: ClassVar[bool] = True
    """Whether what is obtained is stored; a token that is made on this machine is only remembered."""
    connects: ClassVar[bool] = False
    """Whether an account is connected by visiting the provider: :meth:`begin` and :meth:`finish`."""
    wants_client: ClassVar[bool] = False
    """Whether that takes a client which was registered with the provider: ``oauth_client_id``."""

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return the scheme that checked *keys* declare."""
        return cls(
            **{
                key: cls._read(key, value)
                for key, value in keys.items()
                if key != "auth_mode" and not key.startswith("x-")
            }
        )

    @classmethod
    def holds_placeholders(cls, key: str) -> bool:
        """Tell whether placeholders may stand in the value of *key*."""
        return key in cls.templates or key in cls.filled or key.endswith(("_params", "_headers"))

    def names_in(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the placeholder names that only the value at *path* below ``auth`` may use; ``...`` has members."""
        is_token_request = path[0].startswith(("token_", "refresh_"))
        return dict.fromkeys(self.names_in_tokens if is_token_request else ())

    @classmethod
    def _read(cls, key: str, value: Any) -> Any:
        if key in cls.nested:
            return cls.nested[key](value)
        if key in cls.templates:
            return _parsed(value)
        return tree(value) if cls.holds_placeholders(key) else frozen(value)

    def accept(
        self, given: Mapping[str, Any], fields: tuple[Field, ...], refuse: Refuse, *, now: float
    ) -> dict[str, Any]:
        """Return the credentials to keep, of those *given*; every misfit goes to *refuse*."""
        del now
        return dict(read_fields(fields, given, refuse))

    def is_complete(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether a request can be signed with the credentials, expired or not."""
        del credentials
        return True

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether :meth:`renew` can get new credentials out of these without the user's help."""
        del credentials
        return False

    def renew(self, account: Account) -> Grant:
        """Get new credentials out of the account's own, by yielded requests."""
        del account
        raise self._unable("be renewed")

    def leeway(self, credentials: Mapping[str, Any]) -> float:
        """Return how many seconds before their expiry the credentials count as expired."""
        del credentials
        return 0.0

    def is_refused(self, body: Any) -> bool:
        """Tell whether the body of an answer bears the provider's own sign of a dead token."""
        del body
        return False

    def extras(self) -> frozenset[str]:
        """Return the optional dependencies that what is declared needs, as :attr:`extra` names them."""
        return frozenset() if self.extra is None else frozenset({self.extra})

    @property
    def reads_refusals(self) -> bool:
        """Whether :meth:`is_refused` has anything to look for."""
        return False

    @property
    def idle_lifetime(self) -> float | None:
        """Seconds after which credentials that are not renewed die, where that is declared."""
        return None

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield each declared path into an answer, with the pointer below ``auth`` where it stands."""
        yield from ()

    def urls(self) -> Iterator[Template]:
        """Yield the endpoints that the credentials meet."""
        yield from ()

    @property
    def picked(self) -> frozenset[str]:
        """The names of connection config that a token answer or a callback brings."""
        return frozenset()

    def begin(self, account: Account, *, redirect_uri: str, state: str) -> Flow[Begun]:
        """Return where the user grants access."""
        del account, redirect_uri, state
        raise self._unable("be connected in a browser")

    def finish(
        self, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any], *, redirect_uri: str
    ) -> Grant:
        """Turn what the browser brought back into credentials; *kept* is what :meth:`begin` kept."""
        del account, callback, kept, redirect_uri
        raise self._unable("be connected in a browser")

    @property
    def has_device_flow(self) -> bool:
        """Whether an account can be connected from another device (RFC 8628)."""
        return False

    def begin_device(self, account: Account) -> Flow[DeviceCode]:
        """Return the code that the user types on another device (RFC 8628 section 3.1)."""
        del account
        raise self._unable("be connected from another device")

    def finish_device(self, account: Account, kept: Mapping[str, Any]) -> Grant:
        """Ask once for the device's tokens; a Refused with ``authorization_pending`` says: ask again later."""
        del account, kept
        raise self._unable("be connected from another device")

    @property
    def revokes(self) -> bool:
        """Whether the provider can be told to forget the credentials."""
        return False

    def revoke(self, account: Account) -> Flow[None]:
        """Tell the provider to forget the credentials (RFC 7009)."""
        del account
        raise self._unable("be revoked")

    def _unable(self, what: str) -> UsageError:
        return UsageError(f"credentials of auth_mode {self.mode} cannot {what}.")

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
        return request if place is None else put(request, place, place.value.render(values))

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        place = self.place()
        return place is not None and place.where == "header" and place.name.lower() == name.lower()


def put(request: Request, place: Place, text: str) -> Request:
    """Return the request with credentials at their place; it may be changed.

    Raises:
        TemplateError: They are what no header can hold.
    """
    if place.where == "query":
        request.url = with_query(request.url, ((place.name, text),))
    elif not (text.isascii() and text.isprintable()):
        # Errors of httpx and h11 would bear the whole value; a key in PEM has line breaks.
        raise TemplateError(f"the credentials hold what the header {place.name!r} cannot: only printable ASCII.")
    else:
        request.headers[place.name] = text
    return request


def _parsed(value: Any) -> Any:
    return split(value) if isinstance(value, str) else tree(value)


def revealed(credentials: Mapping[str, Any], name: str) -> str:
    """Return one credential as text, an absent one as an empty text."""
    value = credentials.get(name)
    return value.reveal() if isinstance(value, Secret) else "" if value is None else str(value)


_KEYS = {
    "authorization": "authorization_url",
    "device authorization": "device_authorization_url",
    "request for temporary credentials": "request_url",
}


def endpoint_of(url: Template | str | None, values: Mapping[str, Any], purpose: str) -> str:
    """Return the URL for a request of a *purpose*.

    Raises:
        ValueError: It is not declared, or a placeholder in it has no value.
    """
    if url is None:
        key = _KEYS.get(purpose, "token_url")
        raise ValueError(f"auth.{key} is not declared, and the {purpose} needs it: add it to `auth`")
    return url if isinstance(url, str) else endpoint_text(url, values)
