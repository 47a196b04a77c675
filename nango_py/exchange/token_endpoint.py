"""Perform grants: send the token requests that they yield, all of them within one deadline."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from nango_py import tracing
from nango_py.auth.grant import Account, BadAnswer, Refused, TokenAnswer, TokenRequest, Unanswered
from nango_py.exchange.plan import values_of
from nango_py.exchange.pool.profile import DEADLINE_EXTENSION, PROFILE_EXTENSION
from nango_py.exchange.session import Moment, profile_of
from nango_py.http import (
    URL,
    DecodingError,
    InvalidURL,
    ReadTimeout,
    Request,
    Response,
    Timeout,
    TransportError,
    with_query,
)
from nango_py.log import LONGEST_LINE, one_line
from nango_py.masking import Mask, sent_secrets
from nango_py.policy.outcome import kind_of
from nango_py.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.auth.grant import Flow
    from nango_py.clock import Clock
    from nango_py.exchange.pool.profile import Profile
    from nango_py.http import BaseTransport, Headers
    from nango_py.model import Integration

__all__ = ["TokenEndpoint", "account_of", "fresh_text"]

_T = TypeVar("_T")
LONGEST_ANSWER = 1_048_576
_UNSENT = frozenset({"connect", "pool", "private"})
_CONNECT_PAUSES = (0.2, 1.0)
_AGAIN_PAUSE = 0.5
_OK = 200
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Carry token requests, from a worker thread; *transport* is asked for when there is the first."""

    transport: Callable[[], BaseTransport]
    clock: Clock
    agent: str

    def perform(self, grant: Flow[_T], *, integration: Integration, secrets: tuple[str, ...], seconds: float) -> _T:
        """Return what *grant* ends with.

        Nothing of *secrets*, nor of what was sent, stands in what is raised. Failures to connect are tried again; a
        request that may have been carried out is sent once more where that is harmless.

        Raises:
            Refused, BadAnswer: The endpoint said so.
            Unanswered: It said nothing.
            ValueError: No request can be made of what is declared and given.
        """
        sent = set(secrets)
        failure: Exception
        try:
            return self._conversed(grant, _profiles_of(integration), time.monotonic() + seconds, sent)
        except Refused as refusal:
            code, description = (_shown(part, sent) for part in (refusal.code, refusal.description))
            failure = Refused(code, description, status=refusal.status, is_final=refusal.is_final)
        except BadAnswer as answer:
            failure = BadAnswer(_shown(str(answer), sent), status=answer.status)
        except TransportError as error:
            shown = _shown(f"{_host_in(error)}{str(error) or type(error).__name__}", sent)
            failure = Unanswered(shown, is_ambiguous=kind_of(error) not in _UNSENT)
        except UnicodeError:
            failure = ValueError("a token request would hold a character that cannot be sent")
        except TemplateError as error:
            failure = ValueError(str(error).rstrip("."))
        finally:
            grant.close()
        raise failure  # here, where the one that quotes is not its context

    def _conversed(self, grant: Flow[_T], profiles: tuple[Profile, Profile], ends_at: float, sent: set[str]) -> _T:
        try:
            request = next(grant)
            while True:
                request = grant.send(self._ask(request, profiles, ends_at, sent))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _ask(
        self, request: TokenRequest, profiles: tuple[Profile, Profile], ends_at: float, sent: set[str]
    ) -> TokenAnswer:
        pauses = list(_CONNECT_PAUSES)
        again = request.is_repeatable
        while True:
            sent.update(_texts_in(request))
            try:
                answer = self._send(request, profiles, ends_at, sent)
            except TransportError as error:
                if kind_of(error) == "connect" and pauses:
                    pause = pauses.pop(0)
                elif kind_of(error) not in _UNSENT and again:
                    again, pause = False, _AGAIN_PAUSE
                else:
                    raise
                if time.monotonic() + pause >= ends_at:
                    raise
            else:
                if answer.status < _SERVER_ERROR or not again:
                    return answer
                again, pause = False, _AGAIN_PAUSE
            request = request.again() if request.again is not None else request
            self.clock.sleep(pause)

    def _send(
        self, request: TokenRequest, profiles: tuple[Profile, Profile], ends_at: float, sent: set[str]
    ) -> TokenAnswer:
        made = self._made(request, profiles, ends_at)
        sent.update(_texts_of(made.headers))
        span = tracing.begin_attempt(made, mask=lambda url: _shown(url, sent))
        try:
            with _closing(self.transport().handle_request(made)) as answer:
                answer.request = made
                body = _body_of(answer, ends_at)
        except BaseException as error:
            tracing.end(span, error)
            raise
        tracing.end_attempt(span, answer.status_code)
        return TokenAnswer(status=answer.status_code, headers=answer.headers, body=body)

    def _made(self, request: TokenRequest, profiles: tuple[Profile, Profile], ends_at: float) -> Request:
        left = max(0.001, ends_at - time.monotonic())
        body: dict[str, Any] = {}
        if request.json is not None:
            body["json"] = request.json
        elif request.form is not None:
            body["data"] = dict(request.form)
        elif request.content is not None:
            body["content"] = request.content
        made = Request(
            request.method,
            _address_of(request),
            headers={"User-Agent": self.agent, "Accept-Encoding": "gzip, deflate", **request.headers},
            extensions={
                "timeout": Timeout(left).as_dict(),
                DEADLINE_EXTENSION: ends_at,
                PROFILE_EXTENSION: profiles[request.found],
            },
            **body,
        )
        return request.sign(made) if request.sign is not None else made


