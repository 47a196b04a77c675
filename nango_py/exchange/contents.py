"""What a request carries beside JSON: a form, parts, or bytes as they are; files are read while they are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from nango_py.files import Source
from nango_py.http import AsyncByteStream, Request, SyncByteStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

__all__ = ["Content", "Part", "Upload", "form_content", "multipart_content", "raw_content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body that is encoded already, and the headers that tell of it."""

    headers: Mapping[str, str]
    body: bytes | Upload = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a multipart body: a text, or a file, which has a file name."""

    name: str
    value: str | bytes | Source = field(repr=False)
    filename: str | None = None
    content_type: str | None = None


class Upload(SyncByteStream, AsyncByteStream):
    """A body that is read while it is sent: in the calling thread, or in worker threads beside an event loop.

    ``can_repeat`` tells whether it can be sent once more.
    """

    def __init__(self, pieces: Any, *, can_repeat: bool) -> None:
        self._pieces = pieces
        self.can_repeat = can_repeat

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio.to_thread import run_sync  # noqa: PLC0415 - synchronous programs never need it

        pieces = iter(self._pieces())
        while (piece := await run_sync(next, pieces, None)) is not None:
            yield piece


def form_content(pairs: Iterable[tuple[str, str]]) -> Content:
    """Return a form (``application/x-www-form-urlencoded``)."""
    body = urlencode(list(pairs)).encode("ascii")
    return Content(headers={"Content-Type": "application/x-www-form-urlencoded", **_length(len(body))}, body=body)


def multipart_content(parts: Iterable[Part]) -> Content:
    """Return parts (``multipart/form-data``, RFC 7578), in their order."""
    kept = tuple(parts)
    # httpx encodes what it is given as files, a part without a file name as a plain field.
    files: list[Any] = [(part.name, (part.filename, part.value, part.content_type)) for part in kept]
    if not files:
        return Content(headers=_length(0), body=b"")
    made = Request("POST", "https://nango-py.invalid", files=files)
    headers = {name: made.headers[name] for name in _TELLING if name in made.headers}
    sources = [part.value for part in kept if isinstance(part.value, Source)]
    stream: Any = made.stream
    if not sources:
        return Content(headers=headers, body=b"".join(stream))
    return Content(headers=headers, body=Upload(lambda: stream, can_repeat=all(map(_can_repeat, sources))))


_TELLING = ("Content-Type", "Content-Length", "Transfer-Encoding")


def raw_content(value: bytes | Source, content_type: str) -> Content:
    """Return bytes as they are."""
    headers = {"Content-Type": content_type}
    if isinstance(value, bytes):
        return Content(headers={**headers, **_length(len(value))}, body=value)
    length = {"Transfer-Encoding": "chunked"} if value.size is None else _length(value.size)
    return Content(headers={**headers, **length}, body=Upload(value.pieces, can_repeat=_can_repeat(value)))


def _can_repeat(source: Source) -> bool:
    return source.size is not None


def _length(size: int) -> dict[str, str]:
    return {"Content-Length": str(size)}
