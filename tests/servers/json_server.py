"""json-server: no authentication; numbered pages, and absolute RFC 8288 links between them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["JsonServer", "serve"]

TITLES = tuple(f"Post {number}" for number in range(1, 26))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonServer:
    """A json-server with a table of posts."""

    url: str
    titles: tuple[str, ...]
    """The posts' titles, in the order of their ids, which start at 1."""


@contextmanager
def serve(folder: Path) -> Iterator[JsonServer]:
    """Run json-server, with 25 posts."""
    node, port = installed("node", "bin", "node"), free_port()
    script = installed("json-server", "node_modules", "json-server", "lib", "cli", "bin.js")
    url = f"http://127.0.0.1:{port}"
    table = folder / "tables.json"
    posts = [{"id": number, "title": title} for number, title in enumerate(TITLES, start=1)]
    table.write_text(json.dumps({"posts": posts}))
    command = [node, script, "--host", "127.0.0.1", "--port", str(port), "--quiet", str(table)]
    with running(command, answers_at=f"{url}/posts", folder=folder):
        yield JsonServer(url=url, titles=TITLES)
