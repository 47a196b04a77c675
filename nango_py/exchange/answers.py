"""Read answers for actions: JSON out of a body, or the error that the answer means."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from nango_py.errors import (
    AuthenticationError,
    OutputError,
    RateLimitedError,
    RemoteError,
    ResponseError,
    UnreachableError,
)
from nango_py.exchange.attempts import attempts_of, described
from nango_py.exchange.conversation import RENEWAL_ERROR, converse, json_of
from nango_py.exchange.execution import in_time, waits
from nango_py.http import DecodingError, TooLargeError, TransportError
from nango_py.paths import compile_path
from nango_py.policy.outcome import Outcome
from nango_py.policy.reactions import reaction_to
from nango_py.policy.retry import is_failure, is_rate_limited, stated_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.events import Event
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.plan import Plan
    from nango_py.exchange.session import Session
    from nango_py.http import Request, Response
    from nango_py.model import Sign
    from nango_py.policy.reactions import Reaction
    from nango_py.policy.retry import RetryPolicy

__all__ = ["Asker", "matches"]

_EXCERPT = 300
_LONGEST_MESSAGE = 1000
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Send requests of one connection and read their answers; errors are of our own family."""

    session: Session
    clock: Clock
    random: Callable[[], float]
    execution: Execution | None = None
    """The action that asks, where it is one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every request, such as an idempotency key."""

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

    def ask(self, request: Request) -> Flow[Response]:
        """Return the answer, its body read.

        Raises:
            UnreachableError: No answer came.
            ResponseError, OutputError: It is too large, or cannot be unpacked.
            RateLimitedError: Its turn would come too late; nothing was sent.
            DeadlineError: The time given to the action is over.
        """
        request.headers.update(self.headers)
        try:
            answer = yield from converse(
                request,
                self.session,
                clock=self.clock,
                random=self.random,
                execution=self.execution,
                is_read=True,
            )
        except TooLargeError as error:
            self.fail(
                ResponseError,
                f"{described(request)}: {self.session.masked(str(error))}.",
                attempts=attempts_of(error),
            )
        except DecodingError as error:
            self.fail(OutputError, f"{described(request)} was answered with a body that cannot be unpacked: {error}.")
        except (RateLimitedError, UnreachableError) as error:
            error.action = self.action
            raise
        except TransportError as error:
            raise UnreachableError(
                f"{self._who()}: {described(request)} got no answer: {self.session.masked(_reason(error))}.",
                attempts=attempts_of(error),
                **self._context(),
            ) from None
        return answer

    def ask_for_json(self, request: Request, ok: Sign | None = None) -> Flow[tuple[Response, Any]]:
        """Return the answer and what its JSON body says; None for an empty body.

        Raises:
            UnreachableError, AuthenticationError, RateLimitedError, ResponseError, OutputError: See each.
        """
        answer = yield from self.ask(request)
        if not answer.is_success or self._policy.judges_success:
            if not self.is_success(request, answer):
                self.refuse(request, answer)
            if reaction_to(self._policy.reactions, self._outcome(request, answer)):
                return answer, json_of(answer)
        body = self._json(request, answer)
        if ok is not None and not matches(ok, body):
            self.refuse(request, answer, _message(ok, body))
        return answer, body

    def is_success(self, request: Request, answer: Response) -> bool:
        """Tell whether an answer is good: by its status, unless a reaction or a wait in its body says otherwise."""
        return not is_failure(self._policy, self._outcome(request, answer))

    @property
    def _policy(self) -> RetryPolicy:
        return self.session.integration.retry

    def _outcome(self, request: Request, answer: Response) -> Outcome:
        body = json_of(answer) if self._policy.needs_body(answer.status_code) else None
        return Outcome(method=request.method, status=answer.status_code, headers=answer.headers, body=body)

    def refuse(self, request: Request, answer: Response, message: str | None = None) -> NoReturn:
        """Raise the error that an answer means."""
        outcome = self._outcome(request, answer)
        reaction = reaction_to(self._policy.reactions, outcome)
        said = self.session.masked(message or self._said(reaction, answer) or _excerpt(answer))
        text = f"{self._who()}: {described(request)} was answered {answer.status_code}" + (
            f": {said}" if said else "."
        )
        context: dict[str, Any] = {"attempts": attempts_of(answer), "response": answer, **self._context()}
        if (failure := answer.extensions.get(RENEWAL_ERROR)) is not None:
            raise failure
        if answer.status_code == _UNAUTHORIZED or (reaction and reaction.reaction == "renew_then_retry"):
            raise AuthenticationError(f"{text} Check the connection's credentials.", **context)
        if is_rate_limited(self._policy, outcome):
            wait = stated_wait(self._policy, outcome, now=self.clock.now()).seconds
            raise RateLimitedError(text, retry_after=wait, **context)
        raise ResponseError(text, **context)

    def _said(self, reaction: Reaction | None, answer: Response) -> str | None:
        if reaction is None or reaction.message is None:
            return None
        environment = self.session.integration.environment
        values = {**environment, "env": environment, "status": answer.status_code, "body": json_of(answer)}
        said = reaction.said(values)
        return said and said[:_LONGEST_MESSAGE]

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
                f"{self._who()}: {described(request)} was answered with {kind}, not with JSON.",
                attempts=attempts_of(answer),
                response=answer,
                **self._context(),
            ) from None

    def _who(self) -> str:
        action = f", action {self.action!r}" if self.action else ""
        return f"integration {self.session.integration.name!r}{action}"

    def _context(self) -> dict[str, Any]:
        return {"integration": self.session.integration.name, "action": self.action}


def matches(sign: Sign, body: Any) -> bool:
    """Tell whether a body bears the sign."""
    found = compile_path(sign.path).find(body)
    return type(found) is type(sign.value) and found == sign.value


def _message(sign: Sign, body: Any) -> str:
    said = compile_path(sign.message).find(body) if sign.message else None
    return str(said)[:_EXCERPT] if said is not None else f"{sign.path!r} is not {sign.value!r}"


def _excerpt(answer: Response) -> str:
    text = " ".join(answer.text.split())
    if "<html" in text[:_EXCERPT].lower() or "\x00" in text:
        return ""
    return text[:_EXCERPT]


def _reason(error: TransportError) -> str:
    return str(error) or type(error).__name__
