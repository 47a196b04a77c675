"""What commands share: where the file is, where the store is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from nango_py.engine import Nango

__all__ = ["engine_options", "load", "pairs"]

_F = TypeVar("_F", bound=Callable[..., Any])


def engine_options(command: _F) -> _F:
    """Give a command --file, --store and --blueprints."""
    for option in (
        click.option("--blueprints", multiple=True, metavar="FOLDER", help="A folder of blueprints, searched first."),
        click.option("--store", metavar="URL", help="The connection store; NANGO_STORE without it."),
        click.option(
            "--file", "-f", default="integrations.yaml", show_default=True, metavar="PATH", help="The integrations."
        ),
    ):
        command = option(command)
    return command


def load(file: str, store: str | None, blueprints: tuple[str, ...]) -> Nango:
    """Return the engine that the options name."""
    from nango_py.engine import Nango

    return Nango.load(Path(file), store=store, blueprints=blueprints)


def pairs(items: tuple[str, ...], *, option: str = "--config", form: str = "NAME=VALUE") -> dict[str, str]:
    """Return what a repeated *option* of the form NAME=VALUE gave."""
    found: dict[str, str] = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{option} wants {form}.")
        if name in found:
            raise click.UsageError(f"{option} gives {name!r} twice.")
        found[name] = value
    return found
