"""One run of an action: its id, when it must be over, and who hears what happens in it."""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from nango_py import tracing
from nango_py.effects import Join, Sleep
from nango_py.errors import DeadlineError
from nango_py.events import Finished, Renewed, Started, Waiting
from nango_py.exchange.attempts import attempts_of
from nango_py.http import TooLargeError, TransportError
from nango_py.log import is_heard, with_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from nango_py.effects import Effect, Flow
    from nango_py.errors import RemoteError
    from nango_py.events import Event, OnEvent
    from nango_py.exchange.session import Session

__all__ = ["Execution", "in_time", "pause", "waits"]

_T = TypeVar("_T")


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """One run of an action of a connection; *deadline* is in seconds from its making."""

    session: Session
    action: str
    deadline: float | None = None
    on_event: OnEvent | None = field(default=None, repr=False)
    parent: Execution | None = field(default=None, repr=False)
    """The execution that runs this one, by ``ctx.run`` or as a step."""
    id: str = field(default_factory=partial(token_hex, 16))
    started_at: float = field(init=False)
    _span: Any = field(default=None, init=False, repr=False)
    _is_current: bool = field(default=False, init=False, repr=False)
    _is_stopped: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self.started_at = self.session.clock.monotonic()

    def child(self, action: str) -> Execution:
        """Return an execution of another action that this one runs, in the time that is left."""
        self.check()
        return Execution(
            session=self.session, action=action, deadline=self.time_left(), on_event=self.on_event, parent=self
        )

    @property
    def fields(self) -> dict[str, str]:
        """Return what each of its log lines says."""
        return {"action": self.action, "execution_id": self.id}

    def log(self, level: str, event: str, **fields: Any) -> None:
        """Log a line about the execution."""
        self.session.log(level, event, **self.fields, **fields)

    # Time

    def time_left(self) -> float | None:
        """Return the seconds that are left, or None when there is no end."""
        return None if self.deadline is None else self.deadline - self._elapsed()

    def check(self, **context: Any) -> None:
        """Go no further when the time is over, or nobody waits any more.

        Raises:
            DeadlineError: The time given by ``deadline=`` is over.
            concurrent.futures.CancelledError: Whoever asked for the action was cancelled.
        """
        if self.is_stopped:
            raise CancelledError(f"{self._who()}: whoever asked for it waits no longer.")
        left = self.time_left()
        if left is not None and left <= 0:
            self.fail(DeadlineError, "the time given by deadline= is over.", **context)

    def stop(self) -> None:
        """Let it go no further: whoever asked for it waits no longer."""
        self._is_stopped = True

    @property
    def is_stopped(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._is_stopped or (self.parent is not None and self.parent.is_stopped)

    def fail(self, kind: type[RemoteError], message: str, **context: Any) -> NoReturn:
        """Raise an error about the execution."""
        raise kind(
            f"{self._who()}: {message}", integration=self.session.integration.name, action=self.action, **context
        )

    # Beginning and end

    def around(self, flow: Flow[_T]) -> Flow[_T]:
        """Return what *flow* does, as this execution."""
        self._begin()
        try:
            value = yield from flow
        except BaseException as error:
            self._end(error)
            raise
        self._end(None)
        return value

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run Python code of the program as this execution: its own spans and lines belong to it."""
        self._begin()
        self._is_current = True
        try:
            with tracing.active(self._span), with_fields(execution_id=self.id):
                yield
        except BaseException as error:
            self._end(error)
            raise
        self._end(None)

    def _begin(self) -> None:
        if tracing.is_wanted():
            facts = {
                "nango.integration": self.session.integration.name,
                "nango.action": self.action,
                "nango.user_id": self.session.user_id,
                "nango.execution_id": self.id,
            }
            above = None if self.parent is None else self.parent.span
            self._span = tracing.begin(f"{self.session.integration.name}/{self.action}", facts, parent=above)
        self.tell(Started)

    def _end(self, error: BaseException | None) -> None:
        outcome = _outcome(error)
        name = None if error is None else type(error).__name__
        seconds = self._elapsed()
        tracing.end(self._span, error)
        level = "warning" if outcome == "error" else "info"
        if is_heard(level, self.session.integration.log_level):
            parent = {} if self.parent is None else {"parent_id": self.parent.id}
            self.log(level, "action.finished", outcome=outcome, error=name, seconds=round(seconds, 3), **parent)
        self.tell(Finished, outcome=outcome, error=name, seconds=seconds)

    @property
    def span(self) -> Any:
        """Return the span above those of what happens in it now; None where nobody traces."""
        return tracing.current(self._span) if self._is_current else self._span

    # Events

    def tell(self, kind: type[Event], **facts: Any) -> None:
        """Tell whoever listens; a mistake of theirs is logged and costs nothing else."""
        if self.on_event is None:
            return
        event = kind(
            execution_id=self.id,
            parent_id=None if self.parent is None else self.parent.id,
            integration=self.session.integration.name,
            action=self.action,
            user_id=self.session.user_id,
            elapsed=self._elapsed(),
            **facts,
        )
        try:
            self.on_event(event)
        except Exception as error:
            self.log("error", "hook.failed", error=type(error).__name__)

    def _elapsed(self) -> float:
        return self.session.clock.monotonic() - self.started_at

    def _who(self) -> str:
        return f"integration {self.session.integration.name!r}, action {self.action!r}"


def _outcome(error: BaseException | None) -> Literal["success", "error", "cancelled"]:
    if error is None:
        return "success"
    is_cancelled = isinstance(error, CancelledError) or not isinstance(error, Exception)
    return "cancelled" if is_cancelled else "error"


def in_time(execution: Execution | None, flow: Flow[_T]) -> Flow[_T]:
    """Return what *flow* does in the time that is left.

    Raises:
        DeadlineError: The time is over.
    """
    if execution is None:
        return flow
    execution.check()
    return flow if execution.deadline is None else _in_time(execution, flow)


def _in_time(execution: Execution, flow: Flow[_T]) -> Flow[_T]:
    try:
        return (yield from flow)
    except TimeoutError:
        execution.fail(DeadlineError, "the time given by deadline= is over; a renewal was under way and goes on.")
    except TransportError as error:
        if not isinstance(error, TooLargeError):
            execution.check(attempts=attempts_of(error))
        raise


def pause(seconds: float) -> Flow[None]:
    """Wait, in seconds."""
    yield Sleep(seconds)


def waits(execution: Execution | None, flow: Flow[_T], reason: str) -> Flow[_T]:
    """Return what *flow* does, and tell of each of its waits."""
    return flow if execution is None and not tracing.is_wanted() else _told(execution, flow, reason)


def _told(execution: Execution | None, flow: Flow[_T], reason: str) -> Flow[_T]:
    try:
        effect = next(flow)
        while True:
            if not isinstance(effect, Join | Sleep):
                try:
                    result = yield effect
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
                continue
            wait = _Wait(execution, effect, reason)
            try:
                result = yield wait.effect
            except BaseException as error:
                wait.end(error)
                effect = flow.throw(error)
            else:
                wait.end(result)
                effect = flow.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


class _Wait:
    """One wait, from its beginning on; ``effect`` is what to do."""

    def __init__(self, execution: Execution | None, effect: Join | Sleep, reason: str) -> None:
        self._execution = execution
        self._reason = reason
        self._began = 0.0 if execution is None else execution.session.clock.monotonic()
        above = None if execution is None else execution.span
        self._span = tracing.begin("nango.wait", {"nango.wait.reason": reason}, parent=above)
        if execution is not None:
            execution.tell(Waiting, reason=reason, seconds=effect.seconds)
        self.effect: Effect = effect
        if isinstance(effect, Join):
            self.effect = Join(partial(self._start, effect.start), effect.seconds)

    def _start(self, start: Callable[[], Future[Any]]) -> Future[Any]:
        """Begin work of other threads: they copy this one's context, and so belong to the execution, too."""
        fields = {} if self._execution is None else {"execution_id": self._execution.id}
        with tracing.active(self._span), with_fields(**fields):
            return start()

    def end(self, result: Any) -> None:
        is_failed = isinstance(result, BaseException)
        tracing.end(self._span, result if is_failed else None)
        if self._execution is not None and self._reason == "renewal" and not is_failed:
            seconds = self._execution.session.clock.monotonic() - self._began
            self._execution.tell(Renewed, seconds=seconds)
