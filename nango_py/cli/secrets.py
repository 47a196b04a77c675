"""Read an account's values from a prompt, standard input or a file; secrets never from a flag, which others see."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nango_py.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from nango_py.field import Field
    from nango_py.model import Integration

__all__ = ["read_config", "read_credentials"]


def read_credentials(integration: Integration, environ: Mapping[str, str], source: str | None) -> dict[str, Any]:
    """Return credentials: a JSON document from *source* (``-`` is standard input), or a value for each field.

    A field is read from the file that ``<FIELD>_FILE`` names, or asked for when there is a terminal. Optional ones
    are asked for where they are declared: others are tokens, which a sign-in or a grant gets.
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
    declared = integration.declared.get("credentials", {})
    for field in integration.credentials:
        named = environ.get(f"{field.name.upper()}_FILE")
        if named:
            values[field.name] = _text_of(named).rstrip("\r\n")
        elif field.required:
            if not sys.stdin.isatty():
                raise CredentialsError(
                    f"credentials: there is no terminal to ask for {field.name!r} on. "
                    "Hand in a JSON object: --credentials FILE, or --credentials - for standard input."
                )
            values[field.name] = _asked(field)
        elif field.optional and field.name in declared and sys.stdin.isatty() and (answer := _asked(field)):
            values[field.name] = answer
    return values


def read_config(
    integration: Integration, given: Mapping[str, str], *, comes_later: Container[str] = ()
) -> dict[str, str]:
    """Return the connection config that is *given*, with an answer for each value that is required and missing.

    Names that *comes_later* holds are left to the sign-in.
    """
    missing = [
        field
        for field in integration.connection_config
        if field.required and field.name not in given and field.name not in comes_later
    ]
    if missing and not sys.stdin.isatty():
        raise CredentialsError(
            f"integration {integration.name!r}: connection_config: there is no terminal to ask for "
            f"{', '.join(repr(field.name) for field in missing)} on. Give --config {missing[0].name}=VALUE."
        )
    return {**given, **{field.name: _asked(field) for field in missing}}


def _asked(field: Field) -> str:
    """Return what is answered on the terminal; "" where Enter skips an optional field."""
    title = f"{field.title or field.name}{' (Enter skips it)' if field.optional else ''}"
    answer: str = click.prompt(
        title, default="" if field.optional else None, show_default=False, hide_input=field.secret, err=True
    )
    return answer


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(f"credentials: the file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"credentials: the file {path} is no UTF-8 text.") from None
