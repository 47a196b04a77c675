"""What happens while an action runs, told to the client that asked for it."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio

from nango_py.events import PageRead, Progress, StepDone, Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nango_py.events import Event, OnEvent

__all__ = ["relayed"]

_Told: TypeAlias = tuple[float | None, float | None, str]


@asynccontextmanager
async def relayed(report: Callable[[float, float | None, str | None], Awaitable[None]]) -> AsyncIterator[OnEvent]:
    """Give an ``on_event`` that may be called from any thread; what it hears is reported in order, all of it."""
    loop = asyncio.get_running_loop()
    outgoing, incoming = anyio.create_memory_object_stream[_Told](math.inf)

    def put(told: _Told) -> None:
        # An action in a thread may outlive its caller, and a client need not listen to the end.
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            outgoing.send_nowait(told)

    def heard(event: Event) -> None:
        if (told := _told(event)) is not None:
            loop.call_soon_threadsafe(put, told)

    async with anyio.create_task_group() as tasks, outgoing:
        tasks.start_soon(_pass_on, incoming, report)
        yield heard
        await asyncio.sleep(0)  # what was heard in this turn of the loop is on its way


async def _pass_on(incoming: Any, report: Callable[[float, float | None, str | None], Awaitable[None]]) -> None:
    """Report with numbers that only grow, as the protocol wants: an action's own as they are, others count up.

    A client that cannot be told stops no action, which may be in the midst of a change.
    """
    last = 0.0
    async with incoming:
        async for done, total, message in incoming:
            number = last + 1 if done is None else done
            if number > last:
                last = number
                try:
                    await report(number, total, message)
                except Exception:
                    return


def _told(event: Event) -> _Told | None:
    match event:
        case Progress(done=done, total=total, message=message):
            return done, total, message
        case PageRead(number=number, total=total):
            return None, None, f"page {number}: {total} items so far"
        case StepDone(step=step, is_skipped=is_skipped):
            return None, None, f"step {step} {'skipped' if is_skipped else 'done'}"
        case Waiting(reason=reason, seconds=seconds) if seconds is None or seconds >= 1:
            return None, None, f"waiting: {reason}" + ("" if seconds is None else f", {seconds:.0f} s at most")
    return None
