from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.policy.stated_wait import parse_rate_limit, parse_wait

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z


@pytest.mark.parametrize(
    ("strategy", "text", "expected"),
    [
        ("after", "1", 1.0),
        ("after", "0", 0.0),
        ("after", " 7 ", 7.0),
        ("after", "1.5", 1.5),
        ("after", ".5", 0.5),
        ("after", "2592000", 2592000.0),
        ("after", "1790000030", 30.0),
        ("after", "1790000030000", 30.0),
        ("after", "6m0s", 360.0),
        ("after", "1s", 1.0),
        ("after", "250ms", 0.25),
        ("after", "59.5s", 59.5),
        ("after", "1h2m3s", 3723.0),
        ("after", "1d", 86400.0),
        ("after", "Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
        ("after", "Monday, 21-Sep-26 14:13:50 GMT", 30.0),
        ("after", "Mon Sep 21 14:13:50 2026", 30.0),
        ("at", "1790000030", 30.0),
        ("at", "1790000030.25", 30.25),
        ("at", "1790000030000", 30.0),
        ("at", "2026-09-21T14:13:50Z", 30.0),
        ("at", "2026-09-21T14:13:50.500Z", 30.5),
        ("at", "2026-09-21T16:13:50+02:00", 30.0),
        ("at", "2026-09-21 14:13:50", 30.0),
        ("at", "2026-09-21 14:13:50 UTC", 30.0),
        ("at", "Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
        ("at", "6m0s", 360.0),
        ("at", "24", None),
        ("at", "0", None),
        ("at", "1789999999", None),
        ("at", "Mon, 21 Sep 2026 14:13:00 GMT", None),
        ("after", "1789999999", None),
        ("after", "-5", None),
        ("after", "NaN", None),
        ("after", "Infinity", None),
        ("after", "1e400", None),
        ("after", "9" * 400, None),
        ("after", "soon", None),
        ("after", "6 minutes", None),
        ("after", "", None),
        ("after", "  ", None),
        ("after", "٣", None),
        ("at", "0001-01-01T00:00:00+14:00", None),
        ("at", "Mon, 99 Sep 2026 14:13:50 GMT", None),
    ],
)
def test_a_wait_is_read_in_every_form(strategy, text, expected):
    assert expected == parse_wait(text, strategy=strategy, now=NOW)


@pytest.mark.parametrize(
    ("strategy", "text", "expected"),
    [
        ("after", "1500", 1.5),
        ("after", "0", 0.0),
        ("after", ".5", 0.0005),
        ("after", "1790000030", 1790000.03),
        ("after", "1790000030000", 30.0),
        ("auto", "1500", 1.5),
        ("auto", "1790000030", 30.0),
        ("auto", "1790000030000", 30.0),
        ("at", "1500", None),
        ("at", "1790000030", 30.0),
        ("after", "6m0s", 360.0),
        ("after", "Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
    ],
)
def test_a_bare_number_may_count_milliseconds(strategy, text, expected):
    assert expected == pytest.approx(parse_wait(text, strategy=strategy, now=NOW, unit="milliseconds"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limit=100, remaining=50, reset=5", 5.0),
        ("limit=100, remaining=0, reset=2.5", 2.5),
        ('"default";r=0;t=30', 30.0),
        ('"burst";r=0;t=5, "daily";r=900;t=3600', 5.0),
        ('"burst";r=0;t=5, "daily";r=0;t=3600', 3600.0),
        ("limit=10, remaining=0, reset=1, limit=100, remaining=7, reset=60", 1.0),
        ('"default";t=30;pk=:abc=:', 30.0),
        ("limit=100", None),
        ("", None),
        ("reset=soon", None),
    ],
)
def test_a_rate_limit_header_is_read_in_both_forms(text, expected):
    assert expected == parse_rate_limit(text)


@given(
    text=st.text(max_size=40) | st.from_regex(r"[0-9a-zA-Z:., +-]{0,30}"), strategy=st.sampled_from(["at", "after"])
)
def test_a_wait_is_none_or_a_finite_number_from_zero_on(text, strategy):
    seconds = parse_wait(text, strategy=strategy, now=NOW)

    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(seconds=st.integers(min_value=0, max_value=999_999_999))
def test_seconds_come_back_unchanged(seconds):
    assert seconds == parse_wait(str(seconds), strategy="after", now=NOW)
