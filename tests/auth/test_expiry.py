"""When a token expires, in every form that token answers use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nango_py.auth.expiry import lifetime_of, moment_of, stated_expiry

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (1_719_240_000, 1_719_240_000),
        (1_719_240_000_000, 1_719_240_000),
        ("1719240000", 1_719_240_000),
        ("1719240000000", 1_719_240_000),
        (1_719_240_000.25, 1_719_240_000.25),
        ("2024-06-24T14:40:00Z", 1_719_240_000),
        ("2024-06-24T14:40:00.000Z", 1_719_240_000),
        ("2024-06-24T16:40:00+02:00", 1_719_240_000),
        ("2024-06-24 14:40:00", 1_719_240_000),
        ("2024-06-24", datetime(2024, 6, 24, tzinfo=UTC).timestamp()),
        ("1:01:30", datetime(2025, 1, 2, 1, 30, tzinfo=UTC).timestamp()),
        ("0:00:00", NEW_YEAR),
        (3600, 3600),
    ],
)
def test_a_moment_is_read_in_every_form(stated, expected):
    assert expected == moment_of(stated, now=NEW_YEAR)


@pytest.mark.parametrize(
    "stated",
    [
        "not-a-date",
        "1:99:99",
        "1:24:00",
        "abc",
        "12:30",
        "",
        None,
        {},
        [],
        True,
        "nan",
        "inf",
        float("nan"),
        float("inf"),
    ],
)
def test_what_is_no_moment_is_refused(stated):
    with pytest.raises(ValueError, match=r"."):
        moment_of(stated, now=NEW_YEAR)


@pytest.mark.parametrize(
    ("stated", "unit", "expected"),
    [
        (3600, "seconds", 3600),
        ("3600", "seconds", 3600),
        (3_600_000, "milliseconds", 3600),
        ("3600000", "milliseconds", 3600),
        (0, "seconds", 0),
        (-1, "seconds", -1),
        (1.5, "seconds", 1.5),
        ("1.5h", "seconds", 5400),
        ("2 d", "seconds", 172_800),
        ("30M", "seconds", 1800),
        ("250ms", "seconds", 0.25),
        ("2h", "milliseconds", 7200),
    ],
)
def test_a_lifetime_is_read_in_every_form(stated, unit, expected):
    assert expected == lifetime_of(stated, unit)


@pytest.mark.parametrize("stated", ["soon", "", "h", "2x", "-1h", None, {}, [60], True, "nan", "inf"])
def test_what_is_no_lifetime_is_refused(stated):
    with pytest.raises((ValueError, TypeError)):
        lifetime_of(stated)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, None),
        ({"expires_at": None, "expires_in": None}, None),
        ({"expires_at": "", "expires_in": ""}, None),
        ({"expires_in": 60}, NEW_YEAR + 60),
        ({"expires_in": 0}, NEW_YEAR),
        ({"expires_at": "2025-01-01T00:10:00Z", "expires_in": 60}, NEW_YEAR + 600),
        ({"expires_at": "", "expires_in": 60}, NEW_YEAR + 60),
    ],
)
def test_the_moment_comes_before_the_lifetime(answer, expected):
    assert expected == stated_expiry(answer, now=NEW_YEAR)
