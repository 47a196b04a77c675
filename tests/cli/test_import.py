"""`nango-py import airbyte`, as people and machines use it."""

from __future__ import annotations

import yaml

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
