"""SIGNATURE: a user name and a digest of the password, made anew for every request (WSSE UsernameToken)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nango_py.auth.scheme import AuthScheme, revealed
from nango_py.field import Field
from nango_py.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.http import Request

__all__ = ["Digest", "UsernameToken"]

_HEADER = "X-WSSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Say how the digest is made; Emarsys wants base64 of the hexadecimal text, other providers of the bytes."""

    protocol: Literal["WSSE"] = "WSSE"
    digest_encoding: Literal["hex", "binary"] = "hex"

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return what checked *keys* declare."""
        return cls(**{key: value for key, value in keys.items() if not key.startswith("x-")})

    def of(self, nonce: str, created: str, password: str) -> str:
        """Return the digest of one request."""
        digest = sha1(f"{nonce}{created}{password}".encode(), usedforsecurity=False)
        return b64encode(digest.hexdigest().encode() if self.digest_encoding == "hex" else digest.digest()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsernameToken(AuthScheme):
    """Send ``X-WSSE`` with a fresh nonce and the time of each request, and no other credentials."""

    mode: ClassVar[str] = "SIGNATURE"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="username", title="User name", pattern=r'^[^"\\]*$'),
        Field(name="password", title="Password", secret=True),
    )
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType({"signature": Digest.declare})

    signature: Digest = field(default_factory=Digest)
    placement: Literal["header", "none"] = "header"

    def sign(
        self, request: Request, values: Mapping[str, Any], *, now: float, nonce: str, body: bytes | None
    ) -> Request:
        """Return the request with its X-WSSE header, unless there is one already."""
        del body
        if self.placement == "none" or _HEADER in request.headers:
            return request
        created = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        digest = self.signature.of(nonce, created, revealed(values, "password"))
        parts = {
            "Username": revealed(values, "username"),
            "PasswordDigest": digest,
            "Nonce": nonce,
            "Created": created,
        }
        text = "UsernameToken " + ", ".join(f'{name}="{part}"' for name, part in parts.items())
        if not text.isascii():
            # httpx would raise an error that bears the whole value.
            raise TemplateError(f"the user name holds a character that the header {_HEADER!r} cannot: only ASCII.")
        request.headers[_HEADER] = text
        return request

    def uses_header(self, name: str) -> bool:
        """Tell whether the scheme would set the header *name* itself."""
        return self.placement == "header" and name.lower() == _HEADER.lower()
