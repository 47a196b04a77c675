"""The files of a new pack."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.declare.catalogue import GROUP, Catalogue
from nango_py.declare.editor import modeline, write_schemas
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["begin_pack", "pack_files"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PROJECT = """\
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "Blueprints for nango_py."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["nango-py>={version}"]

[dependency-groups]
test = ["pytest>=8.2"]

# The one thing that makes a package a pack: its name, and the folder of its blueprints. Its code is never imported.
[project.entry-points."{group}"]
{name} = "{module}.blueprints"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""

_README = """\
# {name}

Blueprints for [nango_py](https://pypi.org/project/nango-py/): {blueprint}.

```yaml
# integrations.yaml
integrations:
  {blueprint}:
    extends_blueprint: {blueprint}:v0
```

To work on it:

- `nango-py blueprints pack test` checks every blueprint, and that the wheel holds them.
- A released version stays as it is: what changes for users goes into a new one. `nango-py blueprints diff` tells.
"""

_BLUEPRINT = """\
{modeline}
name: {blueprint}
display_name: {title}
maintainer: {name}
docs_url: https://developer.example.com/
versions:
  v0:
    comment: The API's version 1, with API keys
    x-sources:
      auth: {{url: "https://developer.example.com/authentication", read: 2026-01-31}}
    auth:
      auth_mode: API_KEY
      name: X-Api-Key
    credentials:
      api_key: {{title: API key, description: "Settings, API.", secret: true}}
    requests:
      base_url: https://api.example.com/v1/
      headers: {{Accept: application/json}}
    pagination:
      type: cursor
      cursor_name_in_request: cursor
      cursor_path_in_response: next_cursor
      limit_name_in_request: limit
      limit: 100
      response_path: data
    verification: {{method: GET, path: me, identity: email}}
    actions:
      list-things:
        description: Things, newest first.
        input:
          type: object
          properties:
            query: {{type: string, description: What to look for.}}
          additionalProperties: false
        request:
          method: GET
          path: things
          params: {{query: "${{input.query}}"}}
        paginate: true
        output:
          map: {{id: "${{item.id}}", name: "${{item.name}}"}}
          schema:
            type: object
            required: [id, name]
            properties:
              id: {{type: string}}
              name: {{type: string}}
        example:
          input: {{query: first}}
          answer: {{data: [{{id: thing_1, name: The first, colour: red}}], next_cursor: null}}
          output: [{{id: thing_1, name: The first}}]
"""

_TEST = """\
\"\"\"Each blueprint does what it says, against a provider in memory.\"\"\"

from pathlib import Path

from nango_py.testing import conformance_test

BLUEPRINTS = Path(__file__).parents[1] / "{module}" / "blueprints"

test_{function} = conformance_test(BLUEPRINTS / "{blueprint}.yaml")
"""


def begin_pack(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the files of a new pack into *folder*, which is made, and return their paths.

    Raises:
        UsageError: The name does not do, or the folder is there and not empty.
        OSError: They cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a pack: lower case, digits and single hyphens, as in acme-blueprints."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty; it was left as it is.")
    written = []
    for path, text in pack_files(name).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="\n")
        written.append(target)
    write_schemas(folder)
    return tuple(written)


def pack_files(name: str) -> Mapping[str, str]:
    """Return the texts of a new pack's files, by path."""
    module, blueprint = name.replace("-", "_"), _blueprint_name(name)
    file = Path(module, "blueprints", f"{blueprint}.yaml")
    words = {
        "name": name,
        "module": module,
        "blueprint": blueprint,
        "function": blueprint.replace("-", "_"),
        "title": blueprint.replace("-", " ").title(),
        "group": GROUP,
        "version": version("nango-py"),
        "modeline": modeline("blueprint", file, Path()),
    }
    return {
        "pyproject.toml": _PROJECT.format(**words),
        "README.md": _README.format(**words),
        f"{module}/__init__.py": '"""Blueprints for nango_py: data, and no code."""\n',
        file.as_posix(): _BLUEPRINT.format(**words),
        "tests/test_blueprints.py": _TEST.format(**words),
    }


def _blueprint_name(name: str) -> str:
    bare = name.removesuffix("-blueprints")
    return f"{bare}-example" if bare in Catalogue().names() else bare
