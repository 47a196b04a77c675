"""What somebody writes to name a blueprint: a key, or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nango_py import UsageError
from nango_py.declare.catalogue import read_written


@pytest.mark.parametrize("folder", ["blueprints", "a:b", "c:v1"])
@pytest.mark.parametrize(("version", "rest"), [("", ""), (":v0", ":v0")])
def test_a_file_may_lie_in_a_folder_with_a_colon(tmp_path, monkeypatch, folder, version, rest):
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "shelf.yaml").write_text("versions: {}")

    assert (f"shelf{rest}", (Path(folder),)) == read_written(f"{folder}/shelf.yaml{version}")


@pytest.mark.parametrize("key", ["close", "close:v0", "pack/close:v0"])
def test_a_key_is_no_file(key):
    assert (key, ()) == read_written(key)


def test_a_file_of_a_drive_is_looked_for():
    with pytest.raises(UsageError, match="there is no file C:"):
        read_written("C:/proj/blueprints/shelf.yaml")
