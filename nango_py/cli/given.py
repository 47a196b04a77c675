"""JSON that an option gives: as it stands, in a file that follows an @, or on standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nango_py.errors import InputError

__all__ = ["read_json", "read_object"]

_STANDARD_INPUT = "-"
_EXAMPLE = """'{"limit": 5}'"""


def read_object(given: str | None, option: str) -> dict[str, Any] | None:
    """Return the JSON object that an *option* gives, None where it was not given.

    Raises:
        InputError: It cannot be read, or is none.
    """
    if given is None:
        return None
    document = read_json(given, option)
    if not isinstance(document, dict):
        raise InputError(f"{option} must be a JSON object, such as {_EXAMPLE}.")
    return document


def read_json(given: str, option: str) -> Any:
    """Return the JSON that an *option* gives.

    Raises:
        InputError: It cannot be read, or is none; what it holds is not quoted, for it may be secret.
    """
    try:
        return json.loads(_text(given, option))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{option} is no JSON: {where}: {error.msg}. {_remedy(given, option)}".rstrip()) from None
    except RecursionError:
        raise InputError(f"{option} is JSON too deep to be read.") from None


def _remedy(given: str, option: str) -> str:
    if given == _STANDARD_INPUT or given[:1] == "@":
        return ""
    return (
        f"Quote it for the shell: {option} {_EXAMPLE}; or give a file, {option} @input.json, or standard input, "
        f"{option} - ."
    )


def _text(given: str, option: str) -> str:
    if given == _STANDARD_INPUT:
        return sys.stdin.read()
    if given[:1] != "@":
        return given
    try:
        return Path(given[1:]).read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{option}: the file {given[1:]} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{option}: the file {given[1:]} is no UTF-8 text.") from None
