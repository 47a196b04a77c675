"""The provider's desk for tokens: it grants them, lets them end, and notices a refresh token that comes twice."""

from __future__ import annotations

import hashlib
import random
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from nango_py.testing.bodies import put
from nango_py.testing.messages import Answered, json_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.testing.messages import Asked

__all__ = ["Client", "Token", "TokenDesk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who may ask for tokens."""

    id: str
    secret: str = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Token:
    """An access token: the family of tokens that it came with, when it ends (None: never), what it may do."""

    family: int
    ends_at: float | None
    scopes: frozenset[str] | None


@dataclass(slots=True, kw_only=True)
class TokenDesk:
    """Keep to RFC 6749, in the form that the keys of ``auth`` declare.

    With ``rotates`` every renewal brings a new refresh token, and one that comes a second time ends all tokens of its
    family (RFC 9700 section 4.14.2). ``granted`` counts the renewals that succeeded, ``refused`` those that did not.
    """

    logs_in: ClassVar[bool] = False
    """Whether tokens are got by what the account itself holds."""

    keys: Mapping[str, Any]
    client: Client
    seed: int
    lifetime: float | None = 3600
    rotates: bool = True
    scopes: frozenset[str] | None = None
    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    """The clients of the accounts themselves, by id, where connections bring their own."""
    granted: int = 0
    refused: list[str] = field(default_factory=list)
    _access: dict[str, Token] = field(default_factory=dict, repr=False)
    _refresh: dict[str, int] = field(default_factory=dict, repr=False)
    _used: dict[str, int] = field(default_factory=dict, repr=False)
    _codes: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    _made: int = 0

    # What the provider's own people do

    def issue(self, now: float, *, scopes: frozenset[str] | None = None, family: int | None = None) -> dict[str, Any]:
        """Return a token answer, in the standard's names."""
        self._made += 1
        family = self._made if family is None else family
        access, refresh = self._text("access"), self._text("refresh")
        ends_at = None if self.lifetime is None else now + self.lifetime
        self._access[access] = Token(family=family, ends_at=ends_at, scopes=scopes or self.scopes)
        self._refresh[refresh] = family
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "refresh_token": refresh}
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        if scopes or self.scopes:
            answer["scope"] = str(self.keys.get("scope_separator", " ")).join(sorted(scopes or self.scopes or ()))
        return answer

    def expire(self, access_token: str | None = None) -> None:
        """Let an access token end now, or all of them."""
        for text in list(self._access) if access_token is None else [access_token]:
            self._access.pop(text, None)

    def revoke_grants(self) -> None:
        """Let every refresh token end, as when a user withdraws what was granted."""
        self._refresh.clear()

    def find(self, access_token: str, now: float) -> Token | None:
        """Return a token that is good now."""
        token = self._access.get(access_token)
        return None if token is None or (token.ends_at is not None and token.ends_at <= now) else token

    def approve(self, authorization_url: str) -> str:
        """Do what a user does who grants access: return the URL that the browser is sent back to."""
        query = dict(parse_qsl(urlsplit(authorization_url).query))
        if query.get("response_type") != "code" or query.get("client_id") != self.client.id:
            raise ValueError("the authorization URL asks for no code, or for another client")
        code = self._text("code")
        self._codes[code] = query
        state = {"state": query["state"]} if "state" in query else {}
        name = self.keys.get("authorization_code_param_in_callback", "code")
        return f"{query['redirect_uri']}?{urlencode({name: code, **state})}"

    @property
    def texts(self) -> tuple[str, ...]:
        """Every token that is good, or was."""
        return (*self._access, *self._refresh, *self._used)

    def addresses(self, bases: tuple[str, ...]) -> Iterator[str]:
        """Yield the addresses that ``token_url`` and ``refresh_url`` do not name."""
        del bases
        yield from ()

    def keys_at(self, url: str) -> dict[str, Any]:
        """Return the keys of ``auth`` that lead to the provider served at *url*, beside those URLs."""
        del url
        return {}

    # What comes in from outside

    def answer(self, asked: Asked, now: float) -> Answered:
        """Answer a request to the token endpoint."""
        fields = self._fields(asked)
        if fields is None:
            return self._refuse("invalid_request", f"the body is no {self._format}")
        client = self._authenticated(asked, fields)
        if client is None:
            return self._refuse("invalid_client", "the client's proof is wrong, twofold or missing", status=401)
        grant = fields.get("grant_type")
        if grant == "refresh_token":
            return self._renewed(fields, now)
        if grant == "client_credentials":
            return self._granted(self.issue(now), without=("refresh_token",))
        if grant == "authorization_code":
            return self._exchanged(fields, now)
        return self._refuse("unsupported_grant_type", f"{grant} is not known here")

    def revoke(self, asked: Asked) -> Answered:
        """Answer a request to the revocation endpoint (RFC 7009)."""
        token = (self._fields(asked) or {}).get("token", "")
        self._access.pop(token, None)
        self._refresh.pop(token, None)
        return json_body(200, {})

    def _renewed(self, fields: Mapping[str, Any], now: float) -> Answered:
        given = fields.get("refresh_token", "")
        if given in self._used:
            self._end_family(self._used[given])
            return self._refuse("invalid_grant", "the refresh token was used before; all of its family ended")
        family = self._refresh.get(given)
        if family is None:
            return self._refuse("invalid_grant", "there is no such refresh token")
        for text in [text for text, token in self._access.items() if token.family == family]:
            del self._access[text]
        answer = self.issue(now, family=family)
        if self.rotates:
            del self._refresh[given]
            self._used[given] = family
            return self._granted(answer)
        del self._refresh[answer["refresh_token"]]
        return self._granted(answer, without=("refresh_token",))

    def _exchanged(self, fields: Mapping[str, Any], now: float) -> Answered:
        asked_for = self._codes.pop(fields.get("code", ""), None)
        if asked_for is None or asked_for.get("redirect_uri") != fields.get("redirect_uri"):
            return self._refuse("invalid_grant", "there is no such code for that redirect_uri")
        challenge = asked_for.get("code_challenge")
        if challenge is not None and challenge != _challenge_of(fields.get("code_verifier") or ""):
            return self._refuse("invalid_grant", "the code_verifier does not fit (RFC 7636 section 4.6)")
        return self._granted(self.issue(now))

    def _granted(self, answer: dict[str, Any], without: tuple[str, ...] = ()) -> Answered:
        self.granted += 1
        shape = self.keys.get("token_response", {})
        body: dict[str, Any] = {"token_type": answer["token_type"]}
        if "expires_in" in answer:
            self._tell_end(body, answer)
        for name, key in (("access_token", "token"), ("refresh_token", "refresh_token"), ("scope", "scope")):
            if name in answer and name not in without:
                put(body, shape.get(key, name), answer[name])
        return json_body(200, body, {"Cache-Control": "no-store"})

    def _tell_end(self, body: dict[str, Any], answer: Mapping[str, Any]) -> None:
        shape = self.keys.get("token_response", {})
        lifetime = answer["expires_in"] * (1000 if self.keys.get("expires_in_unit") == "milliseconds" else 1)
        is_moment = "token_expiration" in shape and shape.get("token_expiration_strategy") != "expireIn"
        ends_at = self._access[answer["access_token"]].ends_at
        put(body, shape.get("token_expiration", "expires_in"), ends_at if is_moment else lifetime)

    def _refuse(self, code: str, why: str, *, status: int = 400) -> Answered:
        self.refused.append(f"{code}: {why}")
        return json_body(status, {"error": code, "error_description": why})

    def _end_family(self, family: int) -> None:
        self._access = {text: token for text, token in self._access.items() if token.family != family}
        self._refresh = {text: one for text, one in self._refresh.items() if one != family}

    # Who asks

    @property
    def _format(self) -> str:
        return str(self.keys.get("body_format", "form"))

    def _fields(self, asked: Asked) -> dict[str, Any] | None:
        if self._format == "query":
            return asked.query
        if self._format == "json":
            return asked.json if isinstance(asked.json, dict) else None
        return asked.form if asked.form or not asked.content else None

    def _authenticated(self, asked: Asked, fields: Mapping[str, Any]) -> str | None:
        """Return whose proof came, by the one declared method (RFC 6749 section 2.3)."""
        in_header = _basic_pair(asked.headers.get("authorization", ""))
        in_body: tuple[Any, Any] = (fields.get("client_id"), fields.get("client_secret"))
        found: tuple[Any, Any] | None
        method = self.keys.get("token_request_auth_method") or (
            "basic" if self.keys.get("authorization_method") == "header" else "post"
        )
        if method == "basic":
            found = in_header if in_header is not None and in_body[1] is None else None
        elif method == "none":
            return in_body[0] if in_header is None and in_body[1] is None else None
        else:
            found = in_body if in_header is None else None
        known = {self.client.id: self.client.secret, **self.accounts}
        return found[0] if found is not None and found[0] in known and known[found[0]] == found[1] else None

    def _text(self, kind: str) -> str:
        self._made += 1
        return f"{kind}-{random.Random(f'{self.seed}:{kind}:{self._made}').getrandbits(96):024x}"  # noqa: S311


def _basic_pair(header: str) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return None
    return unquote_plus(name), unquote_plus(password)


def _challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
