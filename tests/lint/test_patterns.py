"""Which groups of a pattern are said to repeat badly: those that a value proves to, and no others."""

from __future__ import annotations

import pytest

from nango_py.field import FORMATS
from nango_py.lint.patterns import repeats_badly


@pytest.mark.parametrize(
    ("pattern", "group"),
    [
        ("^(a+)+$", "(a+)+"),
        ("^(?:a*)*$", "(?:a*)*"),
        (r"^(\w+\s?)*$", r"(\w+\s?)*"),
        ("^(?P<name>[0-9]+){2,}$", "(?P<name>[0-9]+){2,}"),
        ("^([a-z]|[a-c])*?$", "([a-z]|[a-c])*"),
        ("^(a|ab|b)+$", "(a|ab|b)+"),
        ("(?i)^(a|A)+$", "(a|A)+"),
        ("^((?:x-)(?:q+)+)$", "(?:q+)+"),
        (r"^([)]|(?:[(]|\d)+)*$", r"([)]|(?:[(]|\d)+)*"),
    ],
)
def test_a_group_that_matches_a_text_in_two_ways_is_found(pattern, group):
    assert group == repeats_badly(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z]+(?:\.[a-z]+)*$", "^(a+)$", "^(a+)?$", "^(a+){1,3}$", "^(?:a+)++$", "^(a|A)+$", "^(?:ab|cd)+$", "^[(a+)+]+$",
        r"^\(a+\)+$", "(?x)( a+ )+", "^(?=a+)+b$", r"^(a)(?:b\1)+$", "(((", "+", *(found.pattern for found in FORMATS.values()),
    ],
)  # fmt: skip
def test_a_group_that_does_not_is_let_be(pattern):
    assert repeats_badly(pattern) is None
