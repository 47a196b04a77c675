"""Free what an answer holds when its body is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.http import AsyncByteStream, SyncByteStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from nango_py.exchange.entry import Entry
    from nango_py.exchange.stored_gate import AnyGate
    from nango_py.http import Response

__all__ = ["hold_until_closed"]


def hold_until_closed(answer: Response, held: Sequence[tuple[AnyGate, Entry]]) -> None:
    """Leave the gates of *held* when the answer's body is closed, at once where it has been read."""
    if not held:
        return
    slots = _Slots(held)
    if answer.is_closed:
        slots.free()
    else:
        answer.stream = _Body(answer.stream, slots)


class _Slots:
    def __init__(self, held: Sequence[tuple[AnyGate, Entry]]) -> None:
        self._held = held

    def free(self) -> None:
        held, self._held = self._held, ()
        for gate, entry in held:
            gate.leave(entry)

    def __del__(self) -> None:
        # An answer that is dropped unread must not keep its slots for ever.
        self.free()


class _Body(SyncByteStream, AsyncByteStream):
    """The body of an answer of either kind; the client asks for what it is."""

    def __init__(self, stream: Any, slots: _Slots) -> None:
        self._stream = stream
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    def close(self) -> None:
        """Close the body and free the slots, whatever closing says."""
        try:
            self._stream.close()
        finally:
            self._slots.free()

    async def aclose(self) -> None:
        """Close the body and free the slots, whatever closing says."""
        try:
            await self._stream.aclose()
        finally:
            self._slots.free()
