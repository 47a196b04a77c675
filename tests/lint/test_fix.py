"""Mending leaves comments and layout as they are, says what was mended, and never breaks a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nango_py.declare.catalogue import Catalogue
from nango_py.declare.loader import read_entries
from nango_py.lint import fix_file, fix_integrations, lint_file
from nango_py.lint.fix import fix
from nango_py.lint.mend import AddMember, RemoveMember, RenameKey, SetValue, mended
from nango_py.lint.run import findings_in_file

CORPUS = Path(__file__).parent / "corpus"
BROKEN = """\
# Ours.
name: acme
versions:
  v0:
    comment: 'One'   # kept
    auth: {auth_mode: API_KEY, placement: none, name: X-Key}   # never read
    credentials:
      api_key:
        title: Key  # the key
        pattern: '/^[a-z]+$/'
      signing_token: {title: Token}
      app_secret:
        description: >-
          Found in the
          settings.
    connection_config:
      site: {pattern: "[a-z]+", example: acme}

    requests:
      base_url: "https://${connection_config.site}.example.com/v1/"
      headers: {X-Key: "${api_key}", X-A: "${signing_token}", X-B: "${app_secret}"}
    verification: {path: me}
    retry:
      # How long?
      at: Retry-After
    pagination:
      type: cursor
      cursor_name_in_request: after
      cursor_path_in_response: next
      offset_start_value: 1  # dead
"""
MENDED = """\
# Ours.
name: acme
versions:
  v0:
    comment: 'One'   # kept
    auth: {auth_mode: API_KEY, placement: none}   # never read
    credentials:
      api_key:
        title: Key  # the key
        pattern: '^[a-z]+$'
      signing_token: {title: Token, secret: true}
      app_secret:
        secret: true
        description: >-
          Found in the
          settings.
    connection_config:
      site: {pattern: "^[a-z]+$", example: acme}

    requests:
      base_url: "https://${connection_config.site}.example.com/v1/"
      headers: {X-Key: "${api_key}", X-A: "${signing_token}", X-B: "${app_secret}"}
    verification: {path: me}
    retry:
      # How long?
      auto: Retry-After
    pagination:
      type: cursor
      cursor_name_in_request: after
      cursor_path_in_response: next
"""


@pytest.fixture
def acme(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    return path


def test_what_takes_no_judgement_is_mended_and_the_rest_of_the_file_stays(acme):
    gone = fix_file(acme)

    assert MENDED == acme.read_text(encoding="utf-8")
    assert [
        "pattern-slashes", "pattern-unanchored", "secret-not-marked", "secret-not-marked", "unread-key", "unread-key",
        "wait-header",
    ] == sorted(problem.code for problem in gone)  # fmt: skip


def test_mending_twice_changes_nothing_more(acme):
    fix_file(acme)
    once = acme.read_bytes()

    assert [] == fix_file(acme)
    assert once == acme.read_bytes()


def test_line_ends_of_windows_stay(acme):
    acme.write_bytes(BROKEN.replace("\n", "\r\n").encode())
    fix_file(acme)

    assert MENDED.replace("\n", "\r\n") == acme.read_bytes().decode()


def test_what_a_comment_allows_is_not_mended(acme):
    allowed = BROKEN.replace("# dead", "# nango-py: allow(unread-key) We change to offsets soon.")
    acme.write_text(allowed, encoding="utf-8")
    fix_file(acme)

    assert "offset_start_value: 1  # nango-py: allow(unread-key)" in acme.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_mending_the_corpus_leaves_sound_files_with_fewer_findings(path, tmp_path):
    shutil.copytree(CORPUS, tmp_path / "corpus")
    copy = tmp_path / "corpus" / path.name
    before = lint_file(copy)
    gone = fix_file(copy)
    after = lint_file(copy)

    errors = [problem.code for problem in after if problem.severity == "error"]
    assert errors == [problem.code for problem in before if problem.severity == "error"]
    # One edit may end two findings: a key that is renamed for the two headers below it.
    assert len(before) - len(after) >= (1 if gone else 0)
    assert bool(gone) == (copy.read_bytes() != path.read_bytes())


def test_an_edit_that_would_bring_an_error_is_taken_back_and_others_stay(acme):
    needed = (
        "      offset_name_in_request: skip\n  v1:\n    extends_blueprint: acme:v0\n    pagination: {type: offset}\n"
    )
    acme.write_text(BROKEN + needed, encoding="utf-8")
    fix_file(acme)

    assert MENDED + needed == acme.read_text(encoding="utf-8")


def test_a_file_that_is_no_text_is_left_alone(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    assert [] == fix_file(path)
    assert b"\xff\xfe\x00" == path.read_bytes()


def test_an_integration_is_pinned_where_it_stands(tmp_path):
    path = tmp_path / "integrations.yaml"
    path.write_text("integrations:\n  close: {extends_blueprint: close}  # ours\n", encoding="utf-8")
    gone = fix_integrations(path, lambda: read_entries(path, environ={}))

    assert ["blueprint.unpinned"] == [problem.code for problem in gone]
    assert "integrations:\n  close: {extends_blueprint: close:v0}  # ours\n" == path.read_text(encoding="utf-8")


def test_a_file_is_replaced_whole_and_keeps_its_mode(acme):
    acme.chmod(0o640)
    held = acme.open(encoding="utf-8")
    fix_file(acme)

    with held:
        assert BROKEN == held.read()  # whoever reads it meanwhile reads the old one to its end
    assert 0o640 == acme.stat().st_mode & 0o777
    assert [acme.name] == [path.name for path in acme.parent.iterdir()]


def test_a_file_is_as_it_was_where_what_looks_at_it_fails(acme):
    found = list(findings_in_file(acme, Catalogue(folders=(acme.parent,))))
    looks = iter([found])

    with pytest.raises(StopIteration):  # the second look
        fix(acme, looks.__next__)
    assert BROKEN == acme.read_text(encoding="utf-8")


def test_a_file_stays_where_it_cannot_be_written(acme, tmp_path):
    limited = f"""