def account_of(
    integration: Integration, holder: Any, *, now: float, scopes: tuple[str, ...] | None = None
) -> Account:
    """Return what a grant may know of *holder*, which has credentials, connection config and metadata."""
    values = {**values_of(integration, holder), **Moment(now=now).functions()}
    return Account(
        values=values,
        credentials=holder.credentials,
        scopes=integration.oauth_scopes if scopes is None else scopes,
        now=now,
        nonce=fresh_text,
    )


def _profiles_of(integration: Integration) -> tuple[Profile, Profile]:
    """Return how declared endpoints are reached, and how those that an answer named are."""
    profile = profile_of(integration)
    # One host that an account chooses makes all of them suspect: the credentials meet them all.
    allowed = all(profile_of(integration, url).allow_private for url in integration.auth.urls())
    return (
        replace(profile, allow_private=allowed),
        replace(profile, allow_private=integration.network.allow_private is True),
    )


def _host_in(error: TransportError) -> str:
    try:
        return f"{error.request.url.host}: "
    except RuntimeError:  # a transport of the program's own may leave the request out
        return ""


def fresh_text() -> str:
    """Return random text of 256 bits, of characters that every protocol takes."""
    return uuid4().hex + uuid4().hex


def _address_of(request: TokenRequest) -> URL:
    try:
        return with_query(URL(request.url), request.params)
    except InvalidURL:
        if request.found:
            raise BadAnswer("was answered with a URL that cannot be used", status=_OK) from None
        raise ValueError(f"the URL of the {request.purpose} cannot be used") from None


def _body_of(answer: Response, ends_at: float) -> bytes:
    body = b""
    try:
        for chunk in answer.iter_bytes():
            body += chunk
            if time.monotonic() > ends_at:  # a given transport may know of each read's timeout only
                raise ReadTimeout("the deadline of the request is over")
            if len(body) > LONGEST_ANSWER:
                raise BadAnswer(f"was answered with more than {LONGEST_ANSWER:,} bytes", status=answer.status_code)
    except DecodingError:
        raise BadAnswer("was answered with a body that is not coded as it says", status=answer.status_code) from None
    return body


@contextmanager
def _closing(answer: Response) -> Iterator[Response]:
    try:
        yield answer
    finally:
        answer.close()


def _shown(text: str, sent: set[str]) -> str:
    """Return what an endpoint said, fit for a message; it is cut last, so that no half of a secret is left."""
    return one_line(Mask(sent).text(text, LONGEST_LINE))


def _texts_of(headers: Headers) -> Iterator[str]:
    """Yield the headers' values that must not come back, with and without their scheme."""
    for name, value in headers.items():
        yield from sent_secrets({name: [value, value.partition(" ")[2]]})


def _texts_in(request: TokenRequest) -> Iterator[str]:
    """Yield what was sent and must not come back in a message: a provider may echo it."""
    yield from sent_secrets([request.form, request.json, dict(request.params)])
