"""A cap on the size of answers, that of their bodies as received and as decompressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from nango_py.http import AsyncByteStream, DecodingError, Response, SyncByteStream, TooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from nango_py.http import Headers

__all__ = ["ACCEPTED_CODINGS", "limit_answer"]

ACCEPTED_CODINGS: Final = "gzip, deflate"
"""The codings that are asked for under a limit: how large the others become is known only when they have."""
_UNBOUNDED: Final = frozenset({"br", "zstd"})
_PIECE: Final = 65_536


def limit_answer(answer: Response, limit: int) -> None:
    """Let no more of an answer be read than *limit* bytes, whether it is compressed or not.

    Raises:
        TooLargeError: It says by itself that it is larger, or its coding hides its size. It has to be closed.
    """
    if answer.is_closed:
        if len(answer.content) > limit:
            raise _too_large(limit)
        return
    codings = _codings(answer.headers)
    length = answer.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length) > limit and answer.request.method != "HEAD":
        raise _too_large(limit)
    if hidden := _UNBOUNDED.intersection(codings):
        raise TooLargeError(f"the answer's coding {min(hidden)!r} hides how large it is; response_limit allows none")
    meter = _Meter(limit, codings)
    kinds = (isinstance(answer.stream, SyncByteStream), isinstance(answer.stream, AsyncByteStream))
    answer.stream = _LIMITED[kinds](answer.stream, meter)


class _Meter:
    """Count a body's bytes as they are received, and as each of its codings is taken off."""

    def __init__(self, limit: int, codings: list[str]) -> None:
        self.limit = limit
        # The last coding was put on last, and so comes off first (RFC 9110 section 8.4).
        self.decoders = [_DECODERS[coding]() for coding in reversed(codings) if coding in _DECODERS]
        self.counts = [0] * (len(self.decoders) + 1)

    def add(self, data: bytes, layer: int = 0) -> None:
        self.counts[layer] += len(data)
        if self.counts[layer] > self.limit:
            raise _too_large(self.limit)
        if layer < len(self.decoders):
            for piece in self.decoders[layer].pieces(data):
                self.add(piece, layer + 1)


class _Inflater:
    """Decompress in pieces, each of a bounded size, as httpx does it whole."""

    def __init__(self, wbits: int) -> None:
        self.inflate = zlib.decompressobj(wbits)
        self.is_new = True

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data and not self.inflate.eof:
            try:
                piece = self.inflate.decompress(data, _PIECE)
            except zlib.error as error:
                self._restart(error)
                continue
            self.is_new = False
            yield piece
            data = self.inflate.unconsumed_tail

    def _restart(self, error: zlib.error) -> None:
        raise DecodingError(str(error)) from error


class _Deflated(_Inflater):
    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)

    def _restart(self, error: zlib.error) -> None:
        # Some servers send the bare stream, without zlib's frame.
        if not self.is_new:
            super()._restart(error)
        self.inflate, self.is_new = zlib.decompressobj(-zlib.MAX_WBITS), False


class _Gzipped(_Inflater):
    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS | 16)


_DECODERS: Final[Mapping[str, Any]] = {"gzip": _Gzipped, "deflate": _Deflated}


class _Limited(SyncByteStream):
    def __init__(self, stream: Any, meter: _Meter) -> None:
        self._stream = stream
        self._meter = meter

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            try:
                self._meter.add(part)
            except TooLargeError:
                self.close()
                raise
            yield part

    def close(self) -> None:
        """Close the answer."""
        self._stream.close()


class _AsyncLimited(AsyncByteStream):
    def __init__(self, stream: Any, meter: _Meter) -> None:
        self._stream = stream
        self._meter = meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            try:
                self._meter.add(part)
            except TooLargeError:
                await self.aclose()
                raise
            yield part

    async def aclose(self) -> None:
        """Close the answer."""
        await self._stream.aclose()


class _EverywhereLimited(_Limited, _AsyncLimited):
    pass


_LIMITED: Final[Mapping[tuple[bool, bool], Any]] = {
    (True, False): _Limited,
    (False, True): _AsyncLimited,
    (True, True): _EverywhereLimited,
}


def _codings(headers: Headers) -> list[str]:
    return [coding.strip().lower() for coding in headers.get("Content-Encoding", "").split(",") if coding.strip()]


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the answer is larger than response_limit, {limit:,} bytes; it was closed")
