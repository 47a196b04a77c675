"""Read secrets from a prompt, standard input or a file; never from a plain flag, which others can see."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nango_py.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.field import Field

__all__ = ["read_credentials"]


def read_credentials(fields: tuple[Field, ...], environ: Mapping[str, str], source: str | None) -> dict[str, Any]:
    """Return credentials: a JSON document from *source* (``-`` is standard input), or a value for each field.

    A field is read from the file that ``<FIELD>_FILE`` names, or asked for when there is a terminal.
    """
    if source is not None:
        text = sys.stdin.read() if source == "-" else _text_of(source)
        try:
            document = json.loads(text)
        except ValueError:
            raise CredentialsError("credentials: what was read is no JSON.") from None
        if not isinstance(document, dict):
            raise CredentialsError('credentials: the JSON must be an object, such as {"api_key": "..."}.')
        return document
    values = {}
    for field in fields:
        named = environ.get(f"{field.name.upper()}_FILE")
        if named:
            values[field.name] = _text_of(named).rstrip("\r\n")
        elif field.required:
            if not sys.stdin.isatty():
                raise CredentialsError(
                    f"credentials: there is no terminal to ask for {field.name!r} on. "
                    "Hand in a JSON object: --credentials FILE, or --credentials - for standard input."
                )
            values[field.name] = click.prompt(field.title or field.name, hide_input=True)
    return values


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(f"credentials: the file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"credentials: the file {path} is no UTF-8 text.") from None
