"""The documentation site in a real browser: search, light and dark, a phone's width, no request elsewhere."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.conftest import chromium  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.chromium import Chromium, Tab

pytestmark = pytest.mark.server

PAGES = ("index.html", "tutorial.html", "blueprints/index.html", "blueprints/jira.html", "reference.html", "architecture.html")  # fmt: skip
RESULT = ".md-search-result__link[href*='blueprints/klaviyo']"
REQUESTS = "performance.getEntriesByType('resource').map(entry => entry.name)"
SIZES = "[document.documentElement.scrollWidth, window.innerWidth]"
GROUND = "getComputedStyle(document.body).backgroundColor"
PHONE = 390


class Server(ThreadingHTTPServer):
    """What serves the site, and remembers what it did not have."""

    lost: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        pass

    def send_error(self, code: int, *words: Any, **more: Any) -> None:
        self.server.lost.append(self.path)  # type: ignore[attr-defined]
        super().send_error(code, *words, **more)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.lost = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    with serving(site) as server:
        yield server


@pytest.fixture(scope="module")
def tab(chromium: Chromium) -> Iterator[Tab]:  # noqa: F811 - the fixture
    with chromium.open() as tab:
        yield tab


def test_search_finds_a_blueprint_s_page(server: Server, tab: Tab) -> None:
    tab.look()
    tab.go(f"{server.url}/index.html")
    tab.type("input.md-search__input", "klaviyo")
    tab.text(RESULT)
    assert [] == [address for address in tab.value(REQUESTS) if not address.startswith(server.url)]
    tab.click(RESULT, then="article a[href*='klaviyo.com']")
    assert tab.url.startswith(f"{server.url}/blueprints/klaviyo.html")
    assert "klaviyo:v0" in tab.text("article")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone_asks_nobody_else_and_follows_the_system_s_colours(
    server: Server, tab: Tab, page: str, *, dark: bool
) -> None:
    tab.look(dark=dark, width=PHONE, height=844)
    tab.go(f"{server.url}/{page}")
    keep(tab.look(dark=dark, width=PHONE, height=844), f"{page.replace('/', '-')}-{'dark' if dark else 'light'}")
    assert [PHONE, PHONE] == tab.value(SIZES)
    assert ["dark" if dark else "light"] == [brightness(tab.value(GROUND))]
    requests = tab.value(REQUESTS)
    assert [] == [address for address in requests if not address.startswith(server.url)]
    assert requests
    assert [] == [line for line in tab.console() if "favicon" not in line]
    assert [] == server.lost


def brightness(colour: str) -> str:
    red, green, blue = (int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])
    return "light" if red + green + blue > 3 * 127 else "dark"


def keep(picture: bytes, name: str) -> None:
    """Keep a picture for whoever wants to look: ``NANGO_PY_PICTURES=/some/folder``."""
    if folder := os.environ.get("NANGO_PY_PICTURES"):
        Path(folder, f"docs-{name}.png").write_bytes(picture)
