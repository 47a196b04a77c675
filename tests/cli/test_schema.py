"""nango-py schema, and the line that init begins a file with."""

from __future__ import annotations

import json

from nango_py.declare.editor import editor_schema


def test_init_tells_editors_the_schema(call, tmp_path):
    assert 0 == call("init").returncode
    first = (tmp_path / "integrations.yaml").read_text("utf-8").splitlines()[0]

    assert "# yaml-language-server: $schema=.nango/schemas/integrations.schema.json" == first
    assert (tmp_path / first.partition("=")[2]).read_text("utf-8") == editor_schema("integrations")
    assert 0 == call("check").returncode


def test_a_schema_is_printed(call):
    assert (0, editor_schema("integrations")) == ((done := call("schema")).returncode, done.stdout)
    assert "nango_py blueprint" == json.loads(call("schema", "blueprint").stdout)["title"]
    assert 2 == call("schema", "actions").returncode


def test_schemas_are_written_anew_where_the_first_line_leads_to(call, tmp_path):
    call("init", "--file", "integrations.yaml")
    old = tmp_path / ".nango" / "schemas" / "blueprint.schema.json"
    old.write_text("{}", "utf-8")
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "acme.yaml").write_text("name: acme\nversions:\n  v0: {}\n", "utf-8")
    done = call("schema", "--write")

    assert 0 == done.returncode
    assert "acme:v0" in old.read_text("utf-8")
    assert (tmp_path / "integrations.yaml").read_text("utf-8").splitlines()[0] in done.stdout
