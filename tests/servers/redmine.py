"""Redmine: one API key in a header or in the query, HTTP Basic as well; offset paging."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.launch import MissingServerError, browse, free_port, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Redmine", "serve"]

HOME = Path("/usr/share/redmine")
DATABASE = Path("/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default")
KEY = "d00d4f1c9a2b7e6035c8d00d4f1c9a2b7e6035c8"
PASSWORD = "pass:word with spaces"
SALT = "5f4dcc3b5aa765d61d8327deb882cf99"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redmine:
    """A Redmine with an administrator and a few projects."""

    url: str
    key: str
    login: str
    password: str
    projects: tuple[str, ...]
    """The projects' identifiers, as the list answers them."""


@contextmanager
def serve(folder: Path) -> Iterator[Redmine]:
    """Run Debian's Redmine on a database of its own, with seven projects."""
    puma, port = program("puma"), free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {"RAILS_ENV": "production", "DATABASE_URL": f"sqlite3:{_database(folder)}"}
    command = [puma, "--bind", f"tcp://127.0.0.1:{port}", "--threads", "1:4", "config.ru"]
    with running(command, answers_at=f"{url}/projects.json", folder=folder, environ=environ, cwd=HOME):
        yield Redmine(url=url, key=KEY, login="admin", password=PASSWORD, projects=_seed(url))


def _database(folder: Path) -> Path:
    if not HOME.exists() or not os.access(DATABASE, os.R_OK):
        raise MissingServerError(
            "redmine is not installed, or not readable; run .ci/install-servers and the tests as root"
        )
    copy = folder / "redmine.sqlite"
    shutil.copyfile(DATABASE, copy)
    with closing(sqlite3.connect(copy)) as database, database:
        _open_the_api(database)
    return copy


def _open_the_api(database: sqlite3.Connection) -> None:
    now = "2026-01-01 00:00:00"
    inner = hashlib.sha1(PASSWORD.encode()).hexdigest()
    hashed = hashlib.sha1(f"{SALT}{inner}".encode()).hexdigest()
    database.execute("delete from settings where name = 'rest_api_enabled'")
    database.execute("insert into settings (name, value, updated_on) values ('rest_api_enabled', '1', ?)", (now,))
    database.execute(
        "update users set hashed_password = ?, salt = ?, must_change_passwd = 0, passwd_changed_on = ? where login = 'admin'",
        (hashed, SALT, now),
    )
    database.execute(
        "insert into tokens (user_id, action, value, created_on, updated_on)"
        " select id, 'api', ?, ?, ? from users where login = 'admin'",
        (KEY, now, now),
    )


def _seed(url: str) -> tuple[str, ...]:
    with browse(url, headers={"X-Redmine-API-Key": KEY}) as client:
        for number in range(7):
            project = {"name": f"Project {number}", "identifier": f"project-{number}"}
            client.post("/projects.json", json={"project": project}).raise_for_status()
        listed = client.get("/projects.json").raise_for_status().json()["projects"]
    return tuple(project["identifier"] for project in listed)
