"""One request's whole conversation: sign, send, judge, renew, wait, again. It knows no I/O: it yields effects."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py.effects import Close, ReadAnswer, Send, Sleep
from nango_py.errors import NangoError
from nango_py.exchange.attempts import Attempt, attach
from nango_py.exchange.kept_body import keep, unread
from nango_py.http import ByteStream, Headers, Response, TransportError
from nango_py.policy.outcome import Outcome, kind_of
from nango_py.policy.retry import Wait, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.plan import Plan
    from nango_py.exchange.session import Session
    from nango_py.http import Request
    from nango_py.policy.retry import RetryPolicy, Stop

__all__ = ["MAX_JUDGED", "RENEWAL_ERROR", "converse"]

RENEWAL_ERROR = "nango_renewal_error"
"""The extension of a refused answer that holds why its token could not be renewed."""

MAX_JUDGED = 1_048_576
"""Bodies up to this many bytes are read to judge an answer; longer ones pass unread."""


def converse(
    request: Request, session: Session, *, clock: Clock, random: Callable[[], float], deadline: float | None = None
) -> Flow[Response]:
    """Return the last answer of the exchange, its body unread where nothing had to be judged by it.

    *deadline* shortens the policy's own, in seconds. Transport errors are httpx's, with ``attempts`` on them.
    """
    return (yield from _Exchange(request, session, clock, random, deadline).run())


class _Exchange:
    def __init__(
        self,
        request: Request,
        session: Session,
        clock: Clock,
        random: Callable[[], float],
        deadline: float | None,
    ) -> None:
        self.request = request
        self.session = session
        self.clock = clock
        self.random = random
        self.policy = session.integration.retry
        self.deadline = deadline
        if deadline is not None:
            self.policy = _within(self.policy, deadline)
        self.started = clock.monotonic()
        self.moment = session.moment()
        self.body = _replayable_body(request)
        self.attempts: list[Attempt] = []
        self.renewals = 0

    def run(self) -> Flow[Response]:
        while True:
            # Credentials are asked for anew before each attempt: a retry must pick up refreshed ones.
            plan = yield from self.session.open(self._time_left())
            signed = self.session.sign(self.request, plan, self.moment, self.body)
            result = yield from self._send(signed)
            if isinstance(result, Response):
                if result.is_success and not self.session.integration.auth.reads_refusals:
                    return self._finish(result, "success")
                if (yield from self._is_renewed(result, signed, plan)):
                    continue
                if result.is_success:
                    return self._finish(result, "success")
            decision = self._decide((yield from self._outcome(signed, result)))
            if not isinstance(decision, Wait):
                return self._finish(result, decision.reason)
            self._note(result, decision.reason, decision.seconds)
            self._log("attempt.failed", "info", wait=round(decision.seconds, 3))
            if isinstance(result, Response):
                yield Close(result)
            yield Sleep(decision.seconds)

    def _is_renewed(self, answer: Response, signed: Request, plan: Plan) -> Flow[bool]:
        """Tell whether the token was refused and there is another one to try: once an exchange (RFC 6750 3.1)."""
        if self.renewals or self.body is None or not self.session.is_bound(signed.url, plan):
            return False
        if self.session.is_own(self.request):
            return False  # what was refused is the caller's, and there is no other to try
        reads = self.session.integration.auth.reads_refusals
        body = (yield from self._judged_body(answer)) if reads else None
        if not self.session.is_refusal(answer, body):
            return False
        try:
            if not (yield from self.session.renew(plan, self._time_left())):
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

    def _time_left(self) -> float | None:
        """Return the seconds that the caller's own deadline leaves."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - (self.clock.monotonic() - self.started))

    def _warn(self, error: NangoError) -> None:
        reason = self.session.masked(str(error))
        self.session.log("warning", "renewal.failed", error=type(error).__name__, reason=reason)

    def _send(self, signed: Request) -> Flow[Response | TransportError]:
        try:
            answer: Response = yield Send(signed)
        except TransportError as error:
            # The error's own request is the signed copy: the caller gets to see the one without credentials.
            error.request = self.request
            error.args = tuple(self.session.masked(str(part)) for part in error.args)
            return error
        answer.request = self.request
        return answer

    def _outcome(self, signed: Request, result: Response | TransportError) -> Flow[Outcome]:
        key = self.policy.idempotency_key
        common: dict[str, Any] = {
            "method": signed.method,
            "replayable": self.body is not None,
            "idempotent_key_sent": key is not None and key in signed.headers,
        }
        if isinstance(result, TransportError):
            return Outcome(**common, error=kind_of(result))
        body = (yield from self._judged_body(result)) if self.policy.in_body is not None else None
        return Outcome(**common, status=result.status_code, headers=result.headers, body=body)

    def _judged_body(self, answer: Response) -> Flow[object | None]:
        if not _is_short_json(answer.headers):
            return None
        keep(answer)
        yield ReadAnswer(answer)
        try:
            return json.loads(answer.content)  # type: ignore[no-any-return]
        except (ValueError, RecursionError):
            return None

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

    def _finish(self, result: Response | TransportError, decision: str) -> Response:
        if isinstance(result, Response):
            result = unread(result)
        self._note(result, decision, None)
        attach(result, self.attempts)
        failed = not isinstance(result, Response) or result.is_error
        self._log("exchange.finished", "warning" if failed else "info")
        if not isinstance(result, Response):
            raise result
        return result

    def _log(self, event: str, level: str, **fields: Any) -> None:
        last = self.attempts[-1]
        self.session.log(
            level,
            event,
            method=self.request.method,
            # Query and user info may hold credentials, and a path may hold one that a stand-in shows.
            host=self.request.url.host,
            path=self.request.url.path,
            attempt=last.number,
            status=last.status,
            error=last.error,
            reason=last.decision,
            seconds=round(self.clock.monotonic() - self.started, 3),
            **fields,
        )


def _within(policy: RetryPolicy, deadline: float) -> RetryPolicy:
    return replace(policy, deadline=max(0.0, min(policy.deadline, deadline)))


def _replayable_body(request: Request) -> bytes | None:
    """Return the body when it is in memory; a stream can be sent once only."""
    stream = request.stream
    return b"".join(stream) if isinstance(stream, ByteStream) else None


def _is_short_json(headers: Headers) -> bool:
    if "json" not in headers.get("Content-Type", ""):
        return False
    length = headers.get("Content-Length", "")
    return length.isdigit() and int(length) <= MAX_JUDGED
