"""Read tokens out of what a token endpoint granted: pure, whatever form the provider chose."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from nango_py.auth.expiry import lifetime_of, moment_of
from nango_py.auth.grant import BadAnswer, Obtained
from nango_py.auth.json_web_token import stated_end
from nango_py.paths import compile_path
from nango_py.secret import Secret
from nango_py.template import to_text

if TYPE_CHECKING:
    from nango_py.auth.expiry import Unit

__all__ = ["DeadToken", "TokenPaths", "pick", "read_tokens"]

_SENDABLE = re.compile(r"[\x20-\x7e]+")
"""What an access token consists of (RFC 6749 appendix A.12); a line break in it would begin another header."""
_TOKENS = frozenset({"access_token", "refresh_token"})
_DEEPEST = 20
"""Levels of an answer that are kept; a connection holds only so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPaths:
    """Say where a token answer holds what; without ``token_expiration``, ``expires_at`` and ``expires_in`` count."""

    token: str = "access_token"  # noqa: S105 - a path, no password
    refresh_token: str = "refresh_token"  # noqa: S105
    token_expiration: str | None = None
    token_expiration_strategy: Literal["expireIn", "expireAt"] = "expireAt"  # noqa: S105
    scope: str = "scope"

    @property
    def counts_from_now(self) -> bool:
        """Whether ``token_expiration`` is a lifetime, no moment."""
        return self.token_expiration_strategy == "expireIn"  # noqa: S105

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return the paths that checked *keys* declare."""
        return cls(**keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadToken:
    """Declare how an answer says that its token is dead, beside a 401: one of *values* stands at *path*."""

    path: str
    values: tuple[str, ...]

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return the sign that checked *keys* declare."""
        return cls(path=keys["path"], values=tuple(keys["values"]))

    def matches(self, body: Any) -> bool:
        """Tell whether *body* bears the sign."""
        return compile_path(self.path).find(body) in self.values


def read_tokens(
    data: Mapping[str, Any],
    *,
    paths: TokenPaths,
    now: float,
    base: str | None = None,
    unit: Unit = "seconds",
    default_lifetime: float | None = None,
    picked: tuple[str, ...] = (),
    old: Mapping[str, Any] | None = None,
    scopes: str | None = None,
    reads_jwt: bool = False,
) -> Obtained:
    """Return the tokens of a granted answer.

    *base* leads to a part of the answer that holds the tokens, or to the access token itself. The old refresh token
    stays unless a new one came (RFC 6749 section 6); without ``scope`` in the answer, *scopes* were granted
    (section 5.1). ``raw`` keeps everything that came but the tokens.

    Raises:
        BadAnswer: There is no access token in it, or one that cannot be sent.
    """
    where, token = _token(data, paths, base)
    if not token:
        raise BadAnswer(f"was answered without {paths.token!r}", status=200)
    if not _SENDABLE.fullmatch(token):
        raise BadAnswer("was answered with a token that no header can hold", status=200)
    found: dict[str, Any] = {"access_token": token, "obtained_at": now}
    if refresh := _text(_find(paths.refresh_token, where, data)):
        found["refresh_token"] = refresh
    if scope := _scope(_find(paths.scope, where, data)) or scopes:
        found["scope"] = scope
    if kind := _text(where.get("token_type")):
        found["token_type"] = kind
    stated = _stated(where, data, paths, unit, now)
    found["expires_at"] = now + default_lifetime if stated is None and default_lifetime else stated
    if reads_jwt:
        found["expires_at"] = _sooner(found["expires_at"], token, refresh)
    spent = _TOKENS | {paths.token, paths.refresh_token}
    raw = {**((old or {}).get("raw") or {}), **data}
    found["raw"] = _storable({name: value for name, value in raw.items() if name not in spent})
    return Obtained(credentials=found, connection_config=pick(picked, where, data))


def _storable(value: Any, depth: int = 0) -> Any:
    """Return *value* with null for what a connection cannot hold: the tokens beside it must not be lost for that."""
    if isinstance(value, Mapping | list | tuple) and depth >= _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {name: _storable(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item, depth + 1) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def pick(names: tuple[str, ...], *places: Mapping[str, Any]) -> dict[str, str]:
    """Return the single values that *places* hold at *names*, which are paths, as texts."""
    values = {name: _find(name, *places) for name in names}
    return {
        name: to_text(value) for name, value in values.items() if isinstance(value, str | int | float) and value != ""
    }


def _token(data: Mapping[str, Any], paths: TokenPaths, base: str | None) -> tuple[Mapping[str, Any], str | None]:
    part = compile_path(base).find(data) if base else None
    if isinstance(part, str):
        return data, part
    if isinstance(part, Mapping):
        # Where an account may grant both, the part is the one that was chosen; it may lack the token.
        return part, _text(_find(paths.token, part)) or _text(_find(paths.token, data))
    return data, _text(_find(paths.token, data))


def _find(path: str, *places: Mapping[str, Any]) -> Any:
    for place in places:
        if place.get(path) is not None:  # a flat key with a dot in it comes before the nested one
            return place[path]
        if (found := compile_path(path).find(place)) is not None:
            return found
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _scope(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or None
    return _text(value)


def _stated(
    where: Mapping[str, Any], data: Mapping[str, Any], paths: TokenPaths, unit: Unit, now: float
) -> float | None:
    """Return when the token expires; what is no time counts as not stated, for a token did come."""
    if paths.token_expiration is not None:
        value = _find(paths.token_expiration, where, data)
        return _read(value, now, unit, is_span=paths.counts_from_now)
    moment = _read(_find("expires_at", where, data), now, unit, is_span=False)
    return moment if moment is not None else _read(_find("expires_in", where, data), now, unit, is_span=True)


def _read(value: Any, now: float, unit: Unit, *, is_span: bool) -> float | None:
    if value is None or value == "":
        return None
    try:
        return now + lifetime_of(value, unit) if is_span else moment_of(value, now=now)
    except (ValueError, OverflowError):
        return None


def _sooner(stated: float | None, access: str, refresh: str | None) -> float | None:
    """Return the earliest known end: a token that says when it ends is believed where nothing else is stated."""
    end = stated if stated is not None else stated_end(access)
    refresh_end = stated_end(refresh) if refresh else None
    if end is not None and refresh_end is not None:
        return min(end, refresh_end)
    return end
