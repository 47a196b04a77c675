"""What others wrote is text in a template, whatever it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py.authoring.literals import followed_by, literal
from nango_py.importers.airbyte.language import filled
from nango_py.template import split
from tests.authoring.spec import described, param, sent, taken

if TYPE_CHECKING:
    from nango_py.importers.airbyte.language import LookUp

PIECES = st.lists(st.text(alphabet="${}'x", max_size=4), max_size=4)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PIECES)
def test_texts_in_a_row_are_the_text_that_they_were(pieces):
    template = ""
    for piece in pieces:
        template = followed_by(template, literal(piece))

    assert "".join(pieces) == (split(template).value({"x": "secret"}) or "")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PIECES)
def test_a_placeholder_between_texts_is_filled_and_nothing_else(pieces):
    template = ""
    for piece in pieces:
        template = followed_by(followed_by(template, literal(piece)), "${x}")

    assert "".join(f"{piece}-" for piece in pieces) == (split(template).value({"x": "-"}) or "")


def named(found: LookUp) -> str:
    return f"${{{found.root}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ config }}", "$v"),
        ("{{ parameters.a }}{config}", "${config}"),
        ("{{ parameters.a }}{{ config }}", "$v"),
        ("{{ parameters.a }}{{ parameters.b }}", "${config}"),
    ],
)
def test_a_parameter_of_a_manifest_makes_no_placeholder(text, expected):
    assert expected == split(filled(text, {"a": "$", "b": "{config}"}, named)).value({"config": "v"})


def test_a_dollar_before_a_path_parameter_is_a_dollar():
    made = taken(described({"GET /a/${id}": {"parameters": [param("id", "path")]}}))

    assert "/api/a/$7" == sent(made, "get-a-id", {"id": "7"}).url.path
