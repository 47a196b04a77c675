"""Bodies that the engine reads to judge an answer, and that their caller reads again as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.http import AsyncByteStream, Response, SyncByteStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["KeptBody", "keep", "unread"]


class KeptBody(SyncByteStream, AsyncByteStream):
    """Pass a body on, coded as it is, and keep it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.parts: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self.parts.append(part)
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self.parts.append(part)
            yield part

    def close(self) -> None:
        """Close what is passed on."""
        self._stream.close()

    async def aclose(self) -> None:
        """Close what is passed on."""
        await self._stream.aclose()


class _Memory(SyncByteStream, AsyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


def keep(answer: Response) -> None:
    """Keep the body of *answer* when it is read; one that is in memory already is no stream any more."""
    if not answer.is_stream_consumed:
        answer.stream = KeptBody(answer.stream)


def unread(answer: Response) -> Response:
    """Return *answer* as it was before its kept body was read."""
    if not isinstance(answer.stream, KeptBody):
        return answer
    return Response(
        answer.status_code,
        headers=answer.headers,
        stream=_Memory(answer.stream.parts),
        extensions=answer.extensions,
        request=answer.request,
    )
