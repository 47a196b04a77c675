"""``nango-py dev``: what changes is loaded again, what is broken is said."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading

import pytest

from nango_py import Nango
from nango_py.cli.watch import changes, files_of, snapshot

YAML = """
integrations:
  birds:
    auth: {auth_mode: NONE}
    requests: {base_url: "https://birds.test/"}
"""


CLOSE = {"fish": {"extends_blueprint": "close:v0"}}


class Terminal:
    """A running command: its lines as they come, and what is typed."""

    def __init__(self, folder, *words):
        environ = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from nango_py.cli import main; main()", *words],
            cwd=folder, env=environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, line):
        """Return the lines up to one."""
        seen = []
        while not seen or seen[-1] != line:
            seen.append(self.lines.get(timeout=60))
        return seen

    def press_enter(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@pytest.fixture
def folder(tmp_path, run):
    (tmp_path / "integrations.yaml").write_text(YAML)
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "sing.py").write_text("def run(ctx, input):\n    return 'la'\n")
    added = run("connections", "add", "birds", "u", "--credentials", "-", stdin="{}")
    assert 0 == added.returncode, added.stderr
    return tmp_path


@pytest.fixture
def dev(folder):
    begun = []

    def begin(*words):
        begun.append(Terminal(folder, "dev", *words))
        return begun[-1]

    yield begin
    for terminal in begun:
        terminal.process.kill()
        terminal.process.wait()
        terminal.process.stdin.close()
        terminal.process.stdout.close()


WATCHING = "Watching for changes. Enter runs it again, Ctrl-C ends."


def test_an_action_runs_again_when_its_file_changes_and_when_enter_is_pressed(folder, dev):
    terminal = dev("birds", "sing", "u")
    assert ["loaded: 1 integration, 1 action.", '"la"', WATCHING] == terminal.until(WATCHING)

    (folder / "birds" / "sing.py").write_text("def run(ctx, input):\n    return 'do'\n")
    assert ["changed: birds/sing.py", "loaded: 1 integration, 1 action.", '"do"'] == terminal.until('"do"')

    terminal.press_enter()
    assert ['"do"'] == terminal.until('"do"')


def test_what_a_change_breaks_is_said_and_what_mends_it(folder, dev):
    terminal = dev("birds", "sing", "u")
    terminal.until(WATCHING)

    (folder / "birds" / "sing.py").write_text("def run(ctx):\n    return 'la'\n")
    problem = "birds/sing.py:1:1: it defines no function run(ctx, input)."
    seen = terminal.until(f"Error: {folder.resolve()}/{problem}")
    assert [
        "changed: birds/sing.py",
        f"broken: {folder.resolve()}/{problem}",
        "loaded: 1 integration, 1 action.",
    ] == seen[:-1]

    (folder / "birds" / "sing.py").write_text("def run(ctx, input):\n    return 'mended'\n")
    seen = terminal.until('"mended"')
    assert f"mended: {folder.resolve()}/{problem}" in seen


def test_a_file_that_cannot_be_read_as_yaml_is_waited_for(folder, dev):
    terminal = dev()
    terminal.until("Watching for changes.")

    (folder / "integrations.yaml").write_text("integrations: [")
    nothing = "loaded: nothing can be used until it is mended."
    seen = terminal.until(nothing)
    assert "changed: integrations.yaml" == seen[0]
    assert seen[1].startswith("broken: integrations.yaml:2:1: YAML syntax")

    (folder / "integrations.yaml").write_text(YAML + "  fish: {extends_blueprint: 'close:v0'}\n")
    actions = len(Nango.load({"integrations": CLOSE}, store="memory://").tools()) + 1
    ready = f"loaded: 2 integrations, {actions} actions."
    assert ["changed: integrations.yaml", seen[1].replace("broken", "mended"), ready] == terminal.until(ready)


def test_an_error_of_the_action_s_own_shows_its_traceback(folder, dev):
    (folder / "birds" / "sing.py").write_text("def run(ctx, input):\n    raise RuntimeError('hoarse')\n")
    seen = dev("birds", "sing", "u").until(WATCHING)

    assert "RuntimeError: hoarse" in seen
    assert any(line.endswith('sing.py", line 2, in run') for line in seen)


def test_half_an_action_is_wrong_use(run):
    assert 2 == run("dev", "birds", "sing").returncode
    assert 2 == run("dev", "birds", "sing", "u", "--input", "-").returncode


def test_what_is_watched_is_the_file_the_blueprints_and_the_actions(tmp_path):
    for name in (
        "integrations.yaml",
        "blueprints/a.yaml",
        "more/b.yaml",
        "birds/sing.py",
        "other/x.py",
        "birds/n.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    found = files_of(tmp_path / "integrations.yaml", [tmp_path / "more"], ["birds"])
    assert ["integrations.yaml", "blueprints/a.yaml", "more/b.yaml", "birds/sing.py"] == [
        str(path.relative_to(tmp_path)) for path in found
    ]


def test_changes_are_told_by_time_and_size(tmp_path):
    old, gone, new = (tmp_path / name for name in ("old", "gone", "new"))
    old.write_text("a")
    gone.write_text("a")
    before = snapshot([old, gone, new])
    os.utime(old, ns=(1, 1))
    gone.unlink()
    new.write_text("a")

    assert [("gone", gone), ("new", new), ("changed", old)] == changes(before, snapshot([old, gone, new]))
    assert [] == changes(before, before)
