"""``nango-py check`` on files and folders, its formats and its exit codes."""

from __future__ import annotations

import json

import pytest

from nango_py.cli.reports import as_github
from nango_py.location import Location, Problem

CLEAN = """\
name: acme
versions:
  v0:
    auth: {auth_mode: API_KEY}
    requests: {base_url: "https://api.example.com/"}
    verification: {path: me}
"""
WARNED = CLEAN.replace("https", "http")
WRONG = CLEAN.replace("verification", "verificaton")


def write(folder, text, name="blueprints/acme.yaml"):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_file_or_a_folder_of_blueprints_is_checked(run, tmp_path):
    write(tmp_path, CLEAN)
    one, folder = run("check", "blueprints/acme.yaml"), run("check", "blueprints")

    assert (0, "0 errors, 0 warnings, 1 blueprint file checked.\n") == (one.returncode, one.stdout)
    assert one.stdout == folder.stdout


def test_a_folder_without_blueprints_is_wrong_use(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("check", "empty")

    assert (2, "Error: empty holds no blueprint files, whose names end in .yaml.\n") == (done.returncode, done.stderr)


def test_a_folder_may_hold_folders(call, tmp_path):
    write(tmp_path, CLEAN)
    (tmp_path / "blueprints" / "old.yaml").mkdir()
    done = call("check", "blueprints")

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "start", ["\ufeffintegrations:", '"integrations":', "'integrations' :", "log: {}\nintegrations:"]
)
def test_integrations_are_known_by_their_first_word_however_it_is_written(call, tmp_path, start):
    write(tmp_path, f"{start} {{crm: {{extends_blueprint: close:v0}}}}\n", "integrations.yaml")
    done = call("check", "integrations.yaml")

    assert "1 integration ready" in done.stdout


def test_warnings_fail_only_where_it_is_strict(run, tmp_path):
    write(tmp_path, WARNED)
    found, strict = run("check", "blueprints"), run("check", "--strict", "blueprints")

    assert [0, 1] == [found.returncode, strict.returncode]
    line = "blueprints/acme.yaml:5:26: credentials would travel in the clear. Write https; http is for servers on this machine. [warning: url-not-https]"
    assert line == found.stdout.splitlines()[0]


def test_errors_fail(run, tmp_path):
    write(tmp_path, WRONG)
    found = run("check", "blueprints")

    assert 1 == found.returncode
    assert found.stdout.startswith("blueprints/acme.yaml:6:5: unknown key 'verificaton'.")


def test_an_integrations_file_among_the_paths_is_checked_as_one(run, tmp_path):
    write(tmp_path, WARNED)
    write(tmp_path, "integrations:\n  acme: {extends_blueprint: acme:v0, retry: null}\n", "integrations.yaml")
    found = run("check", "integrations.yaml", "blueprints/acme.yaml")

    assert 1 == found.stdout.count("[warning: url-not-https]")
    assert found.stdout.endswith("0 errors, 1 warning, 2 blueprint files checked, 1 integration ready.\n")


def test_the_local_blueprints_of_an_integration_are_looked_at_too(run, tmp_path):
    write(tmp_path, WARNED)
    write(tmp_path, "integrations:\n  acme: {extends_blueprint: acme:v0}\n", "integrations.yaml")

    assert "blueprints/acme.yaml:5:26: " in run("check").stdout


TWO_VERSIONS = (
    WARNED
    + """\
  v1:
    auth: {auth_mode: API_KEY}
    requests: {base_url: "https://api.example.com/"}
    verification: {path: me}
"""
)
USES_V1 = "integrations:\n  acme: {extends_blueprint: acme:v1}\n"


def test_warnings_of_versions_that_nothing_extends_are_quiet_until_asked_for(call, tmp_path):
    write(tmp_path, TWO_VERSIONS)
    write(tmp_path, USES_V1, "integrations.yaml")
    found, asked = call("check"), call("check", "--all")

    assert (0, False) == (found.returncode, "url-not-https" in found.stdout)
    expected = [
        "1 warning of versions that nothing extends, which --all shows.",
        "0 errors, 0 warnings, 1 integration ready.",
    ]
    assert expected == found.stdout.splitlines()[-2:]
    assert "blueprints/acme.yaml:5:26: " in asked.stdout
    assert "0 errors, 1 warning, 1 integration ready." == asked.stdout.splitlines()[-1]


def test_what_is_quiet_for_people_counts_for_machines_and_for_the_strict(call, tmp_path):
    write(tmp_path, TWO_VERSIONS)
    write(tmp_path, USES_V1, "integrations.yaml")

    assert ["url-not-https"] == [one["code"] for one in json.loads(call("check", "--json").stdout)["problems"]]
    assert "url-not-https" in call("check", "--format", "github").stdout
    assert [1, 1] == [call("check", "--strict").returncode, call("check", "--strict", "--all").returncode]


