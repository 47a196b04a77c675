"""Kinto: HTTP Basic, and the next page as a URL in a header of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Kinto", "serve"]

LOGIN, PASSWORD = "ann", "kinto-4f1c9a"
BUCKET, COLLECTION = "crm", "leads"
SETTINGS = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = %(port)s

[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = not-a-secret
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated
kinto.paginate_by = 50

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %%(message)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinto:
    """A Kinto with one account and one collection of records."""

    url: str
    login: str
    password: str
    bucket: str
    collection: str
    names: tuple[str, ...]
    """The records' names, sorted."""


@contextmanager
def serve(folder: Path) -> Iterator[Kinto]:
    """Run Kinto in memory, with seven records."""
    program, port = installed("kinto", "bin", "kinto"), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = folder / "kinto.ini"
    settings.write_text(SETTINGS % {"port": port})
    command = [program, "start", "--ini", str(settings), "--port", str(port)]
    with running(command, answers_at=f"{url}/v1/", folder=folder):
        yield Kinto(
            url=url, login=LOGIN, password=PASSWORD, bucket=BUCKET, collection=COLLECTION, names=_seed(f"{url}/v1")
        )


def _seed(url: str) -> tuple[str, ...]:
    names = tuple(f"lead {number}" for number in range(7))
    with browse(url) as anonymous:
        anonymous.put(f"/accounts/{LOGIN}", json={"data": {"password": PASSWORD}}).raise_for_status()
    with browse(url, auth=(LOGIN, PASSWORD)) as client:
        client.put(f"/buckets/{BUCKET}").raise_for_status()
        client.put(f"/buckets/{BUCKET}/collections/{COLLECTION}").raise_for_status()
        for name in names:
            record = {"data": {"name": name}}
            client.post(f"/buckets/{BUCKET}/collections/{COLLECTION}/records", json=record).raise_for_status()
    return names
