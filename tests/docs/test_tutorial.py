"""The tutorial is followed as a reader follows it: files saved, commands typed, what is printed compared."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.server  # one of its own, on loopback

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?P<mark><!-- not run: .+? -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# (?P<path>[\w/-]+\.(?:yaml|py))\n")
PORT = "8642"
BROKEN = ("verification:", "verificaton:")
VARYING = re.compile(
    r"\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:]+Z|(?<=^elapsed )[\d.]+|(?<= )\S+(?=/blueprints/close\.yaml)"
)
"""Ids, times, and where the package is installed."""
LIMIT = 60


@dataclass
class Reader:
    """Somebody with two terminals: one for commands, one for the server."""

    folder: Path
    port: str
    screen: str = ""
    """What the commands of one block printed."""
    log: Path = field(init=False)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder / "second-terminal"
        (self.folder / "bin").mkdir()
        for name, words in {"nango-py": '-c "from nango_py.cli import main; main()"', "python3": ""}.items():
            command = self.folder / "bin" / name
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', "utf-8")
            command.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        home = str(self.folder)
        return {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "HOME": home,
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "COLUMNS": "200",
        }

    def save(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace(PORT, self.port), "utf-8")

    def type(self, line: str) -> None:
        if line.endswith("shelf.py"):
            self.start("shelf.py")
        elif line.startswith("nango-py connections add"):
            self.answer_the_prompt(line, "k_ann")
        else:
            done = subprocess.run(
                line,
                shell=True,
                cwd=self.folder,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT,
                check=False,
            )
            self.screen += done.stdout

    def start(self, file: str) -> None:
        with self.log.open("wb") as log:
            server = subprocess.Popen([sys.executable, self.folder / file], stdout=log, stderr=log, cwd=self.folder)
        self.servers.append(server)
        for _ in range(LIMIT * 20):
            with socket.socket() as client:
                client.settimeout(1)
                if client.connect_ex(("127.0.0.1", int(self.port))) == 0:
                    return
            assert server.poll() is None, self.log.read_text("utf-8")
            try:
                server.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("the server does not answer")

    def answer_the_prompt(self, line: str, secret: str) -> None:
        ours, theirs = pty.openpty()
        asking = subprocess.Popen(
            line.split(), stdin=theirs, stdout=theirs, stderr=theirs, cwd=self.folder, env=self.environ, start_new_session=True
        )  # fmt: skip
        shown = b""
        while b":" not in shown:  # what is typed before the prompt is lost
            shown += os.read(ours, 1000)
        os.write(ours, f"{secret}\n".encode())
        while True:
            os.set_blocking(ours, False)
            try:
                code = asking.wait(0.05)
            except subprocess.TimeoutExpired:
                code = None
            try:
                shown += os.read(ours, 10_000)
            except OSError:
                if code is not None:
                    break
        os.close(ours)
        os.close(theirs)
        assert code == 0, shown
        assert secret.encode() not in shown
        self.screen += shown.decode().replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """Return what stands on the screen, as a block of the page is compared with it."""
        return lines_of(click.unstyle(self.screen).replace(self.port, PORT))


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; how wide its columns are hangs on the port of the test."""
    return [VARYING.sub("...", " ".join(line.split())) for line in text.splitlines()]


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    reader = Reader(folder=folder, port=port)
    try:
        yield reader
    finally:
        for server in reader.servers:
            server.kill()
            server.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="the reader's terminal is a Unix one")
def test_a_newcomer_who_follows_the_tutorial_sees_what_it_shows(tmp_path: Path) -> None:
    shown = 0
    with reading(tmp_path) as reader:
        for block in BLOCK.finditer((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
            text, file = block["text"], FILE.match(block["text"])
            if file is not None:
                reader.save(file["path"], text)
            elif block["language"] == "sh" and not block["mark"]:
                assert [] == reader.lines, "a block of commands prints what the page does not show"
                for line in text.splitlines():
                    reader.type(line)
            elif block["language"] == "text":
                shown += 1
                if BROKEN[1].rstrip(":") in text:
                    make_the_mistake(reader)
                if reader.lines:
                    assert lines_of(text) == reader.lines
                    reader.screen = ""
                else:
                    assert text in reader.log.read_text("utf-8")
    assert "" == reader.screen
    assert shown >= 12


def make_the_mistake(reader: Reader) -> None:
    blueprint = reader.folder / "blueprints" / "shelf.yaml"
    sound = blueprint.read_text("utf-8")
    blueprint.write_text(sound.replace(*BROKEN), "utf-8")
    reader.type("nango-py check")
    blueprint.write_text(sound, "utf-8")
