"""Stores for the tests of this folder, and a real PostgreSQL server where its programs are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Self

import pytest

from nango_py.connections.memory import MemoryStore
from nango_py.connections.sqlite import SqliteStore


@pytest.fixture(scope="session")
def postgres_server():
    programs = _programs()
    if programs is None:
        _leave_out("PostgreSQL's server programs are not installed; run .ci/install-servers as root")
    # Not one of pytest's folders: they admit their owner only, and the server runs as another user.
    with (
        tempfile.TemporaryDirectory(prefix="nango-py-postgres-") as folder,
        _Postgres(programs, Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server):
    """The URL of a running PostgreSQL server's default database."""
    return postgres_server.url


@pytest.fixture
def postgres_database(postgres_url):
    """The URL of an empty database of one test."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres_url.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def store(request, tmp_path):
    """One store of each kind, empty."""
    made = _store(request, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def shared_url(request, tmp_path):
    """The URL of each kind of store that several processes may open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'connections.db'}"
    return request.getfixturevalue("postgres_database")


def _store(request, tmp_path):
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "connections.db")
    from nango_py.connections.postgres import PostgresStore

    return PostgresStore(request.getfixturevalue("postgres_database"))


class _Postgres:
    """A PostgreSQL server on a free loopback port, without durability and without passwords."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.data = programs, folder, folder / "data"
        self.port = _free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8")
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "--log", str(self.folder / "server.log"), "--options", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "--pgdata", str(self.data), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *command]
        # The server inherits stdout: a pipe would never end.
        with (self.folder / "output.log").open("ab") as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False)
        if done.returncode:
            pytest.fail((self.folder / "output.log").read_text(errors="replace")[-3000:])


def _programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = shutil.which("initdb")
    programs = installed[-1].parent if installed else Path(found).parent if found else None
    return programs if os.geteuid() or shutil.which("setpriv") else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _leave_out(reason: str) -> None:
    if os.environ.get("NANGO_PY_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
