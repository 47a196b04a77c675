"""The command line as people and machines use it."""

from __future__ import annotations

import json
from pathlib import Path

from nango_py.cli import _COMMANDS

SECRET = "api_cli_secret_99"


def test_init_check_add_and_show(run, tmp_path):
    assert 0 == run("init").returncode
    assert 2 == run("init").returncode
    assert 0 == run("check").returncode
    added = run("connections", "add", "close", "u", "--credentials", "-", stdin=json.dumps({"username": SECRET}))
    assert (0, "") == (added.returncode, added.stderr)
    shown = run("connections", "show", "close", "u", "--json")
    assert {"username": "***", "password": "***"} == json.loads(shown.stdout)["credentials"]
    assert ["u"] == [item["user_id"] for item in json.loads(run("connections", "list", "--json").stdout)]
    assert 2 == run("connections", "add", "close", "u", "--credentials", "-", stdin='{"username": "x"}').returncode
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert 0 == run("keys", "rotate").returncode
    assert 0 == run("connections", "delete", "close", "u", "--yes").returncode


def test_a_file_of_credentials_that_cannot_be_read_is_named(run, tmp_path):
    run("init")
    (tmp_path / "odd.json").write_bytes(b"\xff")
    missing = run("connections", "add", "close", "u", "--credentials", "missing.json")
    assert (2, "Error: credentials: the file missing.json cannot be read: No such file or directory.\n") == (
        missing.returncode,
        missing.stderr,
    )
    odd = run("connections", "add", "close", "u", "--credentials", "odd.json")
    assert (2, "Error: credentials: the file odd.json is no UTF-8 text.\n") == (odd.returncode, odd.stderr)


def test_without_a_terminal_it_is_said_how_credentials_come_in(run):
    run("init")
    piped = run("connections", "add", "close", "u", stdin=SECRET)
    assert 2 == piped.returncode
    assert "no terminal to ask for 'username' on" in piped.stderr
    assert "--credentials - for standard input" in piped.stderr
    assert SECRET not in piped.stderr


def test_check_warns_where_nobody_can_sign_in(run, tmp_path):
    (tmp_path / "integrations.yaml").write_text(
        "integrations:\n  google-calendar: {extends_blueprint: google-calendar:v0}\n"
    )
    found = run("check")

    assert 0 == found.returncode
    assert "integration 'google-calendar' has no oauth_client_id, so its accounts cannot sign in." in found.stdout
    assert "0 errors, 1 warning, 1 integration ready." in found.stdout


def test_check_finds_a_misspelt_key_with_its_line(run, tmp_path):
    (tmp_path / "integrations.yaml").write_text("integrations:\n  close:\n    extends_bluprint: close:v0\n")
    found = run("check")
    assert 1 == found.returncode
    assert "integrations.yaml:3:5: unknown key 'extends_bluprint'. Did you mean 'extends_blueprint'?" in found.stdout
    problem = json.loads(run("check", "--json").stdout)["problems"][0]
    assert (3, 5, "schema.unknown_key") == (problem["line"], problem["column"], problem["code"])


def test_explain_shows_file_and_line_and_no_secret(run):
    run("init")
    run("connections", "add", "close", "u", "--credentials", "-", stdin=json.dumps({"username": SECRET}))
    shown = run("explain", "close", "list-leads", "u")
    assert 0 == shown.returncode
    assert "close.yaml:" in shown.stdout
    assert "Basic <basic_auth_encoded>" in shown.stdout
    assert SECRET not in shown.stdout


def test_unknown_names_are_wrong_use(run):
    run("init")
    wrong = run("run", "close", "list-leeds", "u")
    assert (2, True) == (wrong.returncode, "Did you mean 'list-leads'?" in wrong.stderr)
    assert 2 == run("no-such-command").returncode


def test_a_parameter_without_a_value_is_wrong_use(call, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "key.json").write_text(json.dumps({"username": SECRET}))
    for words in (["init"], ["connections", "add", "close", "u", "--credentials", "key.json"]):
        assert 0 == call(*words).returncode
    wrong = call("request", "close", "u", "lead/", "--param", "query")

    assert (2, True) == (wrong.returncode, "--param wants NAME=VALUE." in wrong.stderr)


def test_demo_tells_the_truth(run):
    told = json.loads(run("demo", "--json").stdout)
    assert [200, 200, 429, 200, 200] == [row["answer"] for row in told["requests"]]
    assert (250, "demo@example.com") == (told["leads"], told["me"])


def test_blueprints_are_listed_and_shown(run):
    names = [item["name"] for item in json.loads(run("blueprints", "list", "--json").stdout)]
    assert {"close", "slack", "hubspot"} <= set(names)
    assert "BASIC" == json.loads(run("blueprints", "show", "close", "--json").stdout)["auth_mode"]


def test_every_command_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    assert [] == [name for name in _COMMANDS if f"| `{name}" not in page]


def test_a_revocation_that_failed_is_told(run, tmp_path):
    (tmp_path / "integrations.yaml").write_text(
        "integrations:\n  crm:\n    oauth_client_id: app\n    oauth_client_secret: secret-of-the-app\n    auth:\n"
        "      auth_mode: OAUTH2\n      token_url: http://127.0.0.1:9/token\n      revocation_url: http://127.0.0.1:9/revoke\n"
        '    requests: {base_url: "http://127.0.0.1:9/"}\n'
    )
    (tmp_path / "tokens.json").write_text('{"access_token": "token-of-ann"}')
    run("connections", "add", "crm", "ann", "--credentials", "tokens.json")
    found = run("connections", "delete", "crm", "ann", "--yes")

    assert 0 == found.returncode
    assert "revocation.failed" in found.stderr
    assert "token-of-ann" not in found.stdout + found.stderr


def test_a_blueprint_is_tested_from_the_command_line(run, tmp_path):
    keys = "auth: {auth_mode: API_KEY, name: X-Api-Key}\n    requests: {base_url: https://api.example.com/}\n"
    (tmp_path / "demo.yaml").write_text(f"name: demo\nversions:\n  v0:\n    {keys}", encoding="utf-8")
    (tmp_path / "old.yaml").write_text(
        f"name: old\nversions:\n  v0:\n    {keys}".replace("X-Api-Key", "X-Key"), encoding="utf-8"
    )

    good = run("blueprints", "test", "demo.yaml")
    bad = run("blueprints", "test", "demo.yaml", "--against", "old.yaml", "--json")
    found = {check["id"]: check["ok"] for check in json.loads(bad.stdout)}

    assert (0, True) == (good.returncode, " passed, 0 failed, " in good.stdout)
    assert (1, False) == (bad.returncode, found["auth.let_in"])


def test_a_misspelt_command_leads_to_the_one_that_was_meant(call):
    chek = call("chek")

    assert (2, True) == (chek.returncode, "No such command 'chek'. Did you mean 'check'?" in chek.stderr)
    assert "No such command 'nothing'.\n" in call("nothing").stderr


def test_completing_after_a_misspelt_command_says_nothing(run):
    asked = {"_NANGO_PY_COMPLETE": "bash_complete", "COMP_WORDS": "nango-py chek --f", "COMP_CWORD": "2"}

    assert "" == run(environ=asked).stderr
