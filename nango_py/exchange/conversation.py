"""One request's whole conversation: limit, sign, send, judge, renew, wait, again; it yields effects."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py import tracing
from nango_py.effects import Close, ReadAnswer, Send
from nango_py.errors import NangoError, RateLimitedError
from nango_py.events import AttemptMade
from nango_py.exchange.attempts import Attempt, attach
from nango_py.exchange.breakers import Fuse
from nango_py.exchange.contents import Upload
from nango_py.exchange.execution import in_time, pause, waits
from nango_py.exchange.kept_body import keep, unread
from nango_py.exchange.overrides import overrides_of
from nango_py.exchange.response_limit import limit_answer
from nango_py.exchange.retry_extension import policy_of
from nango_py.exchange.sender import SENDER_EXTENSION, Sender
from nango_py.exchange.timeouts import hurried
from nango_py.http import ByteStream, Response, TransportError
from nango_py.log import is_heard
from nango_py.policy.breaker import verdict_of
from nango_py.policy.outcome import Outcome, kind_of
from nango_py.policy.reactions import reaction_to
from nango_py.policy.retry import Wait, decide, is_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.limiter import Passage
    from nango_py.exchange.plan import Plan
    from nango_py.exchange.session import Session
    from nango_py.http import Request
    from nango_py.policy.retry import RetryPolicy, Stop

__all__ = ["MAX_JUDGED", "RENEWAL_ERROR", "converse", "json_of"]

RENEWAL_ERROR = "nango_renewal_error"
"""The extension of a refused answer that holds why its token could not be renewed."""

MAX_JUDGED = 1_048_576
"""Bodies up to this many bytes are read to judge an answer; longer ones pass unread."""


def converse(
    request: Request,
    session: Session,
    *,
    clock: Clock,
    random: Callable[[], float],
    execution: Execution | None = None,
    is_read: bool = False,
) -> Flow[Response]:
    """Return the last answer of the exchange, its body unread where nothing had to be judged by it.

    With *is_read* the body is read, and one that breaks off is a failed attempt like any other. Transport errors are
    httpx's, with ``attempts`` on them.

    Raises:
        DeadlineError: The time that *execution* had is over.
    """
    exchange = _Exchange(request, session, clock, random, execution, is_read=is_read)
    return in_time(execution, exchange.run())


class _Exchange:
    def __init__(
        self,
        request: Request,
        session: Session,
        clock: Clock,
        random: Callable[[], float],
        execution: Execution | None,
        *,
        is_read: bool,
    ) -> None:
        self.is_read = is_read
        self.request = request
        self.session = session
        self.clock = clock
        self.random = random
        self.policy = policy_of(request, session.integration.retry)
        self.execution = execution
        deadline = self._time_left()
        if deadline is not None:
            self.policy = _within(self.policy, deadline)
        self.started = clock.monotonic()
        self.moment = session.moment()
        self.body = _body_in_memory(request)
        stream: object = request.stream
        self.can_repeat = self.body is not None or (isinstance(stream, Upload) and stream.can_repeat)
        self.overrides = overrides_of(request)
        self.attempts: list[Attempt] = []
        self.renewals = 0
        self.fuse = Fuse(session)

    def run(self) -> Flow[Response]:
        while True:
            plan, signed, result, outcome = yield from self._attempt()
            if isinstance(result, Response):
                if (yield from self._is_renewed(result, outcome, signed, plan)):
                    continue
                if not is_failure(self.policy, outcome):
                    return self._finish(result, "success" if result.is_success else "declared_ignore")
            decision = self._decide(outcome)
            if not isinstance(decision, Wait):
                return self._finish(result, decision.reason)
            if self.fuse.outlasts(decision.seconds):
                return self._finish(result, "circuit_open")
            self._note(result, decision.reason, decision.seconds)
            self._log("attempt.failed", "info", wait=round(decision.seconds, 3))
            if isinstance(result, Response):
                yield Close(result)
            yield from waits(self.execution, pause(decision.seconds), "retry")

    def _attempt(self) -> Flow[tuple[Plan, Request, Response | TransportError, Outcome]]:
        limits = self.session.limits
        is_free = limits.is_free and not (self.overrides and self.overrides.rate_limit)
        # Credentials are asked for anew before each attempt: a retry must pick up refreshed ones.
        plan = yield from self._open()
        passage = None if is_free else (yield from self._enter())
        was_sent = False
        try:
            if not is_free:
                # The wait may have outlasted them. Before it, a renewal took up no room that others need.
                plan = yield from self._open()
            signed = self.session.sign(self.request, plan, self.moment, self.body)
            action = None if self.execution is None else self.execution.action
            signed.extensions[SENDER_EXTENSION] = Sender(self.session.integration.name, action, self.session.secrets)
            self._hurry(signed)
            self.fuse.admit(signed.url, self.request, self.attempts)
            was_sent = True
            result = yield from self._traced(self._send(signed))
        except BaseException:
            limits.abandon(passage, was_sent=was_sent)
            self.fuse.settle("none")
            raise
        outcome = self._outcome(signed, result)
        self.fuse.settle(verdict_of(self.policy, outcome))
        limits.answer(passage, result, outcome, self.policy)
        return plan, signed, result, outcome

    def _open(self) -> Flow[Plan]:
        return (yield from waits(self.execution, self.session.open(self._time_left()), "renewal"))

    def _enter(self) -> Flow[Passage]:
        """Wait until the connection's rate limits let the request pass."""
        try:
            entering = self.session.limits.enter(
                self.request,
                self.session.shown_base_url.path,
                longest=self.policy.max_wait,
                left=lambda: self.policy.deadline - (self.clock.monotonic() - self.started),
                again=bool(self.attempts),
                overrides=self.overrides,
                may_explore=self.can_repeat and len(self.attempts) + 1 < self.policy.max_attempts,
            )
            return (yield from waits(self.execution, entering, "rate_limit"))
        except RateLimitedError as error:
            error.attempts = tuple(self.attempts)
            raise

    def _is_renewed(self, answer: Response, outcome: Outcome, signed: Request, plan: Plan) -> Flow[bool]:
        """Tell whether the token was refused and there is another one to try: once an exchange (RFC 6750 3.1)."""
        if self.renewals or not self.can_repeat or not self._is_refused(answer, outcome):
            return False
        if self.session.is_own(self.request):
            return False  # what was refused is the caller's, and there is no other to try
        if not self.session.is_bound(signed.url, plan):
            return False
        try:
            renewal = self.session.renew(plan, self._time_left())
            if not (yield from waits(self.execution, renewal, "renewal")):
                return False
        except NangoError as error:
            answer.extensions[RENEWAL_ERROR] = error
            self._warn(error)
            return False
        except GeneratorExit:
            raise
        except BaseException:
            yield Close(answer)  # whoever asked waits no longer, and gets no answer that they could close
            raise
        self.renewals += 1
        self._note(answer, "renewed", None)
        yield Close(answer)
        return True

    def _is_refused(self, answer: Response, outcome: Outcome) -> bool:
        reaction = reaction_to(self.policy.reactions, outcome)
        if reaction is not None:
            return reaction.reaction == "renew_then_retry"
        return self.session.is_refusal(answer, outcome.body)

    def _time_left(self) -> float | None:
        """Return the seconds that the caller's own deadline leaves."""
        left = None if self.execution is None else self.execution.time_left()
        return None if left is None else max(0.0, left)

    def _warn(self, error: NangoError) -> None:
        reason = self.session.masked(str(error))
        self.session.log(
            "warning", "renewal.failed", error=type(error).__name__, reason=reason, **self._execution_fields()
        )

    def _traced(self, sending: Flow[Response | TransportError]) -> Flow[Response | TransportError]:
        """Return what *sending* does, within a span where somebody traces."""
        above = None if self.execution is None else self.execution.span
        span = tracing.begin_attempt(self.request, again=len(self.attempts), parent=above, mask=self.session.masked)
        return sending if span is None else self._within(span, sending)

    def _within(self, span: Any, sending: Flow[Response | TransportError]) -> Flow[Response | TransportError]:
        try:
            result = yield from sending
        except BaseException as error:
            tracing.end(span, error)
            raise
        if isinstance(result, Response):
            tracing.end_attempt(span, result.status_code)
        else:
            tracing.end(span, kind_of(result))
        return result

    def _send(self, signed: Request) -> Flow[Response | TransportError]:
        try:
            answer: Response = yield Send(signed)
            answer.request = self.request
            yield from self._limit(answer)
            if self.is_read or self._is_judged_by_its_body(answer):
                if not self.is_read:
                    keep(answer)
                yield ReadAnswer(answer)
        except TransportError as error:
            # The error's own request is the signed copy: the caller gets to see the one without credentials.
            error.request = self.request
            error.args = tuple(self.session.masked(str(part)) for part in error.args)
            return error
        return answer

    def _limit(self, answer: Response) -> Flow[None]:
        limit = self.session.integration.response_limit
        if limit is None:
            return
        try:
            limit_answer(answer, limit)
        except TransportError:
            yield Close(answer)
            raise

    def _hurry(self, signed: Request) -> None:
        """Let the attempt take no longer than what is left of the caller's deadline."""
        left = self._time_left()
        if left is not None:
            signed.extensions["timeout"] = hurried(signed.extensions.get("timeout", {}), left)

    def _is_judged_by_its_body(self, answer: Response) -> bool:
        reads = self.session.integration.auth.reads_refusals or self.policy.needs_body(answer.status_code)
        return reads and _is_short_json(answer)

    def _outcome(self, signed: Request, result: Response | TransportError) -> Outcome:
        key = self.policy.idempotency_key
        common: dict[str, Any] = {
            "method": signed.method,
            "replayable": self.can_repeat,
            "idempotent_key_sent": key is not None and key in signed.headers,
        }
        if isinstance(result, TransportError):
            return Outcome(**common, error=kind_of(result))
        body = json_of(result) if self._is_judged_by_its_body(result) else None
        return Outcome(**common, status=result.status_code, headers=result.headers, body=body)

    def _decide(self, outcome: Outcome) -> Wait | Stop:
        return decide(
            self.policy,
            attempt=len(self.attempts) + 1 - self.renewals,
            elapsed=self.clock.monotonic() - self.started,
            outcome=outcome,
            now=self.clock.now(),
            random=self.random,
        )

    def _note(self, result: Response | TransportError, decision: str, waited: float | None) -> None:
        self.attempts.append(
            Attempt(
                number=len(self.attempts) + 1,
                status=result.status_code if isinstance(result, Response) else None,
                error=None if isinstance(result, Response) else kind_of(result),
                decision=decision,
                waited=waited,
            )
        )
        if self.execution is not None and self.execution.on_event is not None:
            last = self.attempts[-1]
            # Log lines are masked where they are written, an event is what is told.
            fields = {name: self.session.masked(text) for name, text in self._request_fields().items()}
            self.execution.tell(
                AttemptMade, **fields, attempt=last.number, status=last.status, error=last.error,
                reason=last.decision, wait=last.waited,
            )  # fmt: skip

    def _finish(self, result: Response | TransportError, decision: str) -> Response:
        if isinstance(result, Response):
            result = unread(result)
        self._note(result, decision, None)
        attach(result, self.attempts)
        failed = not isinstance(result, Response) or result.is_error or decision.startswith("declared_")
        failed = failed and decision != "declared_ignore"
        self._log("exchange.finished", "warning" if failed else "info")
        if not isinstance(result, Response):
            raise result
        return result

    def _log(self, event: str, level: str, **fields: Any) -> None:
        if not is_heard(level, self.session.integration.log_level):
            return
        last = self.attempts[-1]
        self.session.log(
            level,
            event,
            **self._request_fields(),
            attempt=last.number,
            status=last.status,
            error=last.error,
            reason=last.decision,
            seconds=round(self.clock.monotonic() - self.started, 3),
            **self._execution_fields(),
            **fields,
        )

    def _request_fields(self) -> dict[str, str]:
        # Query and user info may hold credentials, and a path may hold one that a stand-in shows.
        return {"method": self.request.method, "host": self.request.url.host, "path": self.request.url.path}

    def _execution_fields(self) -> dict[str, str]:
        return {} if self.execution is None else self.execution.fields


def _within(policy: RetryPolicy, deadline: float) -> RetryPolicy:
    return replace(policy, deadline=max(0.0, min(policy.deadline, deadline)))


def _body_in_memory(request: Request) -> bytes | None:
    stream = request.stream
    return b"".join(stream) if isinstance(stream, ByteStream) else None


def json_of(answer: Response) -> object | None:
    """Return the JSON body of an answer that was read, None where it is none."""
    try:
        return json.loads(answer.content)  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        return None


def _is_short_json(answer: Response) -> bool:
    if "json" not in answer.headers.get("Content-Type", ""):
        return False
    if answer.is_closed:
        return len(answer.content) <= MAX_JUDGED
    length = answer.headers.get("Content-Length", "")
    # A refusal ends, whether its length is stated or not; a success may be a stream without an end.
    return int(length) <= MAX_JUDGED if length.isdigit() else answer.is_error
