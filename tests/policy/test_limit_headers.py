from __future__ import annotations

import pytest

from nango_py.http import Headers
from nango_py.policy.limit_headers import LimitHeaders, Report, mention_limits, read_limits

NOW = 1_800_000_000.0


def read(headers, names=None):
    return read_limits(Headers(headers), now=NOW, names=names)


def said(headers):
    (report,) = read(headers)
    return report.limit, report.remaining, report.reset


@pytest.mark.parametrize("prefix", ["X-RateLimit", "X-Rate-Limit", "RateLimit", "x-ratelimit", "X-RATELIMIT"])
@pytest.mark.parametrize(
    "reset",
    ["30", "30.0", "30s", "1800000030", "1800000030000", "2027-01-15T08:00:30Z", "Fri, 15 Jan 2027 08:00:30 GMT"],
)
def test_every_dialect_of_reset_is_the_same_time_left(prefix, reset):
    headers = {f"{prefix}-Limit": "100", f"{prefix}-Remaining": "7", f"{prefix}-Reset": reset}

    assert (100, 7, 30) == said(headers)


def test_a_reset_that_has_passed_is_now():
    headers = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": str(int(NOW) - 60)}

    assert (5, 5, 0) == said(headers)


def test_a_moment_is_read_by_the_providers_own_clock_where_it_differs():
    headers = {
        "Date": "Fri, 15 Jan 2027 09:00:00 GMT",
        "X-RateLimit-Remaining": "5",
        "X-RateLimit-Reset": str(int(NOW) + 3600 + 20),
    }

    assert (None, 5, 20) == said(headers)


def test_discords_time_left_comes_before_its_moment():
    headers = {
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1800000002",
        "X-RateLimit-Reset-After": "1.25",
    }

    assert (5, 0, 1.25) == said(headers)


@pytest.mark.parametrize("header", ["X-RateLimit-Resource", "X-RateLimit-Bucket"])
def test_kinds_of_requests_that_are_counted_apart_have_names(header):
    (report,) = read({header: "search", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "9"})

    assert ("x-ratelimit search", True) == (report.name, report.is_partial)


def test_limits_of_several_windows_are_told_apart():
    reports = read(
        {
            "X-RateLimit-Limit-Second": "10",
            "X-RateLimit-Remaining-Second": "9",
            "X-RateLimit-Limit-Hour": "1000",
            "X-RateLimit-Remaining-Hour": "400",
        }
    )

    assert [(10, 9, None, 1), (1000, 400, None, 3600)] == [
        (one.limit, one.remaining, one.reset, one.window) for one in reports
    ]


def test_tokens_of_a_model_are_no_requests():
    reports = read(
        {
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "6m0s",
            "x-ratelimit-limit-tokens": "30000",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "1s",
        }
    )

    assert [(500, 499, 360)] == [(one.limit, one.remaining, one.reset) for one in reports]


def test_the_draft_of_ietf_names_limits_and_their_policies():
    reports = read(
        {
            "RateLimit": '"burst";r=9;t=1, "daily";r=4990;t=80000',
            "RateLimit-Policy": '"burst";q=10;w=1, "daily";q=5000;w=86400;pk=:dXNlcg==:',
        }
    )

    assert (
        Report(name="ratelimit-burst", remaining=9, limit=10, reset=1, window=1),
        Report(name="ratelimit-daily", remaining=4990, limit=5000, reset=80000, window=86400),
    ) == reports


def test_a_limit_without_a_reset_has_the_window_of_its_policy():
    reports = read({"RateLimit": '"p";r=9', "RateLimit-Policy": '"p";q=10;w=60'})

    assert (Report(name="ratelimit-p", remaining=9, limit=10, window=60),) == reports


@pytest.mark.parametrize("text", ["limit=100, remaining=50, reset=5", "limit=100,remaining=50,reset=5", "LIMIT=100, remaining=50, reset=5"])  # fmt: skip
def test_closes_form_is_the_older_draft(text):
    assert (100, 50, 5) == said({"RateLimit": text})


def test_the_older_draft_may_name_its_policy():
    (report,) = read(
        {"RateLimit": "limit=100, remaining=50, reset=5", "RateLimit-Policy": '100;w=60;comment="x, y", 1000;w=3600'}
    )

    assert 60 == report.window


def test_a_limit_may_hold_its_window():
    (report,) = read(
        {"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "50", "RateLimit-Reset": "5"},
    )

    assert (100, 60) == (report.limit, report.window)


def test_hubspots_own_headers_are_three_limits():
    reports = read(
        {
            "X-HubSpot-RateLimit-Daily": "250000",
            "X-HubSpot-RateLimit-Daily-Remaining": "249999",
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": "100",
            "X-HubSpot-RateLimit-Remaining": "99",
            "X-HubSpot-RateLimit-Secondly": "10",
            "X-HubSpot-RateLimit-Secondly-Remaining": "8",
        }
    )

    assert {
        ("hubspot-interval", 100, 99, 10),
        ("hubspot-secondly", 10, 8, 1),
        ("hubspot-daily", 250000, 249999, 86400),
    } == {(one.name, one.limit, one.remaining, one.window) for one in reports}


def test_headers_with_names_of_their_own_are_read_instead():
    names = LimitHeaders(remaining="X-Left", limit="X-All", reset="X-Again")
    headers = {"X-Left": "3", "X-All": "10", "X-Again": "4", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9"}

    assert (Report(name="headers", remaining=3, limit=10, reset=4),) == read(headers, names)
    in_milliseconds = LimitHeaders(remaining="X-Left", reset="X-Again", unit="milliseconds")
    assert (Report(name="headers", remaining=3, reset=0.004),) == read(headers, in_milliseconds)
    assert (Report(name="headers", remaining=3, window=60),) == read(
        headers, LimitHeaders(remaining="X-Left", per=60)
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Limit": "100"},
        {"X-RateLimit-Remaining": "5"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "5"},
        {"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "soon"},
        {"RateLimit": "nonsense"},
        {"RateLimit": '"a";r=5'},
        {"RateLimit": '"' * 10_000},
        {"X-HubSpot-RateLimit-Max": "100"},
        {"Retry-After": "5"},
    ],
)
def test_half_a_word_is_no_limit(headers):
    assert () == read(headers)


def test_few_headers_make_anybody_look_closer():
    assert mention_limits(Headers({"RateLimit": "x"}).raw)
    assert mention_limits([(b"x-rate-limit-reset", b"1")])
    assert not mention_limits(Headers({"Content-Type": "a", "Date": "b"}).raw)
