"""mitmproxy in front of another server: it breaks what the tests tell it to break."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Mitmproxy", "serve"]

ADDON = Path(__file__).with_name("mitmproxy_faults.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitmproxy:
    """A proxy that stands for the server behind it."""

    url: str

    def plan(self, *faults: str) -> None:
        """Say what happens to the next requests, and forget the earlier ones.

        A status (``503``, ``429 Retry-After: 7``), ``hang up``, ``reset`` and ``silence`` keep a request from the
        server. ``lost``, ``lost by reset`` and ``late`` (never, that is) lose the answer of a server that has done its
        work; ``cut short`` and ``not JSON`` spoil it. After the last one all requests pass.
        """
        with browse(self.url) as client:
            client.put("/_faults", json=faults).raise_for_status()

    def seen(self) -> list[dict[str, Any]]:
        """Return what came since: ``method``, ``path``, ``headers`` (in lower case), ``fault``, and whether it ``passed``."""
        with browse(self.url) as client:
            seen: list[dict[str, Any]] = client.get("/_faults").raise_for_status().json()
        return seen


@contextmanager
def serve(folder: Path, *, upstream: str) -> Iterator[Mitmproxy]:
    """Run a proxy in front of ``upstream``, an origin."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = [f"confdir={folder}", "connection_strategy=lazy", "listen_host=127.0.0.1", f"listen_port={port}"]
    command = [
        installed("mitmproxy", "bin", "mitmdump"),
        *("--quiet", "--mode", f"reverse:{upstream}", "--scripts", str(ADDON)),
        *(part for setting in settings for part in ("--set", setting)),
    ]
    with running(command, answers_at=f"{url}/_faults", folder=folder):
        yield Mitmproxy(url=url)
