"""Read answers for actions: JSON out of a body, or the error that the answer means."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from nango_py.effects import HandOver, ReadAnswer
from nango_py.errors import (
    ActionError,
    AuthenticationError,
    DeadlineError,
    OutputError,
    RateLimitedError,
    RemoteError,
    ResponseError,
    UnreachableError,
)
from nango_py.exchange.attempts import attempts_of, described
from nango_py.exchange.conversation import RENEWAL_ERROR, converse, json_of
from nango_py.exchange.execution import in_time, waits
from nango_py.exchange.overrides import put_overrides
from nango_py.http import DecodingError, TooLargeError, TransportError
from nango_py.paths import compile_path
from nango_py.policy.named_errors import error_of
from nango_py.policy.outcome import Outcome
from nango_py.policy.reactions import needs_body, reaction_to, said
from nango_py.policy.retry import is_failure, is_rate_limited, stated_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.events import Event
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.plan import Plan
    from nango_py.exchange.session import Session
    from nango_py.http import Request, Response
    from nango_py.model import Overrides, Sign
    from nango_py.policy.named_errors import NamedError
    from nango_py.policy.reactions import Reaction, When
    from nango_py.policy.retry import RetryPolicy

__all__ = ["Asker", "Judge", "judge_by", "matches"]

Judge: TypeAlias = "Callable[[Any], str | None]"
"""What tells of a body why it is no success, None where it is one."""

_EXCERPT = 300
_READ = 2_000
"""So much of an answer gives an excerpt, whatever blanks are in it."""
_LONGEST_MESSAGE = 1000
_UNAUTHORIZED = 401


@dataclass(slots=True, kw_only=True)
class Asker:
    """Send requests of one connection and read their answers; errors are of our own family."""

    session: Session
    clock: Clock
    random: Callable[[], float]
    execution: Execution | None = None
    """The action that asks, where it is one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every request, such as an idempotency key."""
    overrides: Overrides | None = None
    """What the action does otherwise than its integration."""
    named: tuple[NamedError, ...] = ()
    """The errors that the action has names for."""
    sees: Mapping[str, Any] = field(default_factory=dict)
    """What the action's placeholders see beside the account."""
    place: str = ""
    """Which part of the action asks, for messages."""

    @property
    def action(self) -> str | None:
        """Return the name of the action that asks."""
        return None if self.execution is None else self.execution.action

    def open(self) -> Flow[Plan]:
        """Return the connection's plan, in the time that is left.

        Raises:
            UnknownConnection, ReauthRequired, CredentialsError, StoreError: No request can be sent.
            DeadlineError: A renewal takes longer.
        """
        opening = self.session.open(None if self.execution is None else self.execution.time_left())
        return (yield from in_time(self.execution, waits(self.execution, opening, "renewal")))

    def log(self, level: str, event: str, **fields: Any) -> None:
        """Log a line about the action, or about the connection where none asks."""
        (self.session if self.execution is None else self.execution).log(level, event, **fields)

    def tell(self, kind: type[Event], **facts: Any) -> None:
        """Tell whoever listens to the action."""
        if self.execution is not None:
            self.execution.tell(kind, **facts)

    def ask(self, request: Request, *, keeps_open: bool = False) -> Flow[Response]:
        """Return the answer, its body read; where it *keeps_open*, only that of one which is no success by itself.

        Raises:
            UnreachableError: No answer came.
            ResponseError, OutputError: It is too large, or cannot be unpacked.
            RateLimitedError: Its turn would come too late; nothing was sent.
            DeadlineError: The time given to the action is over.
        """
        if self.headers:
            request.headers.update(self.headers)
        if self.overrides is not None:
            put_overrides(request, self.overrides, self.session.integration)
        try:
            answer = yield from converse(
                request,
                self.session,
                clock=self.clock,
                random=self.random,
                execution=self.execution,
                is_read=not keeps_open,
            )
            if keeps_open and not self._is_opaque(answer):
                yield ReadAnswer(answer)
        except (RateLimitedError, UnreachableError) as error:
            error.action = self.action
            raise
        except (TransportError, DecodingError) as error:
            raise self._failure(request, error, "got no answer") from None
        return answer

    def ask_for_download(self, request: Request) -> Flow[Any]:
        """Return the answer as a download, which whoever asked reads and closes.

        Raises:
            UnreachableError, AuthenticationError, RateLimitedError, ResponseError, OutputError: See each.
        """
        answer = yield from self.ask(request, keeps_open=True)
        if self.named:
            self._name(request, answer)
        if not self._is_opaque(answer) and not self.is_success(request, answer):
            self.refuse(request, answer)
        return (yield HandOver(answer, partial(self._broken, request)))

    def _is_opaque(self, answer: Response) -> bool:
        """Tell whether an answer is a success whatever its body says."""
        if not answer.is_success or self.policy.needs_body(answer.status_code):
            return False
        is_json = "json" in answer.headers.get("Content-Type", "")
        return not (is_json and needs_body(self._whens, answer.status_code))

    @property
    def _whens(self) -> Iterator[When]:
        return (named.when for named in self.named)

    def _name(self, request: Request, answer: Response) -> None:
        """Raise the error that the action has a name for, if the answer means one."""
        if RENEWAL_ERROR in answer.extensions:
            return  # that the account has to be connected again matters more
        is_read = answer.is_closed and needs_body(self._whens, answer.status_code)
        body = json_of(answer) if is_read else None
        outcome = Outcome(method=request.method, status=answer.status_code, headers=answer.headers, body=body)
        found = error_of(self.named, outcome)
        if found is None:
            return
        text, most = said(found.message, {**self._quoted(answer), **self.sees}), _LONGEST_MESSAGE
        if not text:
            text, most = self._words(answer), _EXCERPT
        raise ActionError(
            f"{self._who()}: {found.name}" + (f": {self._shown(text, most)}" if text else "."),
            name=found.name,
            attempts=attempts_of(answer),
            response=answer,
            **self._context(),
        )

    def _quoted(self, answer: Response) -> dict[str, Any]:
        """Return what the message of an error may quote of an answer."""
        environment = self.session.integration.environment
        return {**environment, "env": environment, "status": answer.status_code, "body": json_of(answer)}

    def _broken(self, request: Request, error: Exception) -> Exception:
        """Return what it means that a download breaks off."""
        left = None if self.execution is None else self.execution.time_left()
        if left is not None and left <= 0:
            return DeadlineError(f"{self._who()}: the time given by deadline= is over.", **self._context())
        return self._failure(request, error, "was not answered to the end")

    def _failure(self, request: Request, error: Exception, what: str) -> RemoteError:
        """Return the error of ours that one of httpx's means."""
        context: dict[str, Any] = {"attempts": attempts_of(error), **self._context()}
        begins = f"{self._who()}: {self._described(request)}"
        if isinstance(error, TooLargeError):
            return ResponseError(f"{begins}: {self.session.masked(str(error))}.", **context)
        if isinstance(error, DecodingError):
            return OutputError(f"{begins} was answered with a body that cannot be unpacked: {error}.", **context)
        return UnreachableError(f"{begins} {what}: {self.session.masked(_reason(error))}.", **context)

    def ask_for_json(self, request: Request, judge: Judge | None = None) -> Flow[tuple[Response, Any]]:
        """Return the answer and what its JSON body says; None for an empty body.

        *judge* tells of a body of good status what it means, None where it is what was asked for.

        Raises:
            UnreachableError, AuthenticationError, RateLimitedError, ResponseError, OutputError: See each.
        """
        answer = yield from self.ask(request)
        if self.named:
            self._name(request, answer)
        if not answer.is_success or self.policy.judges_success:
            if not self.is_success(request, answer):
                self.refuse(request, answer)
            if reaction_to(self.policy.reactions, self._outcome(request, answer)):
                return answer, json_of(answer)
        body = self._json(request, answer)
        if judge is not None and (message := judge(body)) is not None:
            self.refuse(request, answer, message)
        return answer, body

    def is_success(self, request: Request, answer: Response) -> bool:
        """Tell whether an answer is good: by its status, unless a reaction or a wait in its body says otherwise."""
        return not is_failure(self.policy, self._outcome(request, answer))

    @property
    def policy(self) -> RetryPolicy:
        """Return the retry policy that its requests keep to."""
        own = None if self.overrides is None else self.overrides.retry
        return own or self.session.integration.retry

    def _outcome(self, request: Request, answer: Response) -> Outcome:
        body = json_of(answer) if self.policy.needs_body(answer.status_code) else None
        return Outcome(method=request.method, status=answer.status_code, headers=answer.headers, body=body)

    def refuse(self, request: Request, answer: Response, message: str | None = None) -> NoReturn:
        """Raise the error that an answer means."""
        outcome = self._outcome(request, answer)
        reaction = reaction_to(self.policy.reactions, outcome)
        declared = message is None and self._said(reaction, answer)
        shown = self._shown(declared or message or self._words(answer), _LONGEST_MESSAGE if declared else _EXCERPT)
        text = f"{self._who()}: {self._described(request)} was answered {answer.status_code}" + (
            f": {shown}" if shown else "."
        )
        context: dict[str, Any] = {"attempts": attempts_of(answer), "response": answer, **self._context()}
        if (failure := answer.extensions.get(RENEWAL_ERROR)) is not None:
            raise failure
        if answer.status_code == _UNAUTHORIZED or (reaction and reaction.reaction == "renew_then_retry"):
            raise AuthenticationError(f"{text} Check the connection's credentials.", **context)
        if is_rate_limited(self.policy, outcome):
            wait = stated_wait(self.policy, outcome, now=self.clock.now()).seconds
            raise RateLimitedError(text, retry_after=wait, **context)
        raise ResponseError(text, **context)

    def _said(self, reaction: Reaction | None, answer: Response) -> str | None:
        if reaction is None or reaction.message is None:
            return None
        return said(reaction.message, self._quoted(answer))

    def _shown(self, text: str, most: int) -> str:
        """Return what a provider said, fit for a message; it is cut last, so that no half of a secret is left."""
        return self.session.masked(text, most)

    def _words(self, answer: Response) -> str:
        """Return what an answer says in words, its beginning; nothing where it is a page or no text."""
        # Masked first: a secret of several lines is not found in one.
        text = " ".join(self.session.masked(answer.text, _READ).split())
        return "" if "<html" in text[:_EXCERPT].lower() or "\x00" in text else text

    def fail(self, kind: type[RemoteError], message: str, **context: Any) -> NoReturn:
        """Raise an error about what came back."""
        raise kind(f"{self._who()}: {message}", **self._context(), **context)

    def _json(self, request: Request, answer: Response) -> Any:
        if not answer.content.strip():
            return None
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError):
            kind = answer.headers.get("Content-Type", "no content type")
            raise OutputError(
                f"{self._who()}: {self._described(request)} was answered with {kind}, not with JSON.",
                attempts=attempts_of(answer),
                response=answer,
                **self._context(),
            ) from None

    def _described(self, request: Request) -> str:
        """Return a request for people; the URL of a link may hold a credential of the base URL."""
        return self.session.masked(described(request))

    def _who(self) -> str:
        action = f", action {self.action!r}" if self.action else ""
        return f"integration {self.session.integration.name!r}{action}{self.place}"

    def _context(self) -> dict[str, Any]:
        return {"integration": self.session.integration.name, "action": self.action}


def matches(sign: Sign, body: Any) -> bool:
    """Tell whether a body bears the sign."""
    found = compile_path(sign.path).find(body)
    return type(found) is type(sign.value) and found == sign.value


def _message(sign: Sign, body: Any) -> str:
    said = compile_path(sign.message).find(body) if sign.message else None
    return str(said) if said is not None else f"{sign.path!r} is not {sign.value!r}"


def judge_by(sign: Sign) -> Judge:
    """Return what refuses a body without the sign."""
    return lambda body: None if matches(sign, body) else _message(sign, body)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
