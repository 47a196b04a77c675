"""nango-py keys."""

from __future__ import annotations

import sys

import click

from nango_py.cli.engine import engine_options, load
from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table
from nango_py.core import core_of

__all__ = ["command"]


@click.group("keys")
def command() -> None:
    """Look after the encryption keys."""


@command.command("rotate")
@engine_options
@json_option
def rotate(file: str, store: str | None, blueprints: tuple[str, ...], *, as_json: bool) -> None:
    """Encrypt every connection with the newest key; may be stopped and started again.

    Put the new key first in NANGO_ENCRYPTION_KEYS and keep the old ones behind it until this has run.
    """
    with load(file, store, blueprints) as nango:
        counts = core_of(nango).accounts.manager.vault.rotate()
    facts = {name: getattr(counts, name) for name in counts.__dataclass_fields__}
    if as_json:
        print_json(facts)
    else:
        table(("what", "count"), facts.items())
    sys.exit(1 if any(isinstance(value, tuple | list) and value for value in facts.values()) else 0)
