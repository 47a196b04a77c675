"""A simulated provider in memory: an httpx transport, for threads and for event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.http import (
    AsyncBaseTransport,
    AsyncByteStream,
    BaseTransport,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    Response,
    SyncByteStream,
)
from nango_py.testing.messages import Answered, Asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nango_py.clock import Clock
    from nango_py.http import Request

__all__ = ["SimulatedTransport", "asked_of"]


class SimulatedTransport(BaseTransport, AsyncBaseTransport):
    """Hand requests to a provider in this process; an answer that is slow takes the time of *clock*."""

    def __init__(self, answer: Callable[[Asked], Answered], clock: Clock, slow_seconds: float) -> None:
        self._answer = answer
        self._clock = clock
        self._slow_seconds = slow_seconds

    def handle_request(self, request: Request) -> Response:
        """Return the provider's answer, or raise what breaks it off."""
        answered = self._answer(asked_of(request, request.read()))
        if answered.mishap == "slow":
            self._clock.sleep(self._patience(request))
        return self._result(request, answered)

    async def handle_async_request(self, request: Request) -> Response:
        """Return the provider's answer, or raise what breaks it off."""
        answered = self._answer(asked_of(request, await request.aread()))
        if answered.mishap == "slow":
            await self._clock.asleep(self._patience(request))
        return self._result(request, answered)

    def _patience(self, request: Request) -> float:
        """Return how long the answer takes, or the program waits for it if that is less."""
        limit = request.extensions.get("timeout", {}).get("read")
        return self._slow_seconds if limit is None else min(self._slow_seconds, limit)

    def _result(self, request: Request, answered: Answered) -> Response:
        if answered.mishap == "reset":
            raise ReadError("the connection was reset", request=request)
        if answered.mishap == "slow" and self._patience(request) < self._slow_seconds:
            raise ReadTimeout("no answer came in time", request=request)
        headers = {**answered.headers, "Content-Length": str(len(answered.content))}
        if answered.mishap == "truncated":
            return Response(answered.status, headers=headers, stream=_Torn(answered.content))
        return Response(answered.status, headers=headers, content=answered.content)


class _Torn(SyncByteStream, AsyncByteStream):
    """A body of which only the first half comes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise RemoteProtocolError("the answer broke off")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise RemoteProtocolError("the answer broke off")


def asked_of(request: Request, content: bytes) -> Asked:
    """Return a request of httpx as a provider sees it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(method=request.method, url=str(request.url), headers=headers, content=content)
