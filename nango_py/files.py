"""The caller's files: bytes, binary file objects and paths; a text is never one of them."""

from __future__ import annotations

import io
import os
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

from nango_py.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "held", "is_file", "name_of", "source_of"]

PIECE = 65_536
"""Bytes that are read at once."""


def is_file(value: object) -> bool:
    """Tell whether a value is a file: bytes, a binary file object, or an ``os.PathLike``."""
    if isinstance(value, bytes | bytearray | memoryview | os.PathLike):
        return True
    # Wrappers such as those of tempfile are file objects without being io's.
    is_text = isinstance(value, io.TextIOBase) or hasattr(value, "encoding")
    return not isinstance(value, str) and callable(getattr(value, "read", None)) and not is_text


def name_of(value: object) -> str | None:
    """Return the name of a file without its folders, None where it has none."""
    name = os.fspath(value) if isinstance(value, os.PathLike) else getattr(value, "name", None)
    # The name of a descriptor is its number.
    return os.path.basename(name) or None if isinstance(name, str) else None  # noqa: PTH119 - a name, no path


class Source:
    """The bytes of one file, from where it stands now to its end.

    Its methods are those of a binary file whose beginning is that place; one that cannot be rewound has no ``seek``,
    as httpx expects it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_given = False
        self.name = getattr(file, "name", None)

    def given(self) -> Source:
        """Return it for one body.

        Raises:
            InputError: It has been given to another one, and cannot be rewound.
        """
        if self._is_given:
            raise InputError("a file that cannot be rewound goes into one request only; give its bytes.")
        self._is_given = True
        return self

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most *size* of them; none at the end."""
        data = self._file.read(size)
        if not isinstance(data, bytes):
            raise InputError(f"a file gives {type(data).__name__}, not bytes; open it in binary mode.")
        return data

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes."""
        while piece := self.read(PIECE):
            yield piece

    @property
    def size(self) -> int | None:
        """Return how many bytes there are; None where only reading tells."""
        return None


class _Rewindable(Source):
    """A file that several bodies may have, also at once: each has a place of its own in it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._start = file.tell()
        self._size = file.seek(0, os.SEEK_END) - self._start
        self._at = 0
        self._lock = Lock()

    def given(self) -> Source:
        """Return it for one body, at its beginning."""
        other = copy(self)
        other.seek(0)
        return other

    def read(self, size: int = -1) -> bytes:
        place = self._start + self._at
        with self._lock:
            if self._file.tell() != place:
                self._file.seek(place)
            data = super().read(size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place and return it."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def pieces(self) -> Iterator[bytes]:
        self.seek(0)
        yield from super().pieces()

    @property
    def size(self) -> int:
        return self._size


class _AtPath(io.RawIOBase):
    """A file that is open only while it is read, so that nobody has to close it."""

    def __init__(self, path: os.PathLike[Any]) -> None:
        self._path = path
        self._size = os.stat(path).st_size  # noqa: PTH116 - any os.PathLike, bytes ones as well
        self._at = 0
        self._file: BinaryIO | None = None

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            self._file = open(self._path, "rb")  # noqa: PTH123, SIM115 - closed at its end
            self._file.seek(self._at)
        data = self._file.read(size)
        self._at += len(data)
        if not data:
            self._put_down()
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._put_down()
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def _put_down(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def held(value: Any) -> Any:
    """Return a file object as its bytes from where it stands now, however often they are wanted; others as they are.

    Raises:
        InputError: It cannot be read.
    """
    is_object = is_file(value) and not isinstance(value, bytes | bytearray | memoryview | os.PathLike | Source)
    return source_of(value) if is_object else value


def source_of(value: Any) -> bytes | Source:
    """Return a file's bytes where it is in memory, else what reads it.

    Raises:
        InputError: There is no such file, or it cannot be opened.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Source):
        return value.given()
    try:
        if isinstance(value, os.PathLike):
            file: Any = _AtPath(value)
            with open(value, "rb"):  # noqa: PTH123 - a folder has a size, too
                return _Rewindable(file)
        return _Rewindable(value) if _is_seekable(value) else Source(value)
    except OSError as error:
        which = f"the file {os.fsdecode(value)}" if isinstance(value, os.PathLike) else "the file"
        raise InputError(f"{which} cannot be read: {error.strerror or type(error).__name__}.") from None


def _is_seekable(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if callable(seekable) else False
