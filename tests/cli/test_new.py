"""`nango-py blueprints new`, as people and machines use it."""

from __future__ import annotations

import json

from tests.authoring.spec import described, param


def test_new_writes_a_blueprint_that_passes_check_and_its_tests(run, tmp_path):
    done = run(
        "blueprints", "new", "acme", "--base-url", "https://acme.example/v1/", "--auth-mode", "api-key",
        "--auth", "name=X-Key", "--verification-path", "me",
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)
    assert "Wrote blueprints/acme.yaml." in done.stdout
    assert "nango-py connections add acme USER_ID" in done.stdout
    lines = (tmp_path / "blueprints" / "acme.yaml").read_text("utf-8").splitlines()
    assert "# yaml-language-server: $schema=../.nango/schemas/blueprint.schema.json" == lines[0]
    assert (tmp_path / ".nango" / "schemas" / "blueprint.schema.json").is_file()
    checked = run("check", "blueprints/acme.yaml")
    assert (0, "0 errors, 0 warnings, 1 blueprint file checked.\n") == (checked.returncode, checked.stdout)
    assert 0 == run("blueprints", "test", "blueprints/acme.yaml").returncode


def test_new_writes_over_no_file_and_asks_nobody_who_is_not_there(run, tmp_path):
    missing = run("blueprints", "new", "acme")
    assert (2, "Error: there is no terminal to ask on: give --base-url, --auth-mode.\n") == (
        missing.returncode,
        missing.stderr,
    )
    empty = run("blueprints", "new", "acme", "--base-url", "", "--auth-mode", "")
    assert missing.stderr == empty.stderr
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "acme.yaml").write_text("mine", "utf-8")
    there = run("blueprints", "new", "acme", "--base-url", "https://acme.example/", "--auth-mode", "none")
    assert (2, "Error: blueprints/acme.yaml exists already; it was left as it is.\n") == (
        there.returncode,
        there.stderr,
    )
    assert "mine" == (tmp_path / "blueprints" / "acme.yaml").read_text("utf-8")


def test_new_from_openapi_says_what_was_left_out(run, tmp_path):
    document = described(
        {"GET /me": {}, "GET /old": {"deprecated": True}, "GET /a": {"parameters": [param("c", "cookie")]}}
    )
    (tmp_path / "api.json").write_text(json.dumps(document), "utf-8")
    done = run("blueprints", "new", "acme", "--from-openapi", "api.json", "--report", "left.json")

    assert (0, "") == (done.returncode, done.stderr)
    assert "2 of 3 operations became actions." in done.stdout
    assert "    1 left out: it is deprecated: --only takes it nevertheless" in done.stdout
    assert "Nothing signs its requests: if something has to, say how with --auth-mode." in done.stdout
    left = json.loads((tmp_path / "left.json").read_text("utf-8"))["found"]["acme"]["keys"]
    assert ["GET /old", "GET /a c"] == [finding["key"] for finding in left]
    both = run("blueprints", "new", "other", "--from-openapi", "api.json", "--identity", "id")
    assert (2, "Error: --identity: the description says that: change the file afterwards.\n") == (
        both.returncode,
        both.stderr,
    )
    shown = json.loads(run("blueprints", "new", "third", "--from-openapi", "api.json", "--json").stdout)
    assert "blueprints/third.yaml" == shown["written"]