def test_a_version_that_another_extends_is_no_quiet_one(call, tmp_path):
    write(tmp_path, WARNED + "  v1: {extends_blueprint: acme:v0}\n")
    write(tmp_path, USES_V1, "integrations.yaml")

    assert "blueprints/acme.yaml:5:26: " in call("check").stdout


def test_a_file_that_is_named_is_checked_with_all_its_versions(call, tmp_path):
    write(tmp_path, TWO_VERSIONS)
    write(tmp_path, USES_V1, "integrations.yaml")
    found = call("check", "integrations.yaml", "blueprints/acme.yaml")

    assert "0 errors, 1 warning, 2 blueprint files checked, 1 integration ready." == found.stdout.splitlines()[-1]
    assert "--all" not in found.stdout


def test_errors_come_first_and_warnings_do_not_drown_them(call, tmp_path):
    write(tmp_path, WARNED.replace("acme", "first"), "blueprints/a.yaml")
    for number in range(22):
        write(tmp_path, WARNED.replace("acme", f"b{number}"), f"blueprints/b{number}.yaml")
    write(tmp_path, WRONG.replace("acme", "z"), "blueprints/z.yaml")
    found, whole = call("check", "blueprints"), call("check", "--all", "blueprints")
    kinds = [line.rpartition(" [")[2] for line in found.stdout.splitlines()]

    assert ["blueprint.name]", "schema.unknown_key]", *["warning: url-not-https]"] * 20] == kinds[:-2]
    expected = "... and 2 more warnings, which --all shows.\n2 errors, 22 warnings, 24 blueprint files checked.\n"
    assert found.stdout.endswith(expected)
    assert 22 == whole.stdout.count("[warning: url-not-https]")


def test_a_parent_in_another_folder_is_found_while_mending(run, tmp_path):
    child = "name: child\nversions:\n  v0: {extends_blueprint: acme, verification: {path: me}}\n"
    write(tmp_path, CLEAN)
    write(tmp_path, child, "more/child.yaml")
    write(tmp_path, "integrations:\n  it: {extends_blueprint: child:v0}\n", "integrations.yaml")
    found = run("check", "--blueprints", "more", "--fix")

    assert "mended: more/child.yaml:3:27: 'acme' means the newest version, today acme:v0." in found.stdout
    assert "0 errors, 0 warnings, 1 integration ready." in found.stdout


def test_a_comment_allows_what_loading_warns_of(run, tmp_path):
    allowed = "  acme: {extends_blueprint: acme}  # nango-py: allow(blueprint.unpinned) We test the newest.\n"
    write(tmp_path, CLEAN)
    write(tmp_path, f"integrations:\n{allowed}", "integrations.yaml")

    assert "0 errors, 0 warnings, 1 integration ready." in run("check").stdout


def test_github_is_told_file_line_and_column(run, tmp_path):
    write(tmp_path, WARNED)
    found = run("check", "--format", "github", "blueprints")

    expected = "::warning file=blueprints/acme.yaml,line=5,col=26,title=url-not-https::credentials would travel in the clear. Write https; http is for servers on this machine.\n"
    assert expected == found.stdout


@pytest.mark.parametrize(
    ("location", "message", "expected"),
    [
        (Location(source="a,b:c%.yaml", line=1, column=2), "50 %\r\nof it: x, y", "::error file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=x.y::50 %25%0D%0Aof it: x, y"),
        (Location(source="nango.lock", pointer="/a"), "m.", "::error file=nango.lock,title=x.y::m."),
    ],
)  # fmt: skip
def test_github_reads_what_was_meant(location, message, expected):
    assert expected == as_github(Problem(location=location, code="x.y", message=message))


def test_fix_mends_and_says_what(run, tmp_path):
    write(tmp_path, CLEAN + "    retry: {at: Retry-After}\n")
    write(tmp_path, "integrations:\n  acme: {extends_blueprint: acme}\n", "integrations.yaml")
    found = run("check", "--fix")

    assert 0 == found.returncode
    assert ["integrations.yaml:2:29", "blueprints/acme.yaml:7:17"] == [
        line.split(": ")[1] for line in found.stdout.splitlines() if line.startswith("mended: ")
    ]
    assert "retry: {auto: Retry-After}" in (tmp_path / "blueprints/acme.yaml").read_text()
    assert "extends_blueprint: acme:v0" in (tmp_path / "integrations.yaml").read_text()
    assert {"problems": [], "fixed": [], "integrations": ["acme"]} == json.loads(
        run("check", "--fix", "--json").stdout
    )


def test_the_rules_are_listed(run):
    table, listed = run("check", "--rules").stdout, json.loads(run("check", "--rules", "--json").stdout)

    assert {"id", "severity", "reason", "fix"} == set(listed[0])
    assert all(rule["id"] in table for rule in listed)
