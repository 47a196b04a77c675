"""What a JMESPath expression finds can be written, so that it finds it."""

from __future__ import annotations

import pytest

from nango_py import UsageError
from nango_py.testing.bodies import put
from nango_py.testing.expressions import written


@pytest.mark.parametrize(
    ("expression", "value", "before", "after"),
    [
        ('M."@Total"', 3, {}, {"M": {"@Total": 3}}),
        ("items[-1].id", "c", {"items": [{"id": 1}, {"id": 2}]}, {"items": [{"id": 1}, {"id": "c"}]}),
        ("items[-2]", "c", {}, {"items": ["c", None]}),
        ("edges[].node", [1, 2], {"total": 2}, {"total": 2, "edges": [{"node": 1}, {"node": 2}]}),
        ("edges[].node", [3], {"edges": [{"node": 1, "cursor": "x"}]}, {"edges": [{"node": 3, "cursor": "x"}]}),
        ("a[].b[]", [1, 2], {}, {"a": [{"b": 1}, {"b": 2}]}),
        (
            "links[?rel=='next'] | [0].href",
            "/2",
            {"links": [{"rel": "self", "href": "/1"}]},
            {"links": [{"rel": "self", "href": "/1"}, {"rel": "next", "href": "/2"}]},
        ),
        ("links[?rel=='next' && ok].href | [0]", "/2", {}, {"links": [{"rel": "next", "ok": True, "href": "/2"}]}),
        ("!last", True, {}, {"last": False}),
        ("state != 'done'", False, {}, {"state": "done"}),
        ("state != 'done'", True, {}, {"state": "not done"}),
        ("total > length(items)", True, {"items": [1]}, {"items": [1], "total": 2}),
        ("`3` > page", False, {}, {"page": 4}),
        ("not_null(a, b)", "x", {"b": "y"}, {"a": "x", "b": "y"}),
        ("a || b", "x", {}, {"a": "x"}),
        ("ttl > `0` && ttl", 7, {}, {"ttl": 7}),
        ("ok && next", "/2", {}, {"ok": True, "next": "/2"}),
        ("ok && next", False, {"ok": True}, {"ok": True, "next": False}),
    ],
)
def test_a_value_is_written_where_the_expression_finds_it(expression, value, before, after):
    kept = repr(before)

    assert after == written(before, expression, value)
    assert kept == repr(before)


@pytest.mark.parametrize("expression", ["length(a)", "a[?b].c", "`1`", "[a, b]"])
def test_what_has_no_place_is_refused(expression):
    assert None is written({}, expression, "x")
    with pytest.raises(UsageError, match=r"simulate\(\) cannot write"):
        put({}, expression, "x")


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("a.b", {"a": {"b": 1}}),
        ("a[1].b", {"a": [None, {"b": 1}]}),
        ("@odata.next", {"@odata.next": 1}),
        ("a.0", {"a": [1]}),
    ],
)
def test_plain_paths_are_written_by_their_names(path, after):
    body = {}
    put(body, path, 1)

    assert after == body
