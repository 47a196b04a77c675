"""The pre-commit hook runs the command on the files that it is for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from nango_py.cli.check import command

(HOOK,) = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_the_hook_is_the_command():
    assert {"id": "nango-py-check", "entry": f"nango-py {command.name}", "language": "python"}.items() <= HOOK.items()


@pytest.mark.parametrize(
    ("path", "is_looked_at"),
    [
        ("integrations.yaml", True),
        ("app/integrations.yaml", True),
        ("blueprints/acme.yaml", True),
        ("app/blueprints/acme.yaml", True),
        ("my-integrations.yaml", False),
        ("blueprints/acme.yml", False),
        ("blueprints/notes/acme.yaml", False),
        ("docker-compose.yaml", False),
    ],
)
def test_the_hook_looks_at_integrations_and_blueprints_only(path, is_looked_at):
    assert is_looked_at == (re.search(HOOK["files"], path) is not None)
