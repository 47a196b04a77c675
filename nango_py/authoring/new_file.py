"""Write files that are there as a whole or not at all, and none over another."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["replace_file", "write_new"]


def write_new(path: Path, text: str) -> None:
    """Write *text* to a file that is not there yet, nor is a link of that name.

    Raises:
        FileExistsError: Something is there.
        OSError: It cannot be written; then nothing is left of it.
    """
    file = path.open("x", encoding="utf-8", newline="\n")
    try:
        with file:
            file.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace_file(path: Path, text: str) -> None:
    """Put a file with *text* in the place of what is there, at once; where that is a link, its target stays.

    Raises:
        OSError: It cannot be written; then what was there still is.
    """
    part = path.with_name(f".{token_hex(8)}.part")
    try:
        write_new(part, text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
