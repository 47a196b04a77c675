"""Names of tools: what vendors accept, one for each, whatever is chosen beside them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from nango_py.tools.names import property_name, tool_names

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
words = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,60}", fullmatch=True)


def test_a_name_is_integration_and_action():
    assert {("google-calendar", "list-events"): "google_calendar_list_events"} == tool_names(
        [("google-calendar", "list-events")]
    )


def test_names_that_would_be_the_same_are_told_apart_in_any_order():
    pairs = [("a-b", "c"), ("a", "b-c"), ("x", "y")]
    names = tool_names(pairs)

    assert names == tool_names(reversed(pairs))
    assert 3 == len(set(names.values()))
    assert "x_y" == names["x", "y"]
    assert all(name.startswith("a_b_c_") for name in (names["a-b", "c"], names["a", "b-c"]))


@given(st.sets(st.tuples(words, words), min_size=1))
def test_names_are_valid_everywhere_and_unique(pairs):
    names = tool_names(pairs)
    assert all(NAME.fullmatch(name) for name in names.values())
    assert len(pairs) == len(set(names.values()))


@given(st.lists(st.text(), unique=True))
def test_property_names_are_valid_and_unique(names):
    spelt = [property_name(name) for name in names]
    assert all(PROPERTY.fullmatch(name) for name in spelt)
    assert len(names) == len(set(spelt))


def test_a_good_property_name_stays():
    assert ["created-at", "a.b", "id"] == [property_name(name) for name in ("created-at", "a.b", "id")]
