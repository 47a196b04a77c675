"""``nango-py connect`` and ``keep-alive`` against a real provider, the browser played by the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import httpx

    from tests.servers.chromium import Chromium, Tab
    from tests.servers.oauth1_authlib import OAuth1
    from tests.servers.oidc_provider import OidcProvider

pytestmark = pytest.mark.server

PROGRAM = "from nango_py.cli import main; main()"
ROOT = Path(__file__).parents[2]
BROWSER = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.servers.launch import browse
from tests.servers.oidc_provider import authorize
with browse() as client:
    client.get(authorize(sys.argv[1])).raise_for_status()
"""


@pytest.fixture
def run(oidc_provider: OidcProvider, tmp_path: Path) -> Run:
    (tmp_path / "integrations.yaml").write_text(json.dumps(declared(oidc_provider)))
    return Run(tmp_path)


@pytest.fixture
def tab(chromium: Chromium) -> Iterator[Tab]:
    with chromium.open() as tab:
        yield tab


def declared(server: OidcProvider) -> dict[str, Any]:
    auth = {
        "auth_mode": "OAUTH2",
        "authorization_url": server.authorization_url,
        "token_url": server.token_url,
        "authorization_method": "header",
        "authorization_params": {"prompt": "consent"},
    }
    idle = {**auth, "refresh_token_idle_lifetime": 0.001}
    device = {
        "auth_mode": "OAUTH2",
        "token_url": server.token_url,
        "token_request_auth_method": "none",
        "device_authorization_url": server.device_authorization_url,
    }
    common = {"oauth_scopes": ["openid", "offline_access"], "requests": {"base_url": server.url}}
    client = {"oauth_client_id": "client_secret_basic", "oauth_client_secret": server.secret}
    return {
        "integrations": {
            "web": {**common, **client, "auth": auth},
            "idle": {**common, **client, "auth": idle},
            "tv": {**common, "oauth_client_id": "device", "auth": device},
        }
    }


class Run:
    """The command line in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environ = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "BROWSER": "false"}

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(words),
            cwd=self._folder,
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def going_on(self, *words: str, browser: str = "false") -> Iterator[Running]:
        """Run a command that waits; it has ended when the block has."""
        environ = {**self._environ, "BROWSER": browser}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            self._command(words),
            cwd=self._folder,
            env=environ,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        ) as child:
            try:
                yield Running(child)
            finally:
                child.kill()

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json").stdout)

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-c", PROGRAM, *words]


class Running:
    """A command that waits for somebody."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self.told: list[str] = []

    def line(self, fits: Callable[[str], bool]) -> str:
        """Return the first line of stderr that fits."""
        for line in _stream(self._child.stderr):
            self.told.append(line)
            if fits(line):
                return line.strip()
        raise AssertionError("".join(self.told))

    def url(self) -> str:
        """Return the authorization URL that was printed."""
        return self.line(lambda line: line.startswith("http"))

    def type(self, text: str) -> None:
        _stream(self._child.stdin).write(text)
        _stream(self._child.stdin).flush()

    def end(self) -> tuple[int, str, str]:
        """Return exit code, stdout, and all of stderr, when the command has ended."""
        out, err = self._child.communicate(timeout=60)
        return self._child.returncode, out, "".join(self.told) + err


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def get(url: str) -> httpx.Response:
    with browse() as browser:
        return browser.get(url)


def test_connect_catches_the_callback(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "web", "ann", "--no-browser", "--json") as command:
        url = command.url()
        page = get(oidc_provider.authorize(url))
        code, out, told = command.end()
    redirect_uri = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0])
    shown = json.loads(out)

    assert (200, 0) == (page.status_code, code), told
    assert ("127.0.0.1", "/callback") == (redirect_uri.hostname, redirect_uri.path)
    assert ("active", "web", "ann") == (shown["status"], shown["integration"], shown["user_id"])
    assert {"openid", "offline_access"} == set(shown["granted_scopes"].split())
    assert shown["expires_at"] > shown["created_at"]
    assert '"sub": "ann"' in run("request", "web", "ann", "me", "--json").stdout
    assert "access_token" not in out + told


