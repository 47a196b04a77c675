"""yaml-language-server at work on the files that nango-py writes: completion, hover and diagnostics, offline."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.yaml_language_server import Editor

pytestmark = pytest.mark.server

BLUEPRINT = """\
# yaml-language-server: $schema=../.nango/schemas/blueprint.schema.json
name: acme
versions:
  v0:
    auth:
      auth_mode: API_KEY
      plcement: header
    requests: {base_url: https://api.acme.example/}
    pagination:
      type: 
    actions:
      list:
        
"""  # noqa: W291, W293 - the cursor stands behind the spaces


@pytest.fixture
def editor(yaml_language_server: Editor) -> Editor:
    """An editor in the project of somebody who ran init, and who has a blueprint of their own."""
    project = yaml_language_server.project
    if not (project / "integrations.yaml").exists():
        command = [sys.executable, "-c", "from nango_py.cli import main; main()", "init"]
        (project / "blueprints").mkdir()
        (project / "blueprints" / "acme.yaml").write_text("name: acme\nversions:\n  v0: {}\n", "utf-8")
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    return yaml_language_server


def begun(editor: Editor, more: str = "") -> str:
    return (editor.project / "integrations.yaml").read_text("utf-8") + more


def test_the_file_that_init_writes_is_right_and_explained(editor: Editor) -> None:
    more = "    retry: {max_attempts: 6}\n    pagination: null\n    http_request_timeout_seconds: ${env.SECONDS}\n"
    found = editor.open("integrations.yaml", begun(editor, more))

    assert [] == found
    assert "`name:version`; without a version the newest" in editor.hover("integrations.yaml", 4, 8)
    assert "Attempts in all, the first included. Default: `4`." in editor.hover("integrations.yaml", 5, 15)


def test_what_is_wrong_is_marked_where_it_stands(editor: Editor) -> None:
    more = "  other:\n    extends_bluprint: close:v0\n    log_level: loud\n"
    found = sorted(editor.open("wrong.yaml", begun(editor, more)))

    assert [
        '5: Missing property "auth".',
        '5: Missing property "requests".',
        "6: Property extends_bluprint is not allowed.",
        '7: Value is not accepted. Valid values: "debug", "info", "warning", "error", "critical", null.',
    ] == found


def test_keys_values_and_blueprints_are_completed(editor: Editor) -> None:
    more = "    retry:\n      \n  other:\n    extends_blueprint: \n"
    editor.open("unfinished.yaml", begun(editor, more))
    keys = editor.complete("unfinished.yaml", 6, 7)
    blueprints = editor.complete("unfinished.yaml", 8, 24)

    assert {"max_attempts", "deadline", "idempotency_key"} <= set(keys)
    assert "Longest wait that a server may state" in keys["max_wait"]["documentation"]["value"]
    assert {"acme:v0", "close:v0"} <= set(blueprints)


def test_a_blueprint_is_completed_by_its_auth_mode(editor: Editor) -> None:
    found = editor.open("blueprints/acme.yaml", BLUEPRINT)
    auth = editor.complete("blueprints/acme.yaml", 7, 7)

    assert ["7: Property plcement is not allowed."] == found
    assert {"placement", "name", "value"} <= set(auth)
    assert "token_url" not in auth
    assert {"cursor", "link", "offset", "page"} <= set(editor.complete("blueprints/acme.yaml", 10, 13))
    assert {"request", "input", "paginate"} <= set(editor.complete("blueprints/acme.yaml", 13, 9))


def test_where_the_schemas_are_missing_it_is_said_so(editor: Editor) -> None:
    (found,) = editor.open("elsewhere/integrations.yaml", begun(editor))

    assert "Unable to load schema" in found
