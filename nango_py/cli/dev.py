"""nango-py dev."""

from __future__ import annotations

import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nango_py.cli.engine import engine_options
from nango_py.cli.output import as_json as print_json
from nango_py.cli.watch import Snapshot, changes, files_of, snapshot
from nango_py.core import core_of
from nango_py.errors import ConfigError, NangoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.core import Core
    from nango_py.engine import Nango
    from nango_py.location import Problem

__all__ = ["command"]

_INTERVAL = 0.5


@click.command("dev")
@click.argument("integration", required=False)
@click.argument("action", required=False)
@click.argument("user_id", required=False)
@click.option("--input", "given", metavar="JSON", help="The input: JSON or @FILE, read anew for each run.")
@engine_options
def command(
    integration: str | None,
    action: str | None,
    user_id: str | None,
    given: str | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
) -> None:
    """Load everything again when a file changes, and say what is broken by it.

    With an ACTION, run it each time, and when you press Enter.
    """
    if integration is not None and user_id is None:
        raise click.UsageError("Give INTEGRATION, ACTION and USER_ID, or none of them.")
    if given == "-":
        raise click.UsageError("--input -: standard input is for Enter, which runs the action again. Give @FILE.")
    run = None if integration is None else (integration, str(action), str(user_id), given)
    bench = _Bench(file, store, blueprints, run)
    presses = _presses()
    try:
        bench.load()
        bench.run()
        _say("Watching for changes. Enter runs it again, Ctrl-C ends." if run else "Watching for changes.")
        while True:
            if _pressed(presses) or bench.has_changed():
                bench.run()
    except KeyboardInterrupt:
        pass
    finally:
        bench.close()


class _Bench:
    """An engine that is made anew when its files change."""

    def __init__(
        self,
        file: str,
        store: str | None,
        blueprints: tuple[str, ...],
        run: tuple[str, str, str, str | None] | None,
    ) -> None:
        self._options = (file, store, blueprints)
        self._run = run
        self._nango: Nango | None = None
        self._integrations: tuple[str, ...] = ()
        self._broken: Mapping[str, None] = {}
        self._seen: Snapshot = {}

    def has_changed(self) -> bool:
        """Tell whether a file changed since the last look; then everything is loaded again."""
        found = changes(self._seen, self._look())
        for word, path in found:
            _say(f"{word}: {path}")
        if found:
            self.load()
        return bool(found)

    def load(self) -> None:
        """Load everything, and say what is broken now and what is mended; a file that is gone may come back."""
        from nango_py.engine import Nango

        self.close()
        self._seen = self._look()  # before it is read: what changes meanwhile is read once more
        try:
            file, store, blueprints = self._options
            self._nango = Nango.load(Path(file), store=store, blueprints=blueprints)
        except ConfigError as error:
            problems, ready = error.problems, "nothing can be used until it is mended"
        else:
            self._integrations = self._nango.integrations
            core = core_of(self._nango)
            problems = tuple(_problems(core))
            sound = core.declared.integrations.values()
            actions = sum(len(core.action_names(one)) for one in sound)
            ready = f"{_count(len(sound), 'integration')}, {_count(actions, 'action')}"
            self._seen = {**self._look(), **self._seen}
        broken = dict.fromkeys(str(problem) for problem in problems if problem.severity == "error")
        for text in broken:
            _say(f"broken: {text}")
        for text in self._broken:
            if text not in broken:
                _say(f"mended: {text}")
        self._broken = broken
        _say(f"loaded: {ready}.")

    def run(self) -> None:
        """Run the action, if there is one; whatever goes wrong is said."""
        if self._run is None or self._nango is None:
            return
        from nango_py.cli.given import read_object
        from nango_py.cli.progress import progress

        integration, action, user_id, given = self._run
        try:
            full = read_object(given, "--input")
            with progress() as on_event:
                output = self._nango.trigger_action(integration, action, user_id, full, on_event=on_event)
        except NangoError as error:
            _say(f"Error: {error}")
        except Exception:
            _say(traceback.format_exc().rstrip())
        else:
            print_json(output)
            sys.stdout.flush()

    def close(self) -> None:
        if self._nango is not None:
            self._nango.close()
            self._nango = None

    def _look(self) -> Snapshot:
        file, _, blueprints = self._options
        given = [] if self._run is None or (self._run[3] or "")[:1] != "@" else [Path(str(self._run[3])[1:])]
        return snapshot([*files_of(Path(file), map(Path, blueprints), self._integrations), *given])


def _problems(core: Core) -> Iterator[Problem]:
    """Yield what is wrong with what is declared, and with every Python action."""
    yield from core.problems
    for integration in core.declared.integrations.values():
        for name in core.action_names(integration):
            try:
                core.action(integration, name)
            except ConfigError as error:
                yield from error.problems


def _presses() -> queue.Queue[str]:
    """Return where a line of standard input arrives; a thread waits for it, which no platform's select does."""
    found: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            found.put(line)

    threading.Thread(target=read, daemon=True).start()
    return found


def _pressed(presses: queue.Queue[str]) -> bool:
    """Wait for Enter, until it is time to look at the files."""
    try:
        presses.get(timeout=_INTERVAL)
    except queue.Empty:
        return False
    return True


def _say(text: str) -> None:
    click.echo(text, err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
