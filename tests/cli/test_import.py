"""`nango-py import airbyte`, as people and machines use it."""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from tests.authoring.spec import described

MANIFEST = """\
type: DeclarativeSource
streams:
  - name: things
    made_up: 1
    retriever:
      requester: {url_base: "https://desk.example/", path: things}
      record_selector: {extractor: {field_path: [items]}}
"""


def test_a_manifest_becomes_a_blueprint_that_passes_check_with_a_report(run, tmp_path):
    (tmp_path / "manifest.yaml").write_text(MANIFEST, "utf-8")
    done = run("import", "airbyte", "manifest.yaml", "--to", "blueprints", "--name", "desk", "--report", "lost.yaml")

    assert (0, "") == (done.returncode, done.stderr)
    assert ["1 of 1 entries imported.", "Keys lost: 1.", "     1 no rule knows this key"] == done.stdout.splitlines()
    (lost,) = yaml.safe_load((tmp_path / "lost.yaml").read_text("utf-8"))["found"]["desk"]["keys"]
    assert ("streams.0.made_up", "lost") == (lost["key"], lost["outcome"])
    assert 0 == run("check", "blueprints/desk.yaml").returncode


def test_what_gives_no_blueprint_ends_with_1_and_what_is_no_manifest_with_2(run, tmp_path):
    (tmp_path / "manifest.yaml").write_text("streams: [{name: a}]", "utf-8")
    (tmp_path / "other.yaml").write_text("a: 1", "utf-8")
    nothing = run("import", "airbyte", "manifest.yaml", "--to", "blueprints", "--name", "desk")
    other = run("import", "airbyte", "other.yaml", "--to", "blueprints")

    assert 1 == nothing.returncode
    assert "  desk: none of its streams became an action." in nothing.stdout
    assert (2, "Error: other.yaml is no manifest of a declarative source: it has no list of streams.\n") == (
        other.returncode,
        other.stderr,
    )
    assert not (tmp_path / "blueprints").exists()


PROVIDERS = "acme: {auth_mode: NONE, proxy: {base_url: https://acme.example}}"
COMMANDS = {
    "nango": ("import", "nango", "providers.yaml", "--to", "blueprints"),
    "airbyte": ("import", "airbyte", "manifest.yaml", "--to", "blueprints", "--name", "acme"),
    "openapi": ("blueprints", "new", "acme", "--from-openapi", "api.json"),
}


@pytest.fixture
def sources(tmp_path):
    """Write a file for each of the commands."""
    (tmp_path / "providers.yaml").write_text(PROVIDERS, "utf-8")
    (tmp_path / "manifest.yaml").write_text(MANIFEST, "utf-8")
    (tmp_path / "api.json").write_text(json.dumps(described({"GET /me": {}})), "utf-8")


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_report_is_written_over_no_file_and_nothing_is_written_then(call, tmp_path, words):
    (tmp_path / "mine.yaml").write_text("mine", "utf-8")
    done = call(*words, "--report", "mine.yaml")

    assert (2, "Error: mine.yaml exists already; it was left as it is.\n") == (done.returncode, done.stderr)
    assert "mine" == (tmp_path / "mine.yaml").read_text("utf-8")
    assert not (tmp_path / "blueprints").exists()


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_report_does_not_become_the_blueprint_that_it_is_about(call, tmp_path, words):
    done = call(*words, "--report", "blueprints/acme.yaml")

    assert (2, "Error: blueprints/acme.yaml cannot be written: File exists.\n") == (done.returncode, done.stderr)
    assert "acme" == yaml.safe_load((tmp_path / "blueprints" / "acme.yaml").read_text("utf-8"))["name"]


@pytest.mark.usefixtures("sources")
def test_overwrite_replaces_the_report_as_well(call, tmp_path):
    (tmp_path / "report.json").write_text("old", "utf-8")
    done = call(*COMMANDS["nango"], "--report", "report.json", "--overwrite")

    assert (0, "") == (done.returncode, done.stderr)
    assert 1 == json.loads((tmp_path / "report.json").read_text("utf-8"))["imported"]


@pytest.mark.usefixtures("sources")
def test_a_folder_that_is_a_file_is_named(call, tmp_path):
    (tmp_path / "blueprints").write_text("a file", "utf-8")
    done = call(*COMMANDS["openapi"])

    assert (2, "Error: blueprints cannot be written: File exists.\n") == (done.returncode, done.stderr)


def test_a_manifest_that_gives_no_name_asks_for_one(call, tmp_path):
    (tmp_path / "日本").mkdir()
    (tmp_path / "日本" / "日本.yaml").write_text(MANIFEST, "utf-8")
    done = call("import", "airbyte", "日本/日本.yaml", "--to", "blueprints")

    assert (2, True) == (done.returncode, done.stderr.endswith("gives the blueprint a name: give --name.\n"))


TAKES = {
    "nango": "nango-py import nango {} --to blueprints",
    "airbyte": "nango-py import airbyte {} --to blueprints",
    "openapi": "nango-py blueprints new NAME --from-openapi {}",
    "integrations": "nango-py check --file {}",
    "blueprint": "nango-py check {}",
}
FILES = {
    "nango": PROVIDERS,
    "airbyte": MANIFEST,
    "openapi": "{openapi: 3.1.0, info: {}, paths: {}}",
    "integrations": "integrations: {acme: {extends_blueprint: acme:v0}}",
    "blueprint": "{name: acme, versions: {v0: {}}}",
}


@pytest.mark.parametrize(
    ("command", "kind"), [(command, kind) for command in COMMANDS for kind in FILES if kind != command]
)
def test_a_file_of_another_kind_is_named_with_the_command_that_takes_it(call, tmp_path, command, kind):
    (tmp_path / "a file").write_text(FILES[kind], "utf-8")
    words = [word if "." not in word else "a file" for word in COMMANDS[command]]
    done = call(*words)

    assert 2 == done.returncode
    assert done.stderr.startswith("Error: a file seems to be ")
    assert done.stderr.endswith(f"That goes to: {TAKES[kind].format(repr('a file'))}\n")


def test_an_error_brings_no_control_characters_of_a_file_to_the_terminal(call, tmp_path):
    (tmp_path / "manifest.yaml").write_text('streams: [{$ref: "#/a\\e[2Jb"}]', "utf-8")
    done = call("import", "airbyte", "manifest.yaml", "--to", "blueprints", "--name", "acme")

    assert (2, "Error: manifest.yaml: #/a [2Jb leads nowhere.\n") == (done.returncode, done.stderr)


@pytest.mark.usefixtures("sources")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is always text")
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_file_whose_name_is_no_text_is_read_and_reported(call, tmp_path, words):
    old = next(word for word in words if "." in word)
    (tmp_path / old).rename(tmp_path / "a\udcff")
    done = call(*("a\udcff" if word == old else word for word in words), "--report", "report.json")

    assert (0, "") == (done.returncode, done.stderr)
    assert "a" == json.loads((tmp_path / "report.json").read_text("utf-8"))["source"]


def test_a_catalogue_may_have_providers_of_any_name(call, tmp_path):
    names = ("openapi", "swagger", "type", "streams", "integrations", "versions", "name")
    entries = {name: {"auth_mode": "NONE", "proxy": {"base_url": "https://acme.example"}} for name in names}
    (tmp_path / "providers.yaml").write_text(yaml.safe_dump(entries), "utf-8")

    assert "7 of 7 entries imported.\n" == call(*COMMANDS["nango"]).stdout
