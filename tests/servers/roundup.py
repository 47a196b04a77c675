"""Roundup: HTTP Basic beside anti-forgery headers, the next page in the body, and a limiter that really refuses."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Roundup", "serve"]

PASSWORD = "roundup-4f1c9a"
# The limiter counts per user: with a user for each test, no test spends another's calls.
LOGINS = tuple(f"user-{number}" for number in range(12))
TITLES = tuple(f"Issue {number}" for number in range(1, 8))
# `roundup-server` refuses to run as root; its WSGI handler does not. The tracker lives under /t.
PROGRAM = """
import sys
import waitress
from roundup import instance, password
from roundup.cgi.wsgi_handler import RequestDispatcher

home, port, secret, logins, titles = sys.argv[1:]
database = instance.open(home).open("admin")
for login in logins.split("|"):
    database.user.create(
        username=login, password=password.Password(secret, config=database.config), roles="User", address=login + "@example.test"
    )
for title in titles.split("|"):
    database.issue.create(title=title)
database.commit()
database.close()
dispatch = RequestDispatcher(home)

def mount(environ, start_response):
    path = environ["PATH_INFO"]
    environ["SCRIPT_NAME"] = "/t"
    environ["PATH_INFO"] = path[2:] if path.startswith("/t") else path
    return dispatch(environ, start_response)

waitress.serve(mount, listen="127.0.0.1:" + port, threads=4)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roundup:
    """A Roundup tracker with a few issues, and with several users whose calls are counted apart."""

    url: str
    logins: tuple[str, ...]
    password: str
    titles: tuple[str, ...]
    calls: int
    """How many calls in a row a user has ..."""
    interval: int
    """... which fill up again over so many seconds."""


@contextmanager
def serve(folder: Path, *, calls: int = 6, interval: int = 3) -> Iterator[Roundup]:
    """Run a Roundup tracker whose users have ``calls`` calls per ``interval`` seconds."""
    python, admin, port = (
        installed("roundup", "bin", "python"),
        installed("roundup", "bin", "roundup-admin"),
        free_port(),
    )
    url = f"http://127.0.0.1:{port}"
    settings = {
        "api_calls_per_interval": calls,
        "api_interval_in_sec": interval,
        "password_pbkdf2_default_rounds": 1000,  # the slowness of real passwords is not what is tested
    }
    home = _tracker(admin, folder, url=url, settings=settings)
    command = [python, "-c", PROGRAM, str(home), str(port), PASSWORD, "|".join(LOGINS), "|".join(TITLES)]
    with running(command, answers_at=f"{url}/t/rest/", folder=folder):
        yield Roundup(url=url, logins=LOGINS, password=PASSWORD, titles=TITLES, calls=calls, interval=interval)


def _tracker(admin: str, folder: Path, *, url: str, settings: dict[str, int]) -> Path:
    home = folder / "tracker"
    names = f"tracker_web={url}/t/,mail_domain=example.test,mailhost=127.0.0.1,admin_email=admin@example.test"
    _run(admin, "-i", str(home), "install", "classic", "sqlite", names)
    config = home / "config.ini"
    text = config.read_text()
    for name, value in settings.items():
        text, found = re.subn(rf"(?m)^#?\s*{name} = .*", f"{name} = {value}", text)
        assert found == 1, name
    config.write_text(text)
    _run(admin, "-i", str(home), "initialise", PASSWORD)
    return home


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
