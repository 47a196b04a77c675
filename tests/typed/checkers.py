"""mypy and pyright over generated modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nango_py.actions.signature import signature_of
from nango_py.typed.module import write_module
from tests.servers.launch import MissingServerError, installed
from tests.tools.fakes import Fake, nango

ROOT = Path(__file__).parents[2]


def faces(loaded):
    core = loaded._core
    return {
        name: [
            signature_of(core.integration(name), core.action(core.integration(name), action)) for action in actions
        ]
        for name, actions in (
            (name, core.action_names(core.integration(name))) for name in core.declared.integrations
        )
    }


def module_of(integrations, models="typeddict"):
    return write_module(faces(nango(integrations, Fake())), models)


def mypy(*paths: Path) -> str:
    """Return what ``mypy --strict`` finds; empty when it finds nothing."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache'}"]
    done = subprocess.run(
        [*command, *map(str, paths)], cwd=paths[0].parent, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def pyright(folder: Path) -> list[str]:
    """Return what pyright, strict, finds in a folder."""
    try:
        node, program = installed("node", "bin", "node"), installed("pyright", "node_modules", "pyright", "index.js")
    except MissingServerError as error:
        if os.environ.get("NANGO_PY_REQUIRE_SERVERS"):
            raise
        pytest.skip(str(error))
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "include": ["."]}))
    command = [node, program, "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"]
    return [
        f"{item['file']}:{item['range']['start']['line']}: {item['message']}" for item in found["generalDiagnostics"]
    ]
