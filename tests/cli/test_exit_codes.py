"""What a command says and how it ends when a file that it was given is not there: the same everywhere."""

from __future__ import annotations

import json

import click
import pytest

from nango_py.cli import _group

WITHOUT_INTEGRATIONS = {
    "demo": "it has one of its own",
    "dev": "it waits for the file",
    "init": "it writes the file",
    "schema": "it needs the folder only",
    "blueprints diff": "it reads the lock that lies beside",
}
NAMED = [
    "blueprints diff missing.yaml:v0 close:v0",
    "blueprints diff close:v0 missing.yaml",
    "blueprints new it --from-openapi missing.yaml",
    "blueprints pack test missing",
    "blueprints show missing.yaml",
    "blueprints test missing.yaml",
    "blueprints test close:v0 --against missing.yaml",
    "blueprints list --blueprints missing",
    "blueprints diff --locked -f missing/integrations.yaml",
    "check missing.yaml",
    "connections add close ann --credentials missing.json",
    "import airbyte missing.yaml",
    "import nango missing.yaml",
    "request close ann me/ --data @missing.json",
    "run close list-leads ann --input @missing.json",
    "run files send ann --attach file=missing.bin",
    "types -o missing/it.py",
]
HOW = (
    """Quote it for the shell: --input '{"limit": 5}'; or give a file, --input @input.json, """
    "or standard input, --input - ."
)
DECLARED = """\
integrations:
  close: {extends_blueprint: close:v0}
  files:
    auth: {auth_mode: NONE}
    requests: {base_url: "https://files.example.com/"}
    actions:
      send:
        input: {type: object, properties: {file: {type: string, format: binary}}}
        request: {method: POST, path: x, raw: {content: "${input.file}"}}
"""


def leaves(command=_group, words=()):
    """Yield the words and the command of everything that can be run."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), (*words, name))
    else:
        yield words, command


def of_integrations():
    """Return every command that reads integrations.yaml, with as many arguments as it needs."""
    found = []
    for words, command in leaves():
        options = {option for param in command.params for option in param.opts}
        if "--file" in options and " ".join(words) not in WITHOUT_INTEGRATIONS:
            needed = sum(isinstance(param, click.Argument) and param.required for param in command.params)
            found.append(" ".join((*words, *["x"] * needed, "--yes" if "--yes" in options else "")).rstrip())
    return found


@pytest.fixture
def here(call, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "integrations.yaml").write_text(DECLARED)
    (tmp_path / "ann.json").write_text("{}")
    (tmp_path / "key.json").write_text(json.dumps({"username": "key-number-1"}))
    return call


@pytest.mark.parametrize("words", [*(f"{words} -f missing.yaml" for words in of_integrations()), *NAMED])
def test_a_file_that_is_not_there_is_named_and_is_wrong_use(here, words):
    if words.startswith(("request", "run")):
        here("connections", "add", "close", "ann", "--credentials", "key.json")
        here("connections", "add", "files", "ann", "--credentials", "ann.json")
    done = here(*words.split())

    assert (2, "") == (done.returncode, done.stdout)
    assert "missing" in done.stderr.splitlines()[-1]


def test_every_command_that_takes_integrations_is_among_them():
    assert {"check", "lock", "mcp", "run", "types"} <= {words.split()[0] for words in of_integrations()}


def test_a_folder_without_integrations_is_told_how_to_begin(call):
    done = call("check")

    expected = "Error: integrations.yaml: the file cannot be read: No such file or directory. Go to the folder that holds it, or make one: nango-py init\n"
    assert (2, expected) == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("clse:v0", "there is no blueprint 'clse:v0'. Did you mean 'close'?"),
        ("close:v9", "blueprint 'close' has no version 'v9'. Did you mean 'close:v0'?"),
        ("Close!", "'Close!' is no blueprint key. Write name:version, such as close:v0"),
        ("notes.yml", "notes.yml: the name of a blueprint file ends in .yaml."),
    ],
)
@pytest.mark.parametrize("words", ["blueprints show", "blueprints test", "blueprints diff close:v0"])
def test_a_blueprint_that_is_not_there_is_wrong_use(call, tmp_path, words, written, said):
    (tmp_path / "notes.yml").write_text("")
    done = call(*words.split(), written)

    assert (2, True) == (done.returncode, done.stderr.startswith(f"Error: {said}"))


def test_a_file_that_is_there_and_broken_is_no_wrong_use(call, tmp_path):
    (tmp_path / "broken.yaml").write_text("name: broken\nversions: {v0: {auth: {auth_mode: NO}}}\n")

    assert [1, 1] == [call("blueprints", verb, "broken.yaml").returncode for verb in ("show", "test")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{limit: 5}", f"--input is no JSON: line 1, column 2: Expecting property name enclosed in double quotes. {HOW}"),
        ("@odd.json", "--input is no JSON: line 2, column 1: Expecting value."),
        ("@bytes.json", "--input: the file bytes.json is no UTF-8 text."),
        ("[5]", "--input must be a JSON object, such as '{\"limit\": 5}'."),
    ],
)  # fmt: skip
def test_input_that_is_no_json_is_told_where_and_how_to_write_it(here, tmp_path, given, said):
    (tmp_path / "odd.json").write_text('{"limit":\n')
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    done = here("run", "close", "list-leads", "ann", "--input", given)

    assert (2, f"Error: {said}\n") == (done.returncode, done.stderr)
