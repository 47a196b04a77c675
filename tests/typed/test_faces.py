"""Generated modules at work, and the command that writes them."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import subprocess
import sys

import httpx
import pytest

from nango_py import AsyncNango, InputError
from nango_py.typed import OMITTED
from tests.tools.fakes import Fake, action, integration, nango
from tests.typed.checkers import module_of

THING = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "class": {"type": "string"}},
}
DECLARED = {
    "acme": integration(
        add=action(
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "from": {"type": ["string", "null"]},
                    "parts": {"type": "array", "items": THING},
                    "at": {
                        "type": "array",
                        "prefixItems": [{"type": "number"}] * 2,
                        "items": False,
                        "minItems": 2,
                    },
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            output={"schema": THING},
        ),
        list=action(
            method="GET",
            request={"path": "things"},
            paginate={"type": "page", "page_name_in_request": "page", "response_path": "things"},
            output={"schema": THING},
        ),
    )
}
numbers = itertools.count()


@pytest.fixture
def load(tmp_path):
    def made(models):
        path = tmp_path / f"faces_{models}_{next(numbers)}.py"
        path.write_text(module_of(DECLARED, models), "utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return made


def connected(answer):
    fake = Fake(answer)
    loaded = nango(DECLARED, fake)
    loaded.register_connection("acme", "user-1", {"api_key": "s3cr3t"})
    return loaded, fake


def test_a_method_runs_its_action_and_leaves_out_what_is_not_given(load):
    loaded, fake = connected({"id": 1, "class": "a"})
    acme = load("typeddict").Acme(loaded, "user-1")

    assert {"id": 1, "class": "a"} == acme.add(name="x", at=(1, 2))
    acme.add(name="x", from_=None)
    acme.add(name="x", from_=OMITTED, parts=None)
    # A null in a request's body is dropped; that the input held it is seen by the schema alone.
    assert [{"name": "x", "at": [1, 2]}, {"name": "x", "from": None}, {"name": "x"}] == [
        body["given"] for body in fake.bodies
    ]
    with pytest.raises(InputError, match="'name' must be a text"):
        acme.add(name=1)


@pytest.mark.parametrize("models", ["pydantic", "msgspec"])
def test_models_go_in_and_come_out(load, models):
    loaded, fake = connected({"id": 1, "class": "a", "more": True})
    module = load(models)
    acme = module.Acme(loaded, "user-1")
    added = acme.add(name="x", parts=[module.AcmeAddPartsItem(id=7, class_="b"), module.AcmeAddPartsItem(id=8)])

    assert (1, "a", "AcmeAddOutput") == (added.id, added.class_, type(added).__name__)
    assert {"name": "x", "parts": [{"id": 7, "class": "b"}, {"id": 8}]} == fake.bodies[0]["given"]


def test_a_paginated_action_is_a_list_and_a_stream(load):
    loaded, _ = connected({"things": []})
    acme = load("typeddict").Acme(loaded, "user-1")

    assert [] == acme.list_(limit=5)
    assert [] == list(acme.stream_list())


def test_options_are_those_of_trigger_action(load):
    loaded, _ = connected({"id": 1})
    acme, heard = load("typeddict").Acme(loaded, "user-1"), []
    acme.with_options(on_event=heard.append, deadline=60).add(name="x")
    acme.add(name="y")

    assert ["Started", "Finished"] == [type(heard[0]).__name__, type(heard[-1]).__name__]
    assert 1 == len({event.execution_id for event in heard})


def test_the_async_face_has_the_same_methods(load):
    async def main():
        transport = httpx.MockTransport(Fake({"id": 1, "things": [{"id": 2}] * 2}))
        async with AsyncNango.load({"integrations": DECLARED}, store="memory://", transport=transport) as loaded:
            await loaded.register_connection("acme", "user-1", {"api_key": "s3cr3t"})
            acme = load("msgspec").AsyncAcme(loaded, "user-1")
            added = await acme.add(name="x")
            return added.id, [thing.id async for thing in acme.stream_list(limit=2)]

    assert (1, [2, 2]) == asyncio.run(main())


@pytest.fixture
def run(tmp_path):
    (tmp_path / "integrations.yaml").write_text(json.dumps({"integrations": DECLARED}), "utf-8")

    def command(*words):
        return subprocess.run(
            [sys.executable, "-c", "from nango_py.cli import main; main()", "types", *words],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


def test_the_command_writes_and_checks_a_file(run, tmp_path):
    assert 1 == run("-o", "faces.py", "--check").returncode
    first, again = run("-o", "faces.py"), run("-o", "faces.py")
    assert [(0, "Wrote faces.py.\n", "")] * 2 == [
        (done.returncode, done.stdout, done.stderr) for done in (first, again)
    ]
    written = (tmp_path / "faces.py").read_text("utf-8")
    assert module_of(DECLARED) == written == run().stdout
    assert 0 == run("-o", "faces.py", "--check").returncode

    (tmp_path / "faces.py").write_text(written.replace("name: str,", "name: int,"), "utf-8")
    stale = run("-o", "faces.py", "--check")
    assert 1 == stale.returncode
    assert "faces.py is stale: run nango-py types --output faces.py." in stale.stderr
    assert "-        name: int," in stale.stderr
    assert "+        name: str," in stale.stderr


def test_the_command_writes_over_no_file_of_somebody_else(run, tmp_path):
    (tmp_path / "mine.py").write_text("x = 1\n", "utf-8")
    done = run("-o", "mine.py")

    assert (2, "Error: mine.py was not written by nango-py types; it was left as it is.\n") == (
        done.returncode,
        done.stderr,
    )
    assert "x = 1\n" == (tmp_path / "mine.py").read_text("utf-8")


def test_the_command_knows_other_models_and_one_integration(run):
    assert "class AcmeAddOutput(BaseModel):" in run("--models", "pydantic", "--integration", "acme").stdout
    assert 2 == run("--integration", "acne").returncode
    assert 2 == run("--check").returncode
    assert (2, "Error: no/faces.py cannot be written: No such file or directory.\n") == (
        (done := run("-o", "no/faces.py")).returncode,
        done.stderr,
    )


def test_the_layout_is_a_formatters(tmp_path):
    """The comment that keeps formatters away is a safeguard, not an excuse."""
    path = tmp_path / "faces.py"
    path.write_text(module_of(DECLARED).replace("# fmt: off\n", ""), "utf-8")
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout)