def test_connect_opens_a_browser(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    with run.going_on("connect", "web", "ann", browser=f"{sys.executable} {script} %s &") as command:
        code, out, told = command.end()

    assert (0, True) == (code, "active" in out), told
    assert "Waiting for the browser at http://127.0.0.1:" in told


def test_connect_works_in_chromium(run: Run, tab: Tab) -> None:
    with run.going_on("connect", "web", "ann", "--no-browser") as command:
        tab.go(command.url())
        tab.type("input[name=login]", "ann")
        tab.type("input[name=password]", "any")
        tab.click("input[value=login] ~ button", then="input[value=consent] ~ button")
        tab.console()  # the provider's own pages ask for fonts elsewhere
        tab.click("input[value=consent] ~ button", then="main p")
        code, _, told = command.end()

        assert (0, "The answer has arrived") == (code, tab.title), told
        assert "You can close this tab and go back to the terminal." == tab.text("main p")
        assert [] == [line for line in tab.console() if "favicon.ico" not in line]


def test_connect_takes_an_oauth_1_callback(tmp_path: Path, oauth1_authlib: OAuth1) -> None:
    auth = {
        "auth_mode": "OAUTH1",
        "request_url": oauth1_authlib.request_url,
        "authorization_url": oauth1_authlib.authorization_url,
        "token_url": oauth1_authlib.token_url,
    }
    client = {"oauth_client_id": "consumer", "oauth_client_secret": oauth1_authlib.secret}
    document = {"integrations": {"old": {**client, "auth": auth, "requests": {"base_url": oauth1_authlib.url}}}}
    (tmp_path / "integrations.yaml").write_text(json.dumps(document))
    run = Run(tmp_path)
    with run.going_on("connect", "old", "ann", "--no-browser", "--json") as command:
        callback = oauth1_authlib.authorize(command.url())
        assert [400, 200] == [
            get(url).status_code for url in (callback.replace("oauth_token=", "oauth_token=x"), callback)
        ]
        code, _, told = command.end()

    assert 0 == code, told
    assert '"status": 200' in run("request", "old", "ann", "api/me", "--json").stdout


def test_stray_requests_and_a_wrong_state_do_not_end_the_wait(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "web", "ann", "--no-browser") as command:
        callback = oidc_provider.authorize(command.url())
        home = callback.partition("/callback")[0]
        strays = [
            f"{home}/favicon.ico",
            f"{home}/callback?code=planted&state=guessed",
            f"{home}/callback?error=access_denied",
            callback.replace("127.0.0.1", "127.0.0.2"),
            f"{callback}&state=twice",
        ]
        assert [404, 400, 400, None, 400] == [status_of(url) for url in strays]
        assert 200 == get(callback).status_code
        code, _, told = command.end()

    assert 0 == code, told


def status_of(url: str) -> int | None:
    """Return the status of an answer, None where nobody listens."""
    import httpx

    try:
        return get(url).status_code
    except httpx.ConnectError:
        return None


def test_a_denial_ends_with_1_and_leaves_no_connection(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "web", "ann", "--no-browser", "--json") as command:
        assert 200 == get(oidc_provider.authorize(command.url(), deny=True)).status_code
        code, out, told = command.end()

    assert (1, "") == (code, out)
    assert "access was not granted: access_denied" in told
    assert [] == run.json("connections", "list", "web")


def test_connecting_again_replaces_the_connection(run: Run, oidc_provider: OidcProvider) -> None:
    ids, versions = set(), set()
    for _ in range(2):
        with run.going_on("connect", "web", "ann", "--no-browser", "--json") as command:
            get(oidc_provider.authorize(command.url()))
            shown = json.loads(command.end()[1])
        ids.add(shown["id"])
        versions.add(shown["version"])

    assert (1, 2) == (len(ids), len(versions))


def test_scopes_of_the_attempt_are_asked_for(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "web", "ann", "--no-browser", "--json", "--scopes", "openid, email") as command:
        url = command.url()
        get(oidc_provider.authorize(url))
        shown = json.loads(command.end()[1])

    assert ["openid email"] == parse_qs(urlsplit(url).query)["scope"]
    assert "openid" in shown["granted_scopes"]


def test_a_redirect_uri_of_this_machine_is_listened_on(run: Run, oidc_provider: OidcProvider) -> None:
    from tests.servers.launch import free_port

    uri = f"http://127.0.0.1:{free_port()}/callback"
    with run.going_on("connect", "web", "ann", "--no-browser", "--redirect-uri", uri) as command:
        callback = oidc_provider.authorize(command.url())
        assert callback.startswith(f"{uri}?")
        assert 200 == get(callback).status_code
        code, _, told = command.end()

    assert 0 == code, told


def test_a_callback_can_be_pasted(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "web", "ann", "--paste", "--json") as command:
        callback = oidc_provider.authorize(command.url())
        assert status_of(callback) is None
        command.type(f"what?\n  '{callback}'\n")
        code, out, told = command.end()

    assert (0, "active") == (code, json.loads(out)["status"]), told
    assert 1 == told.count("That is not the address")


def test_a_device_is_connected_by_a_code(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "tv", "ann", "--json") as command:
        address = command.line(lambda line: line.startswith("Open "))
        code = command.line(lambda line: "enter the code: " in line).rpartition(" ")[2]
        oidc_provider.approve_device(code)
        ended, out, told = command.end()

    assert f"Open {oidc_provider.url}/device" == address
    assert (0, "active") == (ended, json.loads(out)["status"]), told


def test_a_code_that_nobody_enters_ends_with_1(run: Run) -> None:
    ended = run("connect", "tv", "ann", "--device", "--timeout", "0.1")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "the code expired before it was entered" in ended.stderr


def test_keep_alive_renews_what_is_idle(run: Run, oidc_provider: OidcProvider) -> None:
    with run.going_on("connect", "idle", "ann", "--no-browser") as command:
        get(oidc_provider.authorize(command.url()))
        assert 0 == command.end()[0]
    before = len(oidc_provider.events("grant.success", grant_type="refresh_token"))
    told = run.json("keep-alive")

    assert {"renewed": [{"integration": "idle", "user_id": "ann"}], "failed": [], "broken": []} == told
    assert before + 1 == len(oidc_provider.events("grant.success", grant_type="refresh_token"))
