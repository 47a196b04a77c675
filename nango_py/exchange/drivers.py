"""The two shells that perform effects: in this thread, or beside an event loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Semaphore
from typing import TYPE_CHECKING, Any, TypeVar

from nango_py.effects import Call, Close, Emit, Gather, HandOver, Join, ReadAnswer, Send, Sleep
from nango_py.exchange.gathering import HELPERS, Gathering
from nango_py.exchange.loops import result_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from nango_py.clock import Clock
    from nango_py.effects import Effect, Flow
    from nango_py.exchange.loops import LoopBridge
    from nango_py.http import AsyncBaseTransport, BaseTransport, Response

__all__ = ["AsyncDriver", "Driver"]

_T = TypeVar("_T")
STORE_THREADS = 8
"""Worker threads of one engine for store work; their number bounds what a slow store can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Perform effects in the calling thread."""

    transport: BaseTransport
    clock: Clock
    helpers: Semaphore = field(default_factory=lambda: Semaphore(HELPERS))

    def run(self, flow: Flow[_T]) -> _T:
        """Return the value that *flow* ends with."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = self._perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    def iterate(self, flow: Flow[Any]) -> Iterator[Any]:
        """Yield what *flow* emits."""
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, Emit):
                    yield effect.value
                    effect = flow.send(None)
                    continue
                try:
                    result = self._perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration:
            return
        finally:
            flow.close()

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return self.transport.handle_request(request)
            case ReadAnswer(answer):
                return _read(answer)
            case Close(answer):
                return answer.close()
            case Sleep(seconds):
                return self.clock.sleep(seconds)
            case Call(work):
                return work()
            case Join(start, seconds):
                return start().result(seconds)
            case Gather(flows, at_most):
                gathering = Gathering(flows, perform=self._perform, clock=self.clock, helpers=self.helpers)
                return gathering.run(at_most)
            case HandOver(answer, failure):
                from nango_py.exchange.download import Download  # noqa: PLC0415 - most actions give data

                return Download(answer, failure)
        raise AssertionError(effect)


def _read(answer: Response) -> bytes:
    try:
        return answer.read()
    except BaseException:
        answer.close()
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncDriver:
    """Perform effects in the running task; blocking work of the store goes to worker threads of *limiter*."""

    transport: AsyncBaseTransport
    clock: Clock
    limiter: Callable[[], Any]
    bridge: LoopBridge | None = None

    async def run(self, flow: Flow[_T]) -> _T:
        """Return the value that *flow* ends with."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    async def iterate(self, flow: Flow[Any]) -> AsyncGenerator[Any, None]:
        """Yield what *flow* emits."""
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, Emit):
                    yield effect.value
                    effect = flow.send(None)
                    continue
                try:
                    result = await self._perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration:
            return
        finally:
            flow.close()

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return await self.transport.handle_async_request(request)
            case ReadAnswer(answer):
                return await _aread(answer)
            case Close(answer):
                return await _aclose(answer)
            case Sleep(seconds):
                return await self.clock.asleep(seconds)
            case Call(work):
                from anyio.to_thread import run_sync  # noqa: PLC0415 - synchronous programs never need it

                return await run_sync(work, limiter=self.limiter())
            case Join(start, seconds):
                if self.bridge is not None:
                    self.bridge.attach()
                return await result_of(start(), seconds)
            case Gather(flows, at_most):
                return await self._gather(flows, at_most)
            case HandOver(answer, failure):
                from nango_py.exchange.download import AsyncDownload  # noqa: PLC0415 - most actions give data

                return AsyncDownload(answer, failure)
        raise AssertionError(effect)

    async def _gather(self, flows: Sequence[Flow[Any]], at_most: int) -> list[Any]:
        from anyio import create_task_group  # noqa: PLC0415 - synchronous programs never need it

        results: list[Any] = [None] * len(flows)
        failures: list[Exception] = []
        left = iter(enumerate(flows))

        async def work() -> None:
            for index, flow in left:
                if failures:
                    return  # the group's cancelling comes at the next suspension only
                try:
                    results[index] = await self.run(flow)
                except Exception as error:
                    # Not out of the group, which would wrap it.
                    failures.append(error)
                    group.cancel_scope.cancel()
                    return

        async with create_task_group() as group:
            for _ in range(min(at_most, len(flows))):
                group.start_soon(work)
        if failures:
            raise failures[0]
        return results


async def _aread(answer: Response) -> bytes:
    try:
        return await answer.aread()
    except BaseException:
        await _aclose(answer)
        raise


async def _aclose(answer: Response) -> None:
    """Close the answer, also in a task that is being cancelled."""
    from anyio import CancelScope  # noqa: PLC0415

    with CancelScope(shield=True):
        await answer.aclose()
