"""``nango-py connections add`` at a terminal: what it asks for, what it shows, and what it does not ask twice."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

PATIENCE = 60
DECLARED = """\
integrations:
  desk:
    auth: {auth_mode: BASIC}
    credentials:
      username: {title: User name}
      password: {title: Password, secret: true}
      second_key: {title: Second key, secret: true, optional: true}
      fixed: {default: x}
    connection_config:
      site: {title: Site}
      region: {title: Region, optional: true}
    requests:
      base_url: "https://${connection_config.site}.example.com/"
      headers: {X-Second: "${credentials.second_key}", X-Fixed: "${credentials.fixed}"}
  sheets:
    oauth_client_id: id
    oauth_client_secret: s3cr3t
    auth:
      auth_mode: OAUTH2
      authorization_url: https://login.example.com/
      token_url: https://login.example.com/token
      redirect_uri_metadata: [company]
    connection_config: {company: {title: Company}, tenant: {title: Tenant}}
    requests: {base_url: "https://${connection_config.tenant}.example.com/${connection_config.company}/"}
"""


@pytest.fixture(autouse=True)
def _declared(tmp_path):
    (tmp_path / "integrations.yaml").write_text(DECLARED)


@pytest.fixture
def typed(tmp_path):
    """Run a command at a terminal, type an answer at each prompt, and return its exit code and what was shown."""
    pty = pytest.importorskip("pty", reason="the terminal is a Unix one")

    def command(words, answers):
        environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200", "TERM": "dumb"}
        program = [sys.executable, "-c", "from nango_py.cli import main; main()", *words]
        ours, theirs = pty.openpty()
        asking = subprocess.Popen(
            program, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environ, start_new_session=True
        )
        os.close(theirs)
        shown, waiting, seen = "", list(answers), 0
        while True:
            if not select.select([ours], [], [], PATIENCE)[0]:
                asking.kill()  # it asks for what nobody answers
            if not (piece := next_piece(ours)):
                break
            shown += piece.decode()
            if waiting and shown[seen:].endswith(": "):  # what is typed before the prompt is lost
                seen = len(shown)
                os.write(ours, f"{waiting.pop(0)}\n".encode())
        os.close(ours)
        return asking.wait(PATIENCE), shown

    return command


def next_piece(terminal):
    """Return what a terminal shows next; nothing when its program has ended."""
    try:
        return os.read(terminal, 10_000)
    except OSError:  # what Linux says then
        return b""


def prompts(shown):
    return [line.partition(": ")[0] for line in shown.splitlines() if ": " in line and line[0].isupper()]


def stored(call, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return call("connections", "show", "desk", "ann", "--json").stdout


def test_optional_credentials_are_asked_for_and_enter_skips_them(typed, call, monkeypatch, tmp_path):
    code, shown = typed(["connections", "add", "desk", "ann"], ["ann@example.com", "pass-word-1", "", "acme"])

    assert (0, ["User name", "Password", "Second key (Enter skips it)", "Site"]) == (code, prompts(shown))
    found = stored(call, monkeypatch, tmp_path)
    assert '"second_key"' not in found
    assert '"site": "acme"' in found


def test_what_is_secret_is_not_shown_while_it_is_typed(typed, call, monkeypatch, tmp_path):
    answers = ["ann@example.com", "pass-word-1", "key-number-2"]
    code, shown = typed(["connections", "add", "desk", "ann", "--config", "site=acme"], answers)

    assert (0, [True, False, False]) == (code, [answer in shown for answer in answers])
    assert '"second_key": "***"' in stored(call, monkeypatch, tmp_path)


def test_who_is_connected_already_is_not_asked_for_anything(typed):
    typed(["connections", "add", "desk", "ann", "--config", "site=acme"], ["ann", "pass-word-1", ""])
    code, shown = typed(["connections", "add", "desk", "ann"], [])

    assert 2 == code
    assert "has a connection for user 'ann' already" in shown
    assert "nango-py connections delete desk ann" in shown


def test_accounts_that_sign_in_are_led_to_connect(call):
    done = call("connections", "add", "sheets", "ann")

    assert 2 == done.returncode
    assert "its accounts sign in: nango-py connect sheets ann." in done.stderr


def test_config_that_nobody_can_be_asked_for_is_named_as_an_option(run):
    given = '{"username": "ann", "password": "pass-word-1"}'
    added = run("connections", "add", "desk", "ann", "--credentials", "-", stdin=given)
    connected = run("connect", "sheets", "ann")

    assert (2, True) == (added.returncode, "ask for 'site' on. Give --config site=VALUE." in added.stderr)
    assert (2, True) == (connected.returncode, "ask for 'tenant' on. Give --config tenant=VALUE." in connected.stderr)
