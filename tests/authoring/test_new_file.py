"""A file that is written is there as a whole or not at all."""

from __future__ import annotations

import pytest

from nango_py.authoring.new_file import replace_file, write_new

UNWRITABLE = "half a character: \ud800"


def test_a_file_that_cannot_be_written_whole_is_not_there(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_new(tmp_path / "a.yaml", UNWRITABLE)

    assert [] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_replaced_stays(tmp_path):
    (tmp_path / "a.yaml").write_text("mine", "utf-8")
    with pytest.raises(UnicodeEncodeError):
        replace_file(tmp_path / "a.yaml", UNWRITABLE)

    assert ["mine"] == [path.read_text("utf-8") for path in tmp_path.iterdir()]
