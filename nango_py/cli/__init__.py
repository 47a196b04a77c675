"""The command line: one command a file, imported when it is called."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

__all__ = ["main"]

_COMMANDS = {
    "blueprints": "See the blueprints at hand.",
    "check": "Check integrations.yaml and the blueprints it uses.",
    "connect": "Connect an account in a browser, or from another device.",
    "connections": "Add, list, show, delete and check connections.",
    "demo": "Run the main job offline, against a provider on this machine.",
    "dev": "Load everything again when a file changes.",
    "explain": "Show what an integration sends, and who said so.",
    "import": "Turn catalogues of other tools into blueprints.",
    "init": "Write an integrations.yaml to begin with.",
    "keep-alive": "Renew credentials that would die of idleness.",
    "keys": "Look after the encryption keys.",
    "lock": "Pin the blueprints that are used, as they are today.",
    "mcp": "Serve actions as tools of the Model Context Protocol.",
    "request": "Send one request as a connected account.",
    "run": "Run an action.",
    "schema": "Print the JSON Schemas, or write them for editors.",
    "types": "Write a typed face of each integration.",
}


class _Lazy(click.Group):
    """Import a command's file when it is called: --help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = import_module(f"nango_py.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a name, or say which one was meant."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from nango_py.location import did_you_mean

            ctx.fail(f"No such command {name!r}. {did_you_mean(name, _COMMANDS)}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their one line, importing none."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nango-py", prog_name="nango-py")
def _group() -> None:
    """Declare API integrations and use them.

    Exit codes: 0 done, 1 what was asked for failed, 2 the command was used wrongly.
    """


def main(args: list[str] | None = None) -> Any:
    """Run the command line."""
    from nango_py.cli.output import run_command

    return run_command(_group, args)
