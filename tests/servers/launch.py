"""Start third-party servers on loopback as child processes, and stop them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["MissingServerError", "browse", "free_port", "installed", "program", "running"]

START_SECONDS = 60
STOP_SECONDS = 10


class MissingServerError(Exception):
    """A program that a test needs is not installed here; the message names it."""


def installed(*parts: str) -> str:
    """Return the path of a file that ``.ci/install-servers`` made."""
    place = Path(os.environ.get("NANGO_PY_SERVERS") or Path.home() / ".cache" / "nango-py-servers")
    path = place.joinpath(*parts)
    if not path.exists():
        raise MissingServerError(f"{parts[0]} is not installed; run .ci/install-servers")
    return str(path)


def program(name: str) -> str:
    """Return the path of a program of this machine."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise MissingServerError(f"{name} is not installed; run .ci/install-servers as root")
    return path


def free_port() -> int:
    """Return a loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def browse(
    base_url: str = "", auth: tuple[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """Return a plain client, deaf to the machine's proxies, to prepare a server with."""
    return httpx.Client(base_url=base_url, auth=auth, headers=headers, trust_env=False, timeout=30)


@contextmanager
def running(
    command: Sequence[str],
    *,
    answers_at: str,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when the server gives its first HTTP answer."""
    log = folder / "server.log"
    with log.open("wb") as output, _child(command, output, environ or {}, cwd or folder) as child:
        _wait(child, answers_at, log)
        yield


@contextmanager
def _child(
    command: Sequence[str], output: IO[bytes], environ: Mapping[str, str], cwd: str | Path
) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, **environ},
        start_new_session=True,  # its own process group: children of the server end with it
    )
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    _signal(child, signal.SIGTERM)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    with browse() as client:
        while not _answers(client, url):
            if child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{child.args!r} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        client.get(url)
    except httpx.TransportError:
        return False
    return True
