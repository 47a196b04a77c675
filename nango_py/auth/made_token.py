"""JSON Web Tokens that are made on this machine, as they are declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from nango_py.auth.json_web_token import signed_token
from nango_py.template import Template, Tree, render_tree, split, to_text, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MadeToken", "TokenSignature", "declared_assertion"]

Protocol = Literal["RSA", "EC", "HMAC"]
_USUAL = {"RSA": "RS256", "EC": "ES256", "HMAC": "HS256"}
_KINDS = {"RSA": ("RS", "PS"), "EC": ("ES",), "HMAC": ("HS",)}
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSignature:
    """Say how a token is signed; ``hmac_secret_encoding`` says how the text of an HMAC key is read."""

    protocol: Protocol = "RSA"
    hmac_secret_encoding: Literal["hex", "utf8"] = "hex"  # noqa: S105 - a name

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return what checked *keys* declare."""
        return cls(**_known(keys))

    def algorithm(self, stated: Any) -> str:
        """Return the algorithm: the *stated* one of the token's header, where it fits the key.

        Raises:
            ValueError: It does not fit: a public key must never be taken for an HMAC secret.
        """
        if stated is None:
            return _USUAL[self.protocol]
        if not str(stated).startswith(_KINDS[self.protocol]):
            raise ValueError(f"the header's 'alg' does not fit the signature protocol {self.protocol}")
        return str(stated)

    def key(self, text: str) -> str | bytes:
        """Return what signs, of the key's *text*.

        Raises:
            ValueError: It is no hexadecimal text, though it should be; the message quotes nothing of it.
        """
        if self.protocol != "HMAC":
            return text
        if self.hmac_secret_encoding == "utf8":  # noqa: S105
            return text.encode()
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise ValueError("the HMAC key is no hexadecimal text; see signature.hmac_secret_encoding") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """Say what a token holds; a claim or header whose placeholder has no value is left out."""

    signing_key: Template
    expires_in_ms: float = _HOUR
    header: Mapping[str, Tree] = field(default_factory=dict)
    payload: Mapping[str, Tree] = field(default_factory=dict)

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return what checked *keys* declare."""
        known = _known(keys)
        key = split(known.pop("signing_key"))
        return cls(signing_key=key, **{name: tree(value) for name, value in known.items()})

    def made(self, signature: TokenSignature, values: Mapping[str, Any], *, now: float) -> tuple[str, float]:
        """Return the signed token, and when it expires.

        Raises:
            ValueError: The key cannot sign it; the message quotes nothing of the key.
        """
        end = int(now + self.expires_in_ms / 1000)
        claims = {**_claims(self.payload, values), "iat": int(now), "exp": end}
        header = render_tree(self.header, values) or {}
        algorithm = signature.algorithm(header.pop("alg", None))
        key = signature.key(to_text(self.signing_key.render(values)))
        return signed_token(claims, key=key, algorithm=algorithm, headers=header), float(end)


def declared_assertion(keys: Mapping[str, Any]) -> tuple[MadeToken, TokenSignature]:
    """Return the token that the keys of a JWT assertion declare (RFC 7523), and how it is signed."""
    kind = str(keys.get("header", {}).get("alg", "RS256"))[:2]
    protocol: Protocol = "HMAC" if kind == "HS" else "EC" if kind == "ES" else "RSA"
    made = MadeToken(
        signing_key=split(keys["key"]),
        expires_in_ms=float(keys.get("lifetimeInSeconds", 3600)) * 1000,
        header=tree(keys.get("header", {})),
        payload=tree(keys.get("payload", {})),
    )
    return made, TokenSignature(protocol=protocol, hmac_secret_encoding="utf8")  # noqa: S106


def _claims(payload: Mapping[str, Tree], values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _claim(claim, values) for name, claim in payload.items()}
    return {name: claim for name, claim in found.items() if claim is not None}


def _claim(claim: Tree, values: Mapping[str, Any]) -> Any:
    """Return a claim; a text that fills an item of a list may name several, with commas between them."""
    if not isinstance(claim, tuple):
        return render_tree(claim, values)
    found: list[Any] = []
    for item in claim:
        value = render_tree(item, values)
        if isinstance(item, Template) and isinstance(value, str):
            found += [part.strip() for part in value.split(",") if part.strip()]
        elif value is not None:
            found.append(value)
    return found or None


def _known(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if not key.startswith("x-")}
