from __future__ import annotations

import json

import pytest

from nango_py.authoring.report import Finding, Imported, Report, write_report
from nango_py.yaml_text import parse
from nango_py.yaml_writer import yaml_text

FOUND = Finding(key="hooks.after", outcome="lost", reason="a script")
REPORT = Report(
    source="acme.yaml",
    entries=(
        Imported(name="acme", blueprint="acme.yaml", findings=(FOUND,)),
        Imported(name="bolt", blueprint="bolt.yaml"),
        Imported(name="cork", problem="nobody knows how"),
    ),
)
DOCUMENT = {
    "source": "acme.yaml",
    "entries": 3,
    "imported": 2,
    "keys": {"lost": 1, "changed": 0, "not_needed": 0},
    "found": {
        "acme": {
            "blueprint": "acme.yaml",
            "keys": [{"key": "hooks.after", "outcome": "lost", "reason": "a script"}],
        },
        "cork": {"problem": "nobody knows how"},
    },
}


def test_a_report_is_read_back_as_it_was_written(tmp_path):
    write_report(REPORT, tmp_path / "report.yaml")
    write_report(REPORT, tmp_path / "report.json")

    assert DOCUMENT == parse((tmp_path / "report.yaml").read_text("utf-8"), "report.yaml").data
    assert DOCUMENT == json.loads((tmp_path / "report.json").read_text("utf-8"))


def test_people_read_numbers_first_and_then_the_reasons():
    assert [
        "2 of 3 entries imported.",
        "  cork: nobody knows how",
        "Keys lost: 1.",
        "     1 a script",
    ] == list(REPORT.summary())


def test_what_others_wrote_moves_no_cursor_and_begins_no_line():
    odd = "a\x1b[2J\nKeys lost: 0.\u2028b"
    finding = Finding(key="k", outcome="lost", reason=odd)
    report = Report(source="acme.yaml", entries=(Imported(name=odd, problem=odd, findings=(finding,)),))

    lines = list(report.summary())
    assert "  a [2J Keys lost: 0. b: a [2J Keys lost: 0. b" == lines[1]
    assert "     1 a [2J Keys lost: 0. b" == lines[3]


TEXTS = [
    "", " ", "~", "null", "true", "no", "010", "0o17", "1e3", ".5", "+12", "1_000", "2020-01-01", "12:30", "${a} || b",
    "Bearer ${x}", "- a", "#", "a: b", "a #b", "é", "a\u2028b", "tab\t", "line\nline", " line\nline", "line\n", "\x85",
    "- 'it''s'", '"', "{a}", "[", "*a", "&a", "!a", "%a", "@a", "`a", "a" * 200, "word " * 60, "<<", "=", "?", "\\",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_read_back_as_the_text_it_was(text):
    data = {"plain": text, "list": [text], "nested": {"key": [{"a": text}]}}

    assert data == parse(yaml_text(data), "x.yaml").data


@pytest.mark.parametrize("text", [text for text in TEXTS if text and text != "<<"])
def test_a_key_is_read_back_as_the_text_it_was(text):
    assert {text: 1} == parse(yaml_text({text: 1}), "x.yaml").data


@pytest.mark.parametrize("value", [None, True, False, 0, 7, -1, 1.5, [], {}])
def test_a_value_that_is_no_text_keeps_its_type(value):
    read = parse(yaml_text({"a": value, "b": [value]}), "x.yaml").data

    assert {"a": value, "b": [value]} == read
    assert type(value) is type(read["a"])


def test_block_style_and_double_quotes_are_written():
    data = {"list": [{"a": "no", "b": 1}], "word": "plain ${word}"}

    assert 'list:\n  - a: "no"\n    b: 1\nword: plain ${word}\n' == yaml_text(data)
