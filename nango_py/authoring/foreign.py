"""Read a file that somebody else wrote for another tool: JSON or YAML, bounded in size and depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import scalar, wrap
from nango_py.errors import ConfigError, UsageError
from nango_py.yaml_text import parse

if TYPE_CHECKING:
    from pathlib import Path

    from nango_py.document import Document

__all__ = ["mapping", "read_foreign", "texts"]

MAX_BYTES = 33_554_432
MAX_NODES = 400_000


def read_foreign(path: Path) -> Document:
    """Return the document of a JSON or YAML file whose outermost value is a mapping.

    What YAML says and we do not read (tags, merge keys) stands among its problems; the rest is there.

    Raises:
        UsageError: The file cannot be read.
        ConfigError: It is no such document, or too large or too deep.
    """
    text = _text_of(path)
    document = _json(text, str(path)) if text.lstrip()[:1] == "{" else None
    if document is None:
        document = parse(text, str(path), max_characters=MAX_BYTES, max_nodes=MAX_NODES)
    if document.data is None and document.problems:
        raise ConfigError(document.problems)
    if not isinstance(document.data, Mapping):
        raise UsageError(f"{path}: the file holds no mapping.")
    return document


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            written = file.read(MAX_BYTES + 1)  # what is no ordinary file has no size to ask for
        if len(written) > MAX_BYTES:
            raise UsageError(f"{path}: the file is larger than {MAX_BYTES:,} bytes.")
        return written.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text.") from None


def _json(text: str, source: str) -> Document | None:
    """Return the document of JSON text; None for what is YAML in braces."""
    try:
        # Numbers that YAML as we write it could not hold are texts here as well.
        data = _whole(json.loads(text, parse_int=scalar, parse_float=scalar))
    except RecursionError:
        raise UsageError(f"{source}: the file is nested too deeply.") from None
    except ValueError:
        return None
    document = wrap(data, source)
    if document.problems:
        raise ConfigError(document.problems)
    return document


def _whole(value: Any) -> Any:
    """Return JSON without half characters: an escaped surrogate is none that a file can hold."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return *value* where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
