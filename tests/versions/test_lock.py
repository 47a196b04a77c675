"""nango.lock: what was pinned, whether it is still so, and what changed since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nango_py.cli import main
from nango_py.declare.catalogue import built_in_folder
from nango_py.errors import ConfigError
from nango_py.versions.content import digest
from nango_py.versions.diff import diff
from nango_py.versions.lock import LOCK_NAME, check_lock, compared, lock_text, pin_of, read_lock, uses_of

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
integrations:
  crm: {extends_blueprint: "acme:v0"}
  mail: {extends_blueprint: google-mail:v0}
"""
ACME = """\
name: acme
versions:
  v0:
    auth: {auth_mode: API_KEY}
    requests: {base_url: https://api.acme.example/}
    actions:
      list: {request: {path: list}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "acme.yaml").write_text(ACME, "utf-8")
    (tmp_path / "integrations.yaml").write_text(FILE, "utf-8")
    lock(tmp_path / "integrations.yaml")
    return tmp_path


def lock(file: Path) -> None:
    pins = [pin_of(use.content) for use in uses_of(file)]
    file.with_name(LOCK_NAME).write_text(lock_text(pins), "utf-8")


def codes(project: Path) -> list[tuple[str, int]]:
    return [(problem.code, problem.location.line) for problem in check_lock(project / "integrations.yaml")]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_lock_holds_name_version_chain_source_and_digest(project):
    pins = read_lock(project / LOCK_NAME)

    assert ["acme:v0", "google-mail:v0"] == list(pins)
    assert {"google-mail:v0": "builtin", "google:v0": "builtin"} == pins["google-mail:v0"].sources
    assert {"acme:v0": "local"} == pins["acme:v0"].sources
    assert 64 == len(pins["acme:v0"].sha256)


def test_what_is_as_it_was_locked_is_no_problem(project):
    assert [] == codes(project)


def test_without_a_lock_nothing_is_compared(project):
    (project / LOCK_NAME).unlink()

    assert [] == codes(project)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("versions:\n", "versions:\n  v1: {auth: {auth_mode: API_KEY}, requests: {base_url: https://v1.example/}}\n"),
        ("  v0:\n", "  v0:\n    # A comment.\n    comment: Another.\n    x-sources: {auth: none}\n"),
        ("{auth_mode: API_KEY}", "\n      auth_mode: API_KEY"),
    ],
)
def test_a_new_version_a_comment_and_another_layout_are_no_drift(project, old, new):
    edit(project / "blueprints" / "acme.yaml", old, new)

    assert [] == codes(project)


def test_a_version_that_changed_is_refused_where_it_is_used(project):
    edit(project / "blueprints" / "acme.yaml", "acme.example", "acme.test")
    (problem,) = check_lock(project / "integrations.yaml")

    assert ("lock.drifted", 2, 28) == (problem.code, problem.location.line, problem.location.column)
    assert "1 BREAKING" in problem.message
    assert "nango-py blueprints diff --locked" in problem.hint
    assert "nango-py lock" in problem.hint


def test_an_ancestor_that_changed_is_drift_of_what_extends_it(project):
    own = (built_in_folder() / "google.yaml").read_text("utf-8")
    (project / "blueprints" / "google.yaml").write_text(own.replace("max_attempts: 5", "max_attempts: 9"), "utf-8")

    assert [("lock.source", 3), ("lock.drifted", 3)] == codes(project)


def test_a_version_that_is_not_pinned_is_refused_and_one_that_nobody_uses_is_told(project):
    edit(project / "integrations.yaml", '"acme:v0"', '"close:v0"')
    found = check_lock(project / "integrations.yaml")

    assert [("lock.missing", "error"), ("lock.unused", "warning")] == [(one.code, one.severity) for one in found]


def test_the_successor_of_a_locked_version_is_compared_with_it(project):
    edit(
        project / "blueprints" / "acme.yaml",
        "  v0:\n",
        "  v1: {auth: {auth_mode: BASIC}, requests: {base_url: https://api.acme.example/}}\n  v0:\n",
    )
    edit(project / "integrations.yaml", "acme:v0", "acme:v1")
    pins, uses = read_lock(project / LOCK_NAME), uses_of(project / "integrations.yaml")
    (pin, content), _ = compared(pins, uses)
    changes = diff(pin.content(LOCK_NAME), content)

    assert ("acme:v0", "acme:v1") == (pin.key, content.key)
    assert [("BREAKING", "auth.auth_mode"), ("BREAKING", "actions.list")] == [
        (one.level, one.path) for one in changes
    ]
    assert f"{LOCK_NAME}/blueprints/acme:v0/content/actions/list" == str(changes[1].location)


@pytest.mark.parametrize(
    ("old", "new"),
    [("acme.example", "evil.example"), ('"format": 1', '"format": 2'), ("{", ""), ('"sha256"', '"sha"')],
)
def test_a_lock_that_is_not_what_was_written_is_refused(project, old, new):
    edit(project / LOCK_NAME, old, new)

    with pytest.raises(ConfigError):
        read_lock(project / LOCK_NAME)
    assert ["lock.broken"] == [code for code, _ in codes(project)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:300], "nango.lock:10:"),
        (lambda text: text.replace('  "format"', '<<<<<<< ours\n  "format"'), "nango.lock:3:1: it holds the marks of a merge"),
        (lambda _: "[" * 100_000, "it cannot be read as a lock file"),
        (lambda _: "[]", "it holds no blueprints"),
        (lambda _: '{"format": 2, "pins": []}', "another version of nango_py"),
        (lambda text: relocked(text, lambda entry: entry.update(content=None)), "acme:v0: the entry of acme:v0 lacks"),
        (lambda text: relocked(text, lambda entry: entry.update(sources="local")), "acme:v0: the entry of acme:v0 lacks"),
        (lambda text: relocked(text, lambda entry: entry["content"].update(auth={"auth_mode": []})), "content/auth/auth_mode: "),
        (lambda text: relocked(text, lambda entry: entry["content"].update(actions=[3])), "content/actions: 'actions' must be a mapping"),
    ],
)  # fmt: skip
def test_a_lock_that_somebody_broke_says_where_and_what_to_do(project, change, message):
    path = project / LOCK_NAME
    path.write_text(change(path.read_text("utf-8")), "utf-8")

    with pytest.raises(ConfigError) as refused:
        read_lock(path)
    assert message in str(refused.value)
    assert "Take it from version control, or write it anew: nango-py lock." in str(refused.value)


def relocked(text, change):
    document = json.loads(text)
    for key, entry in document["blueprints"].items():
        if key == "acme:v0":
            change(entry)
            entry["sha256"] = digest(entry["content"])
    return json.dumps(document)


@pytest.mark.parametrize(
    "content", [{"credentials": {"api_key": {"colour": "red"}}}, {"auth": None, "actions": {"list": None}}]
)
def test_what_another_version_wrote_into_a_lock_is_compared_as_far_as_it_is_known(project, content):
    path = project / LOCK_NAME
    path.write_text(relocked(path.read_text("utf-8"), lambda entry: entry["content"].update(content)), "utf-8")

    assert [("lock.drifted", 2)] == codes(project)


def test_a_lock_is_written_over_one_that_is_no_text(project, monkeypatch):
    path = project / LOCK_NAME
    written = path.read_text("utf-8")
    path.write_bytes(b"\xff")
    monkeypatch.chdir(project)
    with pytest.raises(SystemExit) as ended:
        main(["lock"])

    assert (0, written) == (ended.value.code, path.read_text("utf-8"))


def test_a_lock_does_not_depend_on_where_it_was_written(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "blueprints").mkdir()
    (other / "blueprints" / "acme.yaml").write_text(ACME, "utf-8")
    (other / "integrations.yaml").write_text("# Mine.\n" + FILE, "utf-8")
    lock(other / "integrations.yaml")

    assert (project / LOCK_NAME).read_text("utf-8") == (other / LOCK_NAME).read_text("utf-8")
    assert str(project) not in (project / LOCK_NAME).read_text("utf-8")


@pytest.mark.parametrize("name", sorted(path.stem for path in built_in_folder().glob("*.yaml"))[1::6])
def test_what_is_read_back_is_what_was_written(tmp_path, name):
    file = tmp_path / "integrations.yaml"
    file.write_text(json.dumps({"integrations": {"it": {"extends_blueprint": f"{name}:v0"}}}), "utf-8")
    lock(file)
    ((pin, content),) = compared(read_lock(tmp_path / LOCK_NAME), uses_of(file))

    assert (content.data, ()) == (pin.data, diff(pin.content(LOCK_NAME), content))
