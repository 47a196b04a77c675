"""An answer's bytes, read while they come; sync and async."""

from __future__ import annotations

from email.message import Message
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Self

from nango_py.errors import UsageError
from nango_py.http import DecodingError, StreamError, TransportError

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterator

    from nango_py.http import Response

__all__ = ["AsyncDownload", "Download"]

_ONCE = "a download is read once, before it is closed: run the action again."


class _Answer:
    """What the answer's head says of its bytes."""

    def __init__(self, response: Response, failure: Callable[[Exception], Exception]) -> None:
        self.response = response
        self._failure = failure

    @property
    def filename(self) -> str | None:
        """Return the name that the provider gives the file, without any folder; None without one."""
        return _filename(self.response.headers.get("Content-Disposition"))

    @property
    def content_type(self) -> str | None:
        """Return the media type, with its parameters."""
        found: str | None = self.response.headers.get("Content-Type")
        return found

    @property
    def size(self) -> int | None:
        """Return how many bytes there are, None where only reading tells."""
        length = self.response.headers.get("Content-Length", "")
        is_coded = "Content-Encoding" in self.response.headers
        return int(length) if length.isascii() and length.isdigit() and not is_coded else None

    def _target(self, path: str | os.PathLike[str]) -> Path:
        target = Path(path)
        if not target.is_dir():
            return target
        if self.filename is None:
            raise UsageError(f"{target} is a folder, and the provider names no file: say its whole path.")
        named = target / self.filename
        if named.exists():
            # The name is the provider's word, and which files of the program are replaced is not.
            raise UsageError(f"{named} exists already: say its whole path to replace it.")
        return named

    def __repr__(self) -> str:
        facts = {"filename": self.filename, "content_type": self.content_type, "size": self.size}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in facts.items())})"


class Download(_Answer):
    """The bytes of an answer; iterate, ``read()`` or ``save(path)`` once, and close it, best by ``with``.

    What goes wrong on the way is an error as any action raises it.
    """

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.response.iter_bytes()
        except (TransportError, DecodingError) as error:
            raise self._failure(error) from None
        except StreamError:
            raise UsageError(_ONCE) from None
        finally:
            self.close()

    def read(self) -> bytes:
        """Return all bytes."""
        return b"".join(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bytes to a file, which is there when all of them are, and return its path.

        In a folder it gets the name that the provider gives it, and replaces no other file.
        """
        target = self._target(path)
        part = _part_of(target)
        try:
            with part.open("xb") as file:
                for piece in self:
                    file.write(piece)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            self.close()
        return target

    def close(self) -> None:
        """Let go of the connection."""
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncDownload(_Answer):
    """The bytes of an answer; iterate, ``await read()`` or ``await save(path)`` once, and close it, best by ``with``.

    What goes wrong on the way is an error as any action raises it.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self.response.aiter_bytes():
                yield piece
        except (TransportError, DecodingError) as error:
            raise self._failure(error) from None
        except StreamError:
            raise UsageError(_ONCE) from None
        finally:
            await self.close()

    async def read(self) -> bytes:
        """Return all bytes."""
        return b"".join([piece async for piece in self])

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bytes to a file, which is there when all of them are, and return its path.

        In a folder it gets the name that the provider gives it, and replaces no other file.
        """
        from anyio.to_thread import run_sync  # noqa: PLC0415 - synchronous programs never need it

        target = await run_sync(self._target, path)
        part = _part_of(target)
        try:
            file: Any = await run_sync(part.open, "xb")
            try:
                async for piece in self:
                    await run_sync(file.write, piece)
            finally:
                file.close()
            await run_sync(part.replace, target)
        finally:
            part.unlink(missing_ok=True)
            await self.close()
        return target

    async def close(self) -> None:
        """Let go of the connection, also in a task that is being cancelled."""
        from anyio import CancelScope  # noqa: PLC0415

        with CancelScope(shield=True):
            await self.response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def _part_of(target: Path) -> Path:
    return target.with_name(f".{token_hex(8)}.part")  # not made of the name, which may be as long as names can be


def _filename(disposition: str | None) -> str | None:
    """Return the name in a ``Content-Disposition`` (RFC 6266).

    The other side wrote it: no folder stays in it, and it is no hidden file, such as a shell's settings.
    """
    if disposition is None:
        return None
    message = Message()
    message["Content-Disposition"] = " ".join(disposition.split())
    found: Any = message.get_filename()
    name = "" if found is None else str(found).replace("\\", "/").rpartition("/")[2].strip().lstrip(". ")
    return name if name.isprintable() and name else None
