"""localstripe: HTTP Basic with the key as user name and no password, as at Close; cursor paging."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LocalStripe", "serve"]

KEY = "sk_test_localstripe_4f1c9a"
# Its own command listens on all interfaces; its aiohttp application can be told not to.
PROGRAM = """
import sys
from aiohttp import web
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStripe:
    """A localstripe that knows a few customers."""

    url: str
    key: str
    emails: tuple[str, ...]
    """The customers' addresses, newest first, as the list answers them."""


@contextmanager
def serve(folder: Path) -> Iterator[LocalStripe]:
    """Run localstripe with five customers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [installed("localstripe", "bin", "python"), "-c", PROGRAM, str(port)]
    with running(command, answers_at=f"{url}/v1/customers", folder=folder):
        yield LocalStripe(url=url, key=KEY, emails=_seed(url))


def _seed(url: str) -> tuple[str, ...]:
    emails = tuple(f"customer-{number}@example.test" for number in range(5))
    with browse(url, auth=(KEY, "")) as client:
        for email in emails:
            client.post("/v1/customers", data={"email": email}).raise_for_status()
        listed = client.get("/v1/customers").raise_for_status().json()["data"]
    return tuple(customer["email"] for customer in listed)
