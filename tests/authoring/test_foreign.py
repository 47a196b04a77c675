"""Other tools' files are read within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from nango_py.authoring.foreign import read_foreign
from nango_py.errors import ConfigError, UsageError
from nango_py.yaml_text import parse
from nango_py.yaml_writer import yaml_text


@pytest.mark.parametrize("text", ['{"openapi": "3.1.0", "n": 1}', "openapi: 3.1.0\nn: 1\n", "{openapi: 3.1.0, n: 1}"])
def test_json_and_yaml_are_read_alike(tmp_path, text):
    path = tmp_path / "api"
    path.write_text(f"\ufeff{text}", encoding="utf-8")

    assert {"openapi": "3.1.0", "n": 1} == read_foreign(path).data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "maximum nesting depth"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested"),
        ('{"a":' * 900 + "1" + "}" * 900, "nested"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested deeper than 40"),
        ("a: [", "YAML syntax"),
        ("", "the file is empty"),
        ("[1]", "holds no mapping"),
        ('{"a": NaN}', "must be finite"),
    ],
)
def test_what_is_too_much_or_no_document_is_refused(tmp_path, text, message):
    path = tmp_path / "api.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises((ConfigError, UsageError), match=message):
        read_foreign(path)


def test_what_cannot_be_read_is_wrong_use(tmp_path):
    (tmp_path / "odd").write_bytes(b"\xff\xfe")

    with pytest.raises(UsageError, match="no UTF-8 text"):
        read_foreign(tmp_path / "odd")
    with pytest.raises(UsageError, match="No such file"):
        read_foreign(tmp_path / "missing")


@pytest.mark.parametrize("number", ["1000000000000000000", "0.12345678901234567", "-1e-7", "1e999", "12"])
def test_a_number_is_what_it_would_be_in_yaml(tmp_path, number):
    (tmp_path / "a.json").write_text(f'{{"a": {number}}}', "utf-8")
    (tmp_path / "a.yaml").write_text(f"a: {number}", "utf-8")
    read = read_foreign(tmp_path / "a.json").data

    assert read_foreign(tmp_path / "a.yaml").data == read == parse(yaml_text(read), "a.yaml").data


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end")
def test_a_file_without_an_end_is_too_large():
    with pytest.raises(UsageError, match="larger than 33,554,432 bytes"):
        read_foreign(Path("/dev/zero"))


def test_half_characters_become_whole_ones(tmp_path):
    path = tmp_path / "api.json"
    path.write_text('{"a": ["\\ud800x", "\\ud83d\\ude00"]}', encoding="utf-8")

    assert ["\ufffdx", "\U0001f600"] == read_foreign(path).data["a"]


def test_more_values_than_there_is_memory_for_are_not_even_built():
    document = parse("[" + "a," * 1000 + "]", "api.yaml", max_nodes=100)

    assert [("yaml.size", "more than 100 values.")] == [(one.code, one.message) for one in document.problems]
