"""The command line, run as a program of its own in a folder of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from nango_py.cli import main


@pytest.fixture
def run(tmp_path):
    base = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "BROWSER": "false"}

    def command(*words, stdin="", environ=None):
        return subprocess.run(
            [sys.executable, "-c", "from nango_py.cli import main; main()", *words],
            cwd=tmp_path,
            env={**base, **(environ or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Do as ``run``, in this process: for commands that the process does not matter to."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(words, ended.value.code or 0, out, err)

    # A command is a program: what it says of logging is for the rest of the process.
    logger = logging.getLogger("nango_py")
    level, handlers = logger.level, list(logger.handlers)
    yield command
    logger.setLevel(level)
    logger.handlers[:] = handlers
