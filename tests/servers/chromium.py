"""Chromium without a window, driven over the W3C WebDriver protocol that its own driver speaks."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers.launch import browse, free_port, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

__all__ = ["Chromium", "Tab", "serve"]

OPTIONS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",  # pages ask for fonts elsewhere
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which the protocol names an element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A browser of one user, with cookies of its own."""

    session: httpx.Client

    def go(self, url: str) -> None:
        """Type an address, and wait until the page is there."""
        self._ask("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self._ask("GET", "/url"))

    @property
    def title(self) -> str:
        return str(self._ask("GET", "/title"))

    def text(self, selector: str = "body") -> str:
        """Return the text that a user sees of an element."""
        return str(self._ask("GET", f"/element/{self._find(selector)}/text"))

    def value(self, script: str) -> Any:
        """Return what a script of the test, not of the page, finds in the page."""
        return self._ask("POST", "/execute/sync", {"script": f"return {script}", "args": []})

    def type(self, selector: str, text: str) -> None:
        self._ask("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def click(self, selector: str, *, then: str) -> None:
        """Click, and wait until the page that this leads to has an element that fits ``then``."""
        self._ask("POST", f"/element/{self._find(selector)}/click", {})
        self._find(then)

    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies that the page's address gets."""
        return list(self._ask("GET", "/cookie"))

    def console(self) -> list[str]:
        """Return what came into the console since the last call."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def look(self, *, dark: bool = False, width: int = 1000, height: int = 700) -> bytes:
        """Return a picture of the page, as PNG."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._devtools("Emulation.setEmulatedMedia", features=scheme)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", **size)
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def _find(self, selector: str) -> str:
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def _devtools(self, command: str, **params: Any) -> None:
        self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return value(self.session.request(method, str(self.session.base_url).rstrip("/") + path, json=body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chromium:
    """A driver that opens browsers."""

    url: str
    folder: Path

    @contextmanager
    def open(self) -> Iterator[Tab]:
        """Open a browser, new and empty, until the block ends."""
        profile = len(list(self.folder.glob("profile-*")))
        arguments = [*OPTIONS, f"--user-data-dir={self.folder / f'profile-{profile}'}"]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": program("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"implicit": 10_000},  # how long to wait for an element, in ms
        }
        with browse() as client:
            made = value(
                client.post(f"{self.url}/session", json={"capabilities": {"alwaysMatch": wanted}}, timeout=60)
            )
            with browse(f"{self.url}/session/{made['sessionId']}") as session:
                try:
                    yield Tab(session=session)
                finally:
                    session.delete("")


def value(answer: httpx.Response) -> Any:
    """Return what the driver found, or fail with its message."""
    found = answer.json()["value"]
    assert answer.status_code == 200, found
    return found


@contextmanager
def serve(folder: Path) -> Iterator[Chromium]:
    """Run chromedriver."""
    program("chromium")
    driver, port = program("chromedriver"), free_port()
    url = f"http://127.0.0.1:{port}"
    with running([driver, f"--port={port}"], answers_at=f"{url}/status", folder=folder):
        yield Chromium(url=url, folder=folder)
