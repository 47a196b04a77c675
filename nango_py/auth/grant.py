"""What a grant asks of a token endpoint: it yields requests and is sent their answers. It knows no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from nango_py.http import Headers, Request

__all__ = [
    "Account",
    "BadAnswer",
    "Begun",
    "DeviceCode",
    "Flow",
    "Grant",
    "Obtained",
    "Refused",
    "TokenAnswer",
    "TokenRequest",
    "Unanswered",
    "read_answer",
]

_T = TypeVar("_T")
_WORDS = frozenset({"scope", "token_type"})
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One request of a grant; nothing of it is shown, for it bears credentials."""

    url: str = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    form: Mapping[str, Any] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    sign: Callable[[Request], Request] | None = field(default=None, repr=False)
    """What to do with the finished request before it is sent, where a signature covers it."""
    purpose: str = "token request"
    """What messages call it."""
    is_repeatable: bool = True
    """Whether it may be sent once more after no answer came; a code must not, it would revoke what it brought."""
    again: Callable[[], TokenRequest] | None = field(default=None, repr=False)
    """Gives what to send the second time, where a proof in the request works once."""
    found: bool = False
    """Whether the URL came from an answer: such a one may not lead into a private network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """The answer to a :class:`TokenRequest`, its body read."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    def data(self) -> Mapping[str, Any] | None:
        """Return the JSON object or the form fields of the body; None when it holds neither."""
        text = self.body.decode("utf-8", "replace").strip()
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            # Some endpoints answer as form fields, whatever was accepted, and some call that text/plain.
            fields = dict(parse_qsl(text)) if "=" in text and "<" not in text else {}
            return fields or None
        return found if isinstance(found, Mapping) else None


class Refused(Exception):  # noqa: N818 - it is an answer, not a mistake
    """The endpoint refused; *code* is the error of RFC 6749 section 5.2, where there was one.

    ``is_final`` says that asking again cannot help: the account must be connected again.
    """

    def __init__(self, code: str, description: str = "", *, status: int, is_final: bool = False) -> None:
        super().__init__(": ".join(part for part in (code, description) if part) or f"status {status}")
        self.code = code
        self.description = description
        self.status = status
        self.is_final = is_final


class BadAnswer(Exception):  # noqa: N818
    """The endpoint answered with something that is neither a grant nor a refusal; it may be over soon."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unanswered(Exception):  # noqa: N818 - it is a fact about the network
    """A token endpoint gave no answer; ``is_ambiguous`` when the request may have been carried out."""

    def __init__(self, message: str, *, is_ambiguous: bool) -> None:
        super().__init__(message)
        self.is_ambiguous = is_ambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a grant may know: the connection's credentials, and everything that placeholders see."""

    values: Mapping[str, Any] = field(repr=False)
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    scopes: tuple[str, ...] = ()
    now: float
    """UTC seconds since the epoch."""
    nonce: Callable[[], str] = field(repr=False)
    """Gives fresh random text of at least 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """What a grant brought: *credentials* to lay over the old ones, where None deletes, and connection config.

    A token that a blueprint picks as connection config as well stays out of that: everybody is shown it.
    """

    credentials: Mapping[str, Any] = field(repr=False)
    connection_config: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tokens = {text for name, text in self.credentials.items() if name not in _WORDS and isinstance(text, str)}
        shown = {name: text for name, text in self.connection_config.items() if text not in tokens}
        object.__setattr__(self, "connection_config", shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and what must be kept until it comes back."""

    url: str = field(repr=False)
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)
    state: str | None = field(default=None, repr=False)
    """What the callback bears in place of the given state, where the protocol knows none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What the user types where (RFC 8628 section 3.2); times are in seconds."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: float
    interval: float
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)


Flow: TypeAlias = Generator[TokenRequest, TokenAnswer, _T]
"""A conversation with token endpoints that ends with a value, a :class:`Refused` or a :class:`BadAnswer`."""
Grant: TypeAlias = Flow[Obtained]


def read_answer(answer: TokenAnswer, *, final: frozenset[str] = frozenset({"invalid_grant"})) -> Mapping[str, Any]:
    """Return what the endpoint granted.

    An ``error`` in a 200 is a refusal as well: some providers answer so.

    Raises:
        Refused: It refused; the codes in *final* cannot heal.
        BadAnswer: It failed, or answered with something else.
    """
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
        raise BadAnswer(f"was answered {answer.status}", status=answer.status)
    data = answer.data()
    if data is not None and (data.get("error") or data.get("ok") is False):
        code, description = _refusal(data)
        raise Refused(code, description, status=answer.status, is_final=code in final)
    if answer.status >= _CLIENT_ERROR:
        code, description = _refusal(data or {})
        raise Refused(code, description, status=answer.status, is_final=code in final)
    if data is None:
        kind = answer.headers.get("Content-Type", "no content type")
        raise BadAnswer(f"was answered {answer.status} with {kind}, not with JSON", status=answer.status)
    return data


def _refusal(data: Mapping[str, Any]) -> tuple[str, str]:
    error = data.get("error") or data.get("errcode") or ""
    description = data.get("error_description") or data.get("message") or ""
    if isinstance(error, Mapping):
        description = error.get("message") or description
        error = error.get("code") or error.get("type") or ""
    return str(error), str(description)