import resource, sys
from pathlib import Path
from nango_py.lint import fix_file
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.dont_write_bytecode = True
try:
    fix_file(Path({str(acme)!r}))
except OSError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)

    assert "refused\n" == done.stdout, done.stderr
    assert BROKEN == acme.read_text(encoding="utf-8")
    assert [acme.name] == [path.name for path in tmp_path.iterdir()]


def test_a_link_is_followed_within_its_folder_only(acme, tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "acme.yaml").symlink_to(acme)
    with pytest.raises(OSError, match="it is a link to"):
        fix_file(folder / "acme.yaml")
    assert BROKEN == acme.read_text(encoding="utf-8")

    there = tmp_path / "real"
    there.mkdir()
    link = tmp_path / "acme.yaml"
    acme.rename(there / "acme.yaml")
    link.symlink_to(there / "acme.yaml")
    fix_file(link)
    assert link.is_symlink()
    assert MENDED == (there / "acme.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("pattern", "mended_pattern"),
    [("(?i)[a-z]+", "(?i)^[a-z]+$"), ("(?i)^[a-z]+$", "(?i)^[a-z]+$"), ("[]|a-z]+", "^[]|a-z]+$"), ("a|acme", "^(?:a|acme)$")],
)  # fmt: skip
def test_an_anchor_goes_behind_the_flags_and_around_alternatives(acme, pattern, mended_pattern):
    acme.write_text(BROKEN.replace('"[a-z]+"', f'"{pattern}"'), encoding="utf-8")
    fix_file(acme)

    assert MENDED.replace('"^[a-z]+$"', f'"{mended_pattern}"') == acme.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        ("a: {b: 1, c: 2}\n", RemoveMember("/a/b"), "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", RemoveMember("/a/c"), "a: {b: 1}\n"),
        ("a: {b: 1,\n    c: 2}\n", RemoveMember("/a/b"), "a: {\n    c: 2}\n"),
        ("a:\n  b: 1\n  c: 2", RemoveMember("/a/c"), "a:\n  b: 1\n"),
        ("a: {}\n", AddMember("/a", "b", value=True), "a: {b: true}\n"),
        ("a: {b: 1}\n", AddMember("/a", "c", "x y"), 'a: {b: 1, c: "x y"}\n'),
        ("a:\n  b: 1", AddMember("/a", "c", value=True), "a:\n  b: 1\n  c: true"),
        ("a:\n- b: 1\n  c: 2\n", AddMember("/a/0", "d", value=True), "a:\n- b: 1\n  c: 2\n  d: true\n"),
        ("a:\n  b:\n    c: 1\nd: 2\n", AddMember("/a", "e", value=True), "a:\n  e: true\n  b:\n    c: 1\nd: 2\n"),
        ("a: {b: 1, c: [2, 3]}  # d\n", RemoveMember("/a/c"), "a: {b: 1}  # d\n"),
        ("a:\n- b: 1\n", AddMember("/a/0", "d", value=True), "a:\n- d: true\n  b: 1\n"),
        ("a: 'x'\n", SetValue("/a", "it's"), "a: 'it''s'\n"),
        ('a: "x"\n', SetValue("/a", "\\d"), 'a: "\\\\d"\n'),
        ("a: x:v0\n", SetValue("/a", "no: plain"), 'a: "no: plain"\n'),
        ("a: x\n", SetValue("/a", "12"), 'a: "12"\n'),
        ("a: é\nb: x\n", SetValue("/b", "y"), "a: é\nb: y\n"),
        ("\ufeffa: x\nb: y\n", SetValue("/b", "z"), "\ufeffa: x\nb: z\n"),
        ("a~/b: {c: x}\n", RenameKey("/a~0~1b/c", "d"), "a~/b: {d: x}\n"),
    ],
)
def test_an_edit_is_made_in_the_manner_of_what_stands_there(text, edit, expected):
    assert (expected, [edit]) == mended(text, [edit])


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a: {b: 1}\n", RemoveMember("/a/b")),  # an empty mapping may mean something else
        ("a:\n  b:\n    c: 1\n  d: 2\n", RemoveMember("/a/b")),  # where a block ends, comments may belong to either
        ("a: &x {b: 1, c: 2}\nd: *x\n", RemoveMember("/a/b")),  # the alias would change with it
        ("a: &x y\nd: *x\n", SetValue("/d", "z")),
        ("a: &x y\n", SetValue("/a", "z")),
        ("a: {b: 1}\n", RenameKey("/a/c", "d")),  # not there
        ("a: [1, 2]\n", RenameKey("/a/0", "d")),
        ("- a: 1\n  b: 2\n", RemoveMember("/0/a")),  # the dash stands in the same line
        ("a:\n- 1\n", AddMember("/a", "b", value=True)),  # no mapping
        ("? a\n: 1\n", RenameKey("/b", "c")),
    ],
)
def test_an_edit_that_would_change_more_is_left_out(text, edit):
    assert (text, []) == mended(text, [edit])
