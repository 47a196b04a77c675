"""Packs, for real: begun, checked, built, installed and used by another program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from nango_py.cli import main
from nango_py.errors import UsageError
from nango_py.packs.begin import begin_pack
from nango_py.packs.check import check_pack, read_pack

if TYPE_CHECKING:
    from pathlib import Path

USE = """
import json, sys
from nango_py import Nango

keys = {"plain": "acme:v0", "told": "acme-blueprints/acme:v0"}
source = {"integrations": {name: {"extends_blueprint": key} for name, key in keys.items()}}
with Nango.load(source, store="memory://", environ={}) as nango:
    nango.register_connection("plain", "ann", {"api_key": "k"})
    hosts = {name: one.requests.base_url.text for name, one in nango._core.declared.integrations.items()}
    used = [one.label for one in nango._core.declared.integrations["plain"].blueprints]
    print(json.dumps([hosts, used, "acme_blueprints" in sys.modules]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "acme-blueprints"
    begin_pack("acme-blueprints", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(project: Path) -> Path:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(project.parent), str(project)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options], check=True, capture_output=True)
    return next(project.parent.glob("*.whl"))


def use(*folders: Path) -> list:
    """Use the pack in a program that finds packages in *folders*, too."""
    path = os.pathsep.join(map(str, (*folders, *sys.path)))
    environ = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", USE], env=environ, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    return json.loads(done.stdout)


HOST = "https://api.example.com/v1/"


def test_an_installed_pack_is_found_and_its_code_never_imported(wheel, tmp_path):
    options = ["--quiet", "--no-deps", "--no-index", "--target", str(tmp_path), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], check=True, capture_output=True)

    assert [{"plain": HOST, "told": HOST}, ["acme-blueprints"], False] == use(tmp_path)


def test_a_pack_that_is_installed_to_be_edited_is_found(project, wheel, tmp_path):
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path, [name for name in packed.namelist() if ".dist-info/" in name])

    assert [{"plain": HOST, "told": HOST}, ["acme-blueprints"], False] == use(tmp_path, project)


def test_a_new_pack_passes_its_test(project, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["blueprints", "pack", "test", str(project), "--json"])
    found = {check["id"]: check["ok"] for check in json.loads(capsys.readouterr().out)}

    assert 0 == ended.value.code
    assert [True] * 5 == [
        found[f"{one}"] for one in ("names", "check.acme", "wheel.build", "wheel.files", "wheel.entry_point")
    ]
    assert True is found["conformance.acme:v0.action.list-things.example"]


def test_what_is_wrong_with_a_pack_is_named(tmp_path):
    begin_pack("acme-blueprints", tmp_path)
    blueprints = tmp_path / "acme_blueprints" / "blueprints"
    (blueprints / "acme.yaml").rename(blueprints / "close.yaml")
    (blueprints / "odd.yaml").write_text("name: odd\nversions:\n  v0: {auth: {auth_mod: API_KEY}}\n", "utf-8")
    with (tmp_path / "pyproject.toml").open("a", encoding="utf-8") as project:
        project.write('exclude = ["odd.yaml"]\n')
    found = {check.id: check.message for check in check_pack(read_pack(tmp_path)) if check.ok is False}

    assert ["names", "check.close", "check.odd", "wheel.files"] == list(found)
    assert "built in already: close." in found["names"]
    assert "the file is named close.yaml, but its blueprint 'acme'" in found["check.close"]
    assert "odd.yaml:3:15: unknown key 'auth_mod'. Did you mean 'auth_mode'?" in found["check.odd"]
    assert "not in it, below acme_blueprints/blueprints/: odd.yaml." in found["wheel.files"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("[project", "is no TOML"),
        ('[project]\nname = "x"\n', "declares no pack"),
        ("project = 3\n", "declares no pack"),
        ('[project.entry-points]\n"nango_py.blueprints" = 3\n', "declares no pack"),
        ('[project.entry-points."nango_py.blueprints"]\nx = 3\n', "no folder written as a module"),
        ('[project.entry-points."nango_py.blueprints"]\nx = "x./etc"\n', "no folder written as a module"),
        ('[project.entry-points."nango_py.blueprints"]\nx = "nowhere.blueprints"\n', "leads to no folder"),
    ],
)
def test_a_folder_that_is_no_pack_is_wrong_use(tmp_path, text, message):
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, "utf-8")

    with pytest.raises(UsageError, match=message):
        read_pack(tmp_path)


@pytest.mark.parametrize("name", ["Acme", "acme_blueprints", "-acme", "acme--x", "1acme", ""])
def test_a_name_that_no_package_could_have_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="is no name for a pack"):
        begin_pack(name, tmp_path)


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", "utf-8")

    with pytest.raises(UsageError, match="not empty"):
        begin_pack("acme", tmp_path)
    assert ["mine.txt"] == [path.name for path in tmp_path.iterdir()]


def test_the_first_blueprint_takes_no_name_of_ours(tmp_path):
    begin_pack("close-blueprints", tmp_path)

    assert ["close-example.yaml"] == [path.name for path in tmp_path.rglob("*.yaml")]
