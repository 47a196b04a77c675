"""What a Python action is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

from nango_py.events import Progress
from nango_py.log import logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from nango_py.connections.connection import ConnectionView
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.options import WalkOptions
    from nango_py.http import AsyncClient, Client

__all__ = ["AsyncContext", "Context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    connection: ConnectionView
    """The connection, without its credentials."""
    idempotency_key: str | None = None
    """What the caller gave, for the action to put where the provider wants it."""
    _execution: Execution = field(repr=False)

    @property
    def execution_id(self) -> str:
        """Return the id of this run, which its log lines and events bear."""
        return self._execution.id

    @property
    def log(self) -> Any:
        """Return a structlog logger that knows the execution and masks the connection's secrets."""
        session = self._execution.session
        return logger(
            session.secrets,
            level=session.integration.log_level,
            integration=session.integration.name,
            user_id=session.user_id,
            **self._execution.fields,
        )

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the action got, to whoever listens by ``on_event``.

        Raises:
            DeadlineError: The time given by ``deadline=`` is over.
            concurrent.futures.CancelledError: Nobody waits for the action any more.
        """
        self._execution.check()
        self._execution.tell(Progress, done=done, total=total, message=message)

    def time_left(self) -> float | None:
        """Return the seconds that ``deadline=`` leaves; None when it was not given."""
        return self._execution.time_left()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(_Given):
    """Give a plain Python action its tools.

    ``http`` is a client of the connection, which returns answers of every status. All that is done with the context
    keeps to the action's deadline, and stops when whoever asked for the action is cancelled.
    """

    http: Client = field(repr=False)
    _paginate: Callable[..., Iterator[Any]] = field(repr=False)
    _run: Callable[..., Any] = field(repr=False)

    def paginate(self, path: str, **options: Unpack[WalkOptions]) -> Iterator[Any]:
        """Return an iterator over the items of a list, as ``nango.paginate`` does."""
        return self._paginate(path, **options)

    def run(
        self,
        action: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - DESIGN's word
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Return the output of another action of the same integration, in the time that is left."""
        return self._run(action, input, idempotency_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncContext(_Given):
    """Give an ``async`` Python action its tools; as :class:`Context`, awaited."""

    http: AsyncClient = field(repr=False)
    _paginate: Callable[..., AsyncIterator[Any]] = field(repr=False)
    _run: Callable[..., Awaitable[Any]] = field(repr=False)

    def paginate(self, path: str, **options: Unpack[WalkOptions]) -> AsyncIterator[Any]:
        """Return an iterator over the items of a list, as ``nango.paginate`` does."""
        return self._paginate(path, **options)

    async def run(
        self,
        action: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Return the output of another action of the same integration, in the time that is left."""
        return await self._run(action, input, idempotency_key)
