"""How a simulated provider checks credentials: written from the declared keys, and apart from what places them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from base64 import b64encode
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nango_py.auth.api_key import ApiKey
from nango_py.auth.basic import Basic
from nango_py.auth.none import NoAuth
from nango_py.auth.oauth1 import OAuth1
from nango_py.auth.token_scheme import TokenScheme
from nango_py.errors import UsageError
from nango_py.template import names_in, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nango_py.auth.scheme import AuthScheme
    from nango_py.model import Integration
    from nango_py.testing.messages import Asked
    from nango_py.testing.tokens import Token, TokenDesk

__all__ = ["Door", "door_of", "placeholders_in"]

_PLACEHOLDER = re.compile(r"\$\{\s*(?:credentials\.)?([a-z_]+)\s*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where credentials stand, and the declared text that stands there."""

    where: str
    name: str
    text: str

    def found(self, asked: Asked) -> str | None:
        return asked.query.get(self.name) if self.where == "query" else asked.headers.get(self.name.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(ABC):
    """Let requests in, or say why not; *values* are what the account's placeholders stand for."""

    values: Mapping[str, Any] = field(repr=False)
    desk: TokenDesk
    spots: tuple[_Spot, ...] = ()

    @abstractmethod
    def refusal(self, asked: Asked, now: float) -> str | None:
        """Return why the request may not come in, or None."""

    def token(self, asked: Asked, now: float) -> Token | None:
        """Return the access token that the request bears, where it bears one."""
        del asked, now
        return None

    def token_text(self, asked: Asked) -> str | None:
        """Return the text of the access token that the request bears."""
        del asked
        return None


class _Fixed(Door):
    """Every declared spot holds exactly what is declared."""

    def refusal(self, asked: Asked, now: float) -> str | None:
        """Return which spot holds something else."""
        del now
        for spot in self.spots:
            if spot.found(asked) != split(spot.text).render(self.values):
                return f"the credentials in the {spot.where} {spot.name} are wrong or missing"
        return None


class _Bearer(Door):
    """Every declared spot holds an access token that is good now."""

    def refusal(self, asked: Asked, now: float) -> str | None:
        """Return what is wrong with the token."""
        text = self.token_text(asked)
        if text is None:
            return "there is no access token where it belongs"
        return None if self.desk.find(text, now) else "the access token has ended, or was never given out"

    def token(self, asked: Asked, now: float) -> Token | None:
        """Return the access token that the request bears."""
        return self.desk.find(self.token_text(asked) or "", now)

    def token_text(self, asked: Asked) -> str | None:
        """Return the one text that stands where every spot has the token."""
        texts = {self._text_at(spot, asked) for spot in self.spots}
        return texts.pop() if len(texts) == 1 else None

    def _text_at(self, spot: _Spot, asked: Asked) -> str | None:
        before, _, after = re.sub(_PLACEHOLDER, "\0", spot.text, count=1).partition("\0")
        found = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", spot.found(asked) or "")
        return None if found is None else found[1]


class _Session(_Bearer):
    """Every declared spot holds what the last answer to a login says, beside its token or in place of it."""

    def token_text(self, asked: Asked) -> str | None:
        """Return the token of the answer that the spots speak of."""
        sessions: Mapping[str, Any] = getattr(self.desk, "sessions", {})
        for text, answer in sessions.items():
            values = {**self.values, "access_token": text, "raw": answer}
            if all(spot.found(asked) == split(spot.text).render(values) for spot in self.spots):
                return text
        return None


class _Signed(Door):
    """The request is signed with the client's and the token's secrets (RFC 5849); oauthlib reads the signature."""

    def refusal(self, asked: Asked, now: float) -> str | None:
        """Return what is wrong with the signature."""
        from oauthlib.oauth1.rfc5849 import signature  # noqa: PLC0415 - an optional dependency

        del now
        headers = {name.title(): value for name, value in asked.headers.items()}
        given = dict(signature.collect_parameters(headers=headers, exclude_oauth_signature=False))
        if given.get("oauth_token") != self.values["oauth_token"]:
            return "there is no signature of the account's token"
        signed = SimpleNamespace(
            uri=asked.url,
            http_method=asked.method,
            params=signature.collect_parameters(
                uri_query=urlsplit(asked.url).query, body=asked.form or [], headers=headers
            ),
            signature=given.get("oauth_signature"),
        )
        method = given.get("oauth_signature_method", "")
        verify = getattr(signature, f"verify_{method.lower().replace('-', '_')}", None)
        secrets = (self.values["oauth_client_secret"], self.values["oauth_token_secret"])
        return None if verify is not None and verify(signed, *secrets) else "the signature is wrong"


def _basic_spots(auth: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[_Spot, ...]:
    del auth
    pair = b64encode(f"{values.get('username', '')}:{values.get('password', '')}".encode()).decode()
    return (_Spot(where="header", name="Authorization", text=f"Basic {pair}"),)


def _key_spots(auth: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[_Spot, ...]:
    del values
    where, name = auth.get("placement", "header"), auth.get("name", "Authorization")
    bare = "Bearer ${api_key}" if (where, name.lower()) == ("header", "authorization") else "${api_key}"
    return (_Spot(where=where, name=name, text=auth.get("value", bare)),)


def _token_spots(auth: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[_Spot, ...]:
    del values
    return (_Spot(where="header", name="Authorization", text=auth.get("value", "Bearer ${access_token}")),)


def _signature_spots(auth: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[_Spot, ...]:
    del auth, values
    return (_Spot(where="header", name="Authorization", text="OAuth"),)


def _no_spots(auth: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[_Spot, ...]:
    del auth, values
    return ()


_DOORS: Mapping[type[AuthScheme], tuple[type[Door], Any]] = MappingProxyType(
    {
        NoAuth: (_Fixed, _no_spots),
        Basic: (_Fixed, _basic_spots),
        ApiKey: (_Fixed, _key_spots),
        TokenScheme: (_Bearer, _token_spots),
        OAuth1: (_Signed, _signature_spots),
    }
)
"""How each kind of scheme is checked; a scheme without an entry has that of the nearest class above it."""


def door_of(integration: Integration, values: Mapping[str, Any], desk: TokenDesk) -> Door:
    """Return what checks the credentials of an integration's requests.

    Raises:
        UsageError: They are signed in a way that nothing here can check.
    """
    for kind in type(integration.auth).__mro__:
        if kind in _DOORS:
            door, spots = _DOORS[kind]
            declared = integration.declared
            own = tuple(_in_requests(declared.get("requests", {}), _names_of(integration)))
            usual = () if declared["auth"].get("placement") == "none" else spots(declared["auth"], values)
            # Where the blueprint places the credentials itself, the scheme does not, unless it is told to.
            if own and "placement" not in declared["auth"]:
                usual = ()
            if door is _Bearer and any(_names_raw(spot.text) for spot in own):
                door = _Session
            made: Door = door(values=values, desk=desk, spots=(*usual, *own))
            return made
    raise UsageError(
        f"simulate() cannot check what auth_mode {type(integration.auth).mode} signs. "
        "Test against the provider's sandbox, or record it once: nango_py.testing.record."
    )


def placeholders_in(trees: Iterable[Mapping[str, Any] | None]) -> set[str]:
    """Return the names of credentials that stand in declared headers and parameters."""
    texts = [text for tree in trees for text in (tree or {}).values() if isinstance(text, str)]
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def _names_of(integration: Integration) -> set[str]:
    return {item.name for item in integration.credentials} | integration.auth.supplies


def _in_requests(requests: Mapping[str, Any], names: set[str]) -> list[_Spot]:
    return [
        _Spot(where=where, name=name, text=text)
        for where, key in (("header", "headers"), ("query", "params"))
        for name, text in requests.get(key, {}).items()
        if isinstance(text, str) and (set(_PLACEHOLDER.findall(text)) & names or _names_raw(text))
    ]


def _names_raw(text: str) -> bool:
    return any(name[0] == "raw" for name in names_in(split(text)))
