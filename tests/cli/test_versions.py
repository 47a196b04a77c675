"""nango-py blueprints diff, nango-py lock, and what check says of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FILE = "integrations:\n  crm:\n    extends_blueprint: acme:v0\n"
ACME = """\
name: acme
versions:
  v0:
    auth: {auth_mode: API_KEY}
    requests: {base_url: https://api.acme.example/}
    actions:
      list: {request: {path: list}}
  v1:
    auth: {auth_mode: API_KEY}
    requests: {base_url: https://api.acme.example/}
    retry: {max_attempts: 2}
    actions:
      get: {request: {path: get}}
"""


def write(folder):
    (folder / "blueprints").mkdir()
    (folder / "blueprints" / "acme.yaml").write_text(ACME, "utf-8")
    (folder / "integrations.yaml").write_text(FILE, "utf-8")


def test_versions_are_compared_in_groups_without_colour(call, tmp_path):
    write(tmp_path)
    by_key = call("blueprints", "diff", "acme:v0", "acme:v1")
    by_file = call("blueprints", "diff", "blueprints/acme.yaml:v0", "blueprints/acme.yaml:v1")

    expected = """\
acme:v0 -> acme:v1

BREAKING (1)
  blueprints/acme.yaml:7:13: actions.list: removed. Calls of it raise UnknownAction.

RISKY (1)
  blueprints/acme.yaml:11:12: retry: new: {"max_attempts":2}. Requests are tried again otherwise.

SAFE (1)
  blueprints/acme.yaml:13:12: actions.get: new.

"""
    assert (1, expected) == (by_key.returncode, by_key.stdout)
    assert (1, expected) == (by_file.returncode, by_file.stdout)


def test_nothing_breaking_is_exit_code_0_and_json_is_for_machines(call, tmp_path):
    write(tmp_path)
    done = call("blueprints", "diff", "acme:v0", "acme:v0", "--json")

    assert (0, [{"before": "acme:v0", "after": "acme:v0", "changes": []}]) == (
        done.returncode,
        json.loads(done.stdout),
    )


def test_a_name_without_a_version_is_not_compared_with_the_same_in_other_words(call, tmp_path):
    write(tmp_path)
    done = call("blueprints", "diff", "acme", "acme:v1")

    assert (2, True) == (done.returncode, "acme and acme:v1 are both acme:v1" in done.stderr)
    assert 1 == call("blueprints", "diff", "acme:v0", "acme").returncode


def test_a_lock_needs_integrations(call):
    done = call("lock")

    assert (2, True) == (
        done.returncode,
        "No such file or directory. Go to the folder that holds it, or make one: nango-py init" in done.stderr,
    )


def test_two_versions_or_a_lock_have_to_be_named(call, tmp_path):
    write(tmp_path)

    assert (2, True) == ((done := call("blueprints", "diff", "acme:v0")).returncode, "say --locked" in done.stderr)
    assert (2, True) == ((done := call("blueprints", "diff", "--locked")).returncode, "nango-py lock" in done.stderr)
    assert 2 == call("blueprints", "diff", "acme:v0", "acme:v9").returncode


def test_a_drifted_blueprint_fails_check_until_it_is_locked_again(call, tmp_path):
    write(tmp_path)
    assert (0, "") == ((locked := call("lock")).returncode, locked.stderr)
    assert 0 == call("check").returncode
    path = tmp_path / "blueprints" / "acme.yaml"
    path.write_text(ACME.replace("path: list", "path: lists"), "utf-8")
    found = call("check")
    shown = call("blueprints", "diff", "--locked")

    assert 1 == found.returncode
    assert "integrations.yaml:3:24: blueprint 'acme:v0' is not what nango.lock holds: 1 RISKY." in found.stdout
    assert (0, True) == (shown.returncode, 'actions.list.request.path: "list" became "lists".' in shown.stdout)
    assert True is json.loads(call("lock", "--json").stdout)["changed"]
    assert 0 == call("check").returncode


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("v0", "v7", "integrations.yaml:3:24: blueprint 'acme' has no version 'v7'."),
        ("acme:v0", "Acme!", "integrations.yaml:3:24: 'Acme!' is no blueprint key."),
        ("{auth_mode: API_KEY}", "{auth_mod: API_KEY}", "acme.yaml:4:12: unknown key 'auth_mod'."),
    ],
)
def test_a_broken_blueprint_is_not_locked(call, tmp_path, old, new, message):
    write(tmp_path)
    path = tmp_path / ("integrations.yaml" if old in FILE else "blueprints/acme.yaml")
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    done = call("lock")

    assert (1, False) == (done.returncode, (tmp_path / "nango.lock").exists())
    assert message in done.stderr


def test_the_page_on_upgrades_shows_what_is_printed(call, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "upgrade-blueprints.md").read_text("utf-8")
    write(tmp_path)
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(f"# {name}\n{text}", "utf-8")
    shown, locked = call("blueprints", "diff", "acme:v0", "acme:v1"), call("lock")
    path = tmp_path / "blueprints" / "acme.yaml"
    path.write_text(path.read_text("utf-8").replace("acme.example", "acme.test", 1), "utf-8")
    found = call("check")

    assert (1, True) == (shown.returncode, shown.stdout.strip() in page)
    assert 0 == locked.returncode
    assert (1, True) == (found.returncode, found.stdout.splitlines()[0] in page)
