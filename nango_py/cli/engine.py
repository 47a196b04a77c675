"""What commands share: where the file is, where the store is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nango_py.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from nango_py.engine import Nango

__all__ = ["blueprints_option", "engine_options", "load", "pairs", "reading", "searched"]

_F = TypeVar("_F", bound=Callable[..., Any])

blueprints_option = click.option(
    "--blueprints",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="A folder of blueprints, searched first.",
)


def engine_options(command: _F) -> _F:
    """Give a command --file, --store and --blueprints."""
    for option in (
        blueprints_option,
        click.option("--store", metavar="URL", help="The connection store; NANGO_STORE without it."),
        click.option(
            "--file", "-f", default="integrations.yaml", show_default=True, metavar="PATH", help="The integrations."
        ),
    ):
        command = option(command)
    return command


@contextmanager
def reading() -> Iterator[None]:
    """Load what was named; a file that cannot be read is a mistake of whoever named it, not of its author."""
    try:
        yield
    except ConfigError as error:
        if any(problem.code == "file.unreadable" for problem in error.problems):
            raise UsageError(str(error)) from None
        raise


def load(file: str, store: str | None, blueprints: tuple[str, ...]) -> Nango:
    """Return the engine that the options name."""
    from nango_py.engine import Nango

    with reading():
        return Nango.load(Path(file), store=store, blueprints=blueprints)


def searched(blueprints: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders of blueprints to look in: those given, and ``blueprints`` where the command runs."""
    return (*blueprints, *(["blueprints"] if Path("blueprints").is_dir() else []))


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
