"""Mistakes in the use of ``nango-py connect`` and ``keep-alive`` that no provider is needed for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

DECLARED = """\
integrations:
  keyed:
    auth: {auth_mode: API_KEY, name: X-Api-Key}
    requests: {base_url: "https://api.example.com/"}
  granted: &granted
    oauth_client_id: client-1
    oauth_client_secret: s3cret-of-the-client
    auth: &auth
      auth_mode: OAUTH2
      authorization_url: "https://${connection_config.shop}.example.com/authorize"
      token_url: "https://127.0.0.1:1/token"
    connection_config: {shop: {format: domain-label}}
    requests: {base_url: "https://${connection_config.shop}.example.com/"}
  idle:
    oauth_client_id: client-1
    oauth_client_secret: s3cret-of-the-client
    auth:
      auth_mode: OAUTH2
      authorization_url: "https://example.com/authorize"
      token_url: "http://127.0.0.1:PORT/token"
      refresh_token_idle_lifetime: 0.001
    requests: {base_url: "https://example.com/"}
"""
TOKENS = {"access_token": "a-1-of-the-account", "refresh_token": "r-1-of-the-account", "scope": "read write"}


@pytest.fixture
def declared(tmp_path):
    (tmp_path / "integrations.yaml").write_text(DECLARED.replace("PORT", "1"))


@pytest.fixture(autouse=True)
def _declared(declared):
    return declared


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keyd", "u"], "Did you mean 'keyed'?"),
        (["keyed", "u"], "Use nango-py connections add keyed u."),
        (["granted", "u", "--config", "shop"], "--config wants NAME=VALUE."),
        (["granted", "u", "--config", "shop=a", "--config", "shop=b"], "--config gives 'shop' twice."),
        (["granted", "u"], "Give --config shop=VALUE."),
        (["granted", "u", "--config", "shop=evil.example/x#"], "'shop'"),
        (["granted", "u", "--config", "shop=a", "--device"], "auth.device_authorization_url"),
        (["granted", "u", "--device", "--port", "8765"], "--device has no callback"),
        (["granted", "u", "--port", "1", "--redirect-uri", "http://127.0.0.1:2/"], "leave --port out"),
        (["granted", "u", "--port", "70000"], "not in the range"),
        (["granted", "u", "--timeout", "0"], "not in the range"),
        (
            ["granted", "u", "--config", "shop=a", "--paste", "--timeout", "9"],
            "--timeout is not for addresses that are pasted",
        ),
        (
            ["granted", "u", "--config", "shop=a", "--redirect-uri", "nonsense"],
            "redirect_uri must be an absolute URL",
        ),
        (["granted", "u", "--config", "shop=a", "--paste"], "no callback URL of this sign-in was pasted."),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(run, words, said):
    ended = run("connect", *words)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert said in " ".join(ended.stderr.split())


def test_no_answer_in_time_ends_with_1(run):
    ended = run("connect", "granted", "u", "--config", "shop=a", "--no-browser", "--timeout", "0.05", "--json")
    assert 1 == ended.returncode
    assert "https://a.example.com/authorize?response_type=code&client_id=client-1" in ended.stderr
    assert "no answer came within 0.05 s" in ended.stderr
    assert "s3cret" not in ended.stderr
    assert "" == run("connections", "list", "granted").stdout.partition("\n")[2]


def test_a_browser_that_does_not_start_is_said(run):
    ended = run("connect", "granted", "u", "--config", "shop=a", "--timeout", "0.05")
    assert "open the address yourself" in ended.stderr


def test_what_is_pasted_wrongly_is_asked_for_again(run):
    lines = "\nhttps://[\nhttps://app.example.com/callback?code=c&state=wrong\n"
    ended = run(
        "connect", "granted", "u", "--config", "shop=a", "--redirect-uri", "https://app.example.com/cb", stdin=lines
    )
    assert (2, 2) == (ended.returncode, ended.stderr.count("That is not the address"))
    assert "https%3A%2F%2Fapp.example.com%2Fcb" in ended.stderr


def test_the_keyboard_ends_the_wait_without_a_traceback(tmp_path):
    # A shell that started these tests in the background made everything below them ignore the keyboard.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heed}; from nango_py.cli import main; main()"
    words = ["connect", "granted", "u", "--config", "shop=a", "--no-browser"]
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    with subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        while "Ctrl-C ends" not in child.stderr.readline():
            pass
        child.send_signal(2)
        said = child.stderr.read()
    assert 1 == child.returncode
    assert "Aborted!" == said.strip()


def test_show_tells_the_state_of_a_token_and_no_secret(run):
    given = json.dumps({**TOKENS, "expires_at": 4_000_000_000})
    run("connections", "add", "idle", "u", "--credentials", "-", stdin=given)
    shown = run("connections", "show", "idle", "u", "--json")
    facts = json.loads(shown.stdout)
    assert ("active", 4_000_000_000, "read write") == (facts["status"], facts["expires_at"], facts["granted_scopes"])
    assert "of-the-account" not in shown.stdout
    assert "2096-10-02T07:06:40Z" in run("connections", "show", "idle", "u").stdout


def test_show_knows_no_expiry_of_a_key(run):
    run("connections", "add", "keyed", "u", "--credentials", "-", stdin='{"api_key": "k-1"}')
    facts = json.loads(run("connections", "show", "keyed", "u", "--json").stdout)
    assert (None, None) == (facts["expires_at"], facts["granted_scopes"])


class _Endpoint(BaseHTTPRequestHandler):
    answer = (200, {"access_token": "a-2-of-the-account", "expires_in": 3600})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, document = self.server.answers.pop()
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def token_endpoint(*answers):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        server.answers = list(answers)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_keep_alive_tells_who_was_renewed_and_who_could_not_be(run, tmp_path):
    granted = (200, {"access_token": "a-2-of-the-account", "expires_in": 3600})
    refused = (400, {"error": "invalid_grant"})
    for user in ("u-1", "u-2"):
        run("connections", "add", "idle", user, "--credentials", "-", stdin=json.dumps(TOKENS))
    with token_endpoint(refused, granted) as port:
        (tmp_path / "integrations.yaml").write_text(DECLARED.replace("PORT", str(port)))
        ended = run("keep-alive", "--json")
    told = json.loads(ended.stdout)
    assert (1, 1, 1) == (ended.returncode, len(told["renewed"]), len(told["failed"]))
    assert ("idle", "ReauthRequired") == (told["failed"][0]["integration"], told["failed"][0]["error"])
    assert "of-the-account" not in ended.stdout + ended.stderr
    statuses = {item["user_id"]: item["status"] for item in json.loads(run("connections", "list", "--json").stdout)}
    assert {"active", "reauth_required"} == set(statuses.values())
    assert "reauth_required" == statuses[told["failed"][0]["user_id"]]
    assert "reauth_required" in run("connections", "list").stdout


def test_keep_alive_with_nothing_to_do(run):
    ended = run("keep-alive")
    assert (0, "Nothing was due.\n") == (ended.returncode, ended.stdout)


def test_keep_alive_does_not_hide_an_integration_that_it_cannot_read(run, tmp_path):
    (tmp_path / "integrations.yaml").write_text(
        DECLARED.replace("PORT", "1") + "  broken: {auth: {auth_mode: OAUTH3}}\n"
    )
    ended = run("keep-alive", "--json")
    assert (1, ["broken"]) == (ended.returncode, json.loads(ended.stdout)["broken"])
    assert "nango-py check" in ended.stderr
