"""Files on the command line: those that an action takes, and the one that it gives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.exchange.download import Download
    from nango_py.json_schema import Schema

__all__ = ["saved", "with_files"]


def with_files(
    given: dict[str, Any] | None, attached: Iterable[str], schema: Schema | None, who: str
) -> dict[str, Any] | None:
    """Return an input in which base64 text is the file that it codes, with those *attached* as ``NAME=PATH``.

    A name that is given several times is a list of files.

    Raises:
        InputError: A text is no base64, or what is attached has not that form.
    """
    if schema is not None and schema.has_files and given:
        from nango_py.tools.arguments import with_bytes

        given = with_bytes(schema.document, given, who=who)
    files: dict[str, list[Path]] = {}
    for text in attached:
        name, is_told, path = text.partition("=")
        if not (is_told and name and path):
            raise InputError("--attach takes NAME=PATH: the input's name and the file.")
        files.setdefault(name, []).append(Path(path))
    if not files:
        return given
    return {**(given or {}), **{name: paths[0] if len(paths) == 1 else paths for name, paths in files.items()}}


def saved(download: Download, output: str | None) -> dict[str, Any] | None:
    """Write a download to the file *output*, and return what there is to say of it; ``-`` is standard output.

    Raises:
        UsageError: There is no *output*.
    """
    with download:
        if output is None:
            raise UsageError("this action's output is a file: say where to with --output FILE, or --output - .")
        if output == "-":
            for piece in download:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return None
        path = download.save(output)
    return {"saved": str(path), "size": path.stat().st_size, "content_type": download.content_type}
