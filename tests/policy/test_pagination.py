from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py import http
from nango_py.errors import PaginationError, UsageError
from nango_py.policy.pages.link_header import link_of
from nango_py.policy.pagination import (
    PageAnswer,
    Pagination,
    Position,
    check,
    first,
    following,
    items_of,
    resume,
    set_members,
)

BASE = "https://api.example.test/v1/birds"
CURSOR = {
    "type": "cursor",
    "cursor_name_in_request": "from",
    "cursor_path_in_response": "meta.next",
    "response_path": "birds",
}
LINK = {"type": "link", "link_path_in_response_body": "next", "response_path": "birds"}
OFFSET = {"type": "offset", "offset_name_in_request": "skip", "response_path": "birds"}
PAGE = {"type": "page", "page_name_in_request": "page", "response_path": "birds"}
LIMIT = {"limit_name_in_request": "size", "limit": 3}


def walk(pagination, bodies, *, headers=(), method="GET", json_body=None, turn=None, page_size=None, cap=50):
    """Return the requests of a walk over scripted bodies, and all their items; the last body repeats."""
    turn = turn or first(pagination, page_size=page_size, method=method)
    requests, items = [], []
    while turn is not None and len(requests) < cap:
        requests.append(turn.url or (set_members(json_body, turn.body) if turn.body else dict(turn.params)))
        number = min(len(requests), len(bodies)) - 1
        answer = PageAnswer(
            url=turn.url or BASE,
            headers=http.Headers(headers[number] if number < len(headers) else {}),
            body=bodies[number],
        )
        after = following(pagination, turn.position, answer)
        items += items_of(pagination, answer.body)
        turn = after
    return requests, items


def birds(*numbers, **members):
    return {"birds": list(numbers), **members}


@pytest.mark.parametrize(
    ("case", "options", "bodies", "requests", "items"),
    [
        (
            "P4",
            {**CURSOR, **LIMIT},
            [birds(1, 2, 3, meta={"next": "c2"}), birds(4, meta={"next": None})],
            [{"size": "3"}, {"size": "3", "from": "c2"}],
            [1, 2, 3, 4],
        ),
        ("P5", CURSOR, [birds(1, meta={"next": "   "})], [{}], [1]),
        ("P6", CURSOR, [birds(1, meta={"next": ""})], [{}], [1]),
        ("P7", CURSOR, [{"other": [1]}], [{}], []),
        (
            "P10",
            LINK,
            [birds(1, next=f"{BASE}?page=2"), birds(2, next=f"{BASE}?page=3"), birds(3, next=None)],
            [{}, f"{BASE}?page=2", f"{BASE}?page=3"],
            [1, 2, 3],
        ),
        (
            "P11",
            LINK,
            [birds(1, next="/v1/birds?page=2"), birds(2, next="?page=3"), birds(3)],
            [{}, f"{BASE}?page=2", f"{BASE}?page=3"],
            [1, 2, 3],
        ),
        (
            "P12",
            OFFSET,
            [birds(1, 2, 3), birds(4, 5, 6), birds()],
            [{"skip": "0"}, {"skip": "3"}, {"skip": "6"}],
            [1, 2, 3, 4, 5, 6],
        ),
        (
            "P13",
            {**CURSOR, **OFFSET, **LIMIT},
            [birds(1, 2, 3), birds()],
            [{"size": "3", "skip": "0"}, {"size": "3", "skip": "3"}],
            [1, 2, 3],
        ),
        (
            "P17",
            CURSOR,
            [birds(meta={"next": "c2"}), birds(7, meta={"next": None})],
            [{}, {"from": "c2"}],
            [7],
        ),
        (
            "P18",
            {**OFFSET, **LIMIT},
            [birds(1, 2, 3), birds(4, 5)],
            [{"size": "3", "skip": "0"}, {"size": "3", "skip": "3"}],
            [1, 2, 3, 4, 5],
        ),
        (
            "P19",
            {**OFFSET, "offset_calculation_method": "per-page"},
            [birds(1, 2), birds(3, 4), birds()],
            [{"skip": "0"}, {"skip": "1"}, {"skip": "2"}],
            [1, 2, 3, 4],
        ),
        (
            "P19",
            {**OFFSET, "offset_calculation_method": "per-page", "offset_start_value": 1},
            [birds(1, 2), birds()],
            [{"skip": "1"}, {"skip": "2"}],
            [1, 2],
        ),
        ("page", PAGE, [birds(1, 2), birds(3), birds()], [{"page": "1"}, {"page": "2"}, {"page": "3"}], [1, 2, 3]),
        (
            "page-with-limit",
            {**PAGE, **LIMIT},
            [birds(1, 2, 3), birds(4)],
            [{"size": "3", "page": "1"}, {"size": "3", "page": "2"}],
            [1, 2, 3, 4],
        ),
        (
            "page-with-total",
            {**PAGE, **LIMIT, "total_pages_path_in_response": "pages"},
            [birds(1, pages=3), birds(pages="3"), birds(2, 3, 4, pages=3)],
            [{"size": "3", "page": "1"}, {"size": "3", "page": "2"}, {"size": "3", "page": "3"}],
            [1, 2, 3, 4],
        ),
        (
            "page-from-zero",
            {**PAGE, "page_start_value": 0, "total_pages_path_in_response": "pages"},
            [birds(1, pages=2), birds(2, pages=2)],
            [{"page": "0"}, {"page": "1"}],
            [1, 2],
        ),
        (
            "has-more-ends",
            {**OFFSET, "has_more_path_in_response": "has_more"},
            [birds(1, 2, has_more=True), birds(3, 4, has_more=False)],
            [{"skip": "0"}, {"skip": "2"}],
            [1, 2, 3, 4],
        ),
        (
            "has-more-after-a-short-page",
            {**OFFSET, **LIMIT, "has_more_path_in_response": "has_more"},
            [birds(1, has_more=True), birds(2, has_more=False)],
            [{"size": "3", "skip": "0"}, {"size": "3", "skip": "1"}],
            [1, 2],
        ),
        (
            "last-item-is-the-cursor",
            {**CURSOR, "cursor_path_in_response": "birds[-1].id", "has_more_path_in_response": "more"},
            [birds({"id": "a"}, {"id": "b"}, more=True), birds({"id": "c"}, more=False)],
            [{}, {"from": "b"}],
            [{"id": "a"}, {"id": "b"}, {"id": "c"}],
        ),
        (
            "max-pages",
            {**OFFSET, "max_pages": 2},
            [birds(1), birds(2), birds(3)],
            [{"skip": "0"}, {"skip": "1"}],
            [1, 2],
        ),
        ("limit-zero", {**CURSOR, **LIMIT, "limit": 0}, [birds(1)], [{}], [1]),
        ("number-cursor", CURSOR, [birds(1, meta={"next": 7}), birds(2)], [{}, {"from": "7"}], [1, 2]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_walk_asks_for_the_pages_that_the_case_table_names(case, options, bodies, requests, items):
    assert (requests, items) == walk(Pagination(**options), bodies)


def test_a_cursor_of_graphql_ends_with_has_next_page():
    pagination = Pagination(
        type="cursor",
        cursor_name_in_request="variables.after",
        cursor_path_in_response="data.birds.pageInfo.endCursor",
        has_more_path_in_response="data.birds.pageInfo.hasNextPage",
        response_path="data.birds.nodes",
    )

    def page(*nodes, cursor, more):
        return {"data": {"birds": {"nodes": list(nodes), "pageInfo": {"endCursor": cursor, "hasNextPage": more}}}}

    bodies = [page(1, cursor="x", more=True), page(2, cursor="y", more=False)]
    query = {"query": "{...}", "variables": {"colour": "red"}}
    requests, items = walk(pagination, bodies, method="POST", json_body=query)

    assert [{}, {"query": "{...}", "variables": {"colour": "red", "after": "x"}}] == requests
    assert [1, 2] == items


@pytest.mark.parametrize(
    ("case", "body", "members", "expected"),
    [
        ("P1", None, (("pagination.per_page", 150),), {"pagination": {"per_page": 150}}),
        (
            "P2",
            {"filter": {"a": 1}, "pagination": {"sort": "up"}},
            (("pagination.cursor.value", "x"), ("plain", 1), ("a.b.c.d", 2)),
            {
                "filter": {"a": 1},
                "pagination": {"sort": "up", "cursor": {"value": "x"}},
                "plain": 1,
                "a": {"b": {"c": {"d": 2}}},
            },
        ),
    ],
)
def test_members_of_a_body_nest_by_their_dots(case, body, members, expected):
    before = json.dumps(body)

    assert expected == set_members(body, members)
    assert before == json.dumps(body)


def test_a_dotted_name_stays_literal_in_a_query():
    """P3."""
    pagination = Pagination(**{**CURSOR, "limit_name_in_request": "pagination.per_page", "limit": 150})

    assert (("pagination.per_page", "150"),) == first(pagination).params


@pytest.mark.parametrize(
    ("method", "in_body", "in_the_body"),
    [("GET", None, False), ("DELETE", None, False), ("POST", None, True), ("patch", None, True), ("PUT", None, True),
     ("POST", False, False), ("GET", True, True)],
)  # fmt: skip
def test_the_method_decides_where_parameters_travel_unless_declared(method, in_body, in_the_body):
    """P14."""
    turn = first(Pagination(**{**OFFSET, **LIMIT}, in_body=in_body), method=method)

    body, params = (("size", 3), ("skip", 0)), (("size", "3"), ("skip", "0"))

    assert ((body, ()) if in_the_body else ((), params)) == (turn.body, turn.params)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("size", [{}, LIMIT])
def test_parameters_may_travel_as_headers(method, size):
    pagination = Pagination(**{**CURSOR, **size}, in_header=True)
    turn = first(pagination, method=method)
    answer = PageAnswer(url=BASE, headers=http.Headers(), body=birds(1, meta={"next": "id 7..; max=3"}))
    after = following(pagination, turn.position, answer)
    headers = (("size", "3"),) if size else ()

    assert (headers, (), ()) == (turn.headers, turn.params, turn.body)
    assert ((*headers, ("from", "id 7..; max=3")), (), ()) == (after.headers, after.params, after.body)
    assert after == resume(pagination, Position.from_text(after.position.to_text()))


@pytest.mark.parametrize("cursor", ["a\r\nX-Admin: 1", "a\nb", "a\0", "a\tb", "\u00e9", " a", "a "])
def test_a_cursor_that_would_split_headers_is_refused(cursor):
    pagination = Pagination(**CURSOR, in_header=True)
    answer = PageAnswer(url=BASE, headers=http.Headers(), body=birds(1, meta={"next": cursor}))

    with pytest.raises(PaginationError, match="page 1: the cursor to the next page holds what no header can"):
        following(pagination, first(pagination).position, answer)
    with pytest.raises(UsageError, match="the position holds what no header can"):
        resume(pagination, Position(type="cursor", mark=cursor))


def test_a_page_size_takes_the_place_of_the_limit():
    requests, items = walk(Pagination(**{**OFFSET, **LIMIT}), [birds(1, 2), birds(3)], page_size=2)

    assert [{"size": "2", "skip": "0"}, {"size": "2", "skip": "2"}] == requests
    assert [1, 2, 3] == items


def test_a_limit_that_cannot_be_sent_is_not_counted_on():
    requests, _ = walk(Pagination(**OFFSET, limit=5), [birds(1, 2), birds()])

    assert [{"skip": "0"}, {"skip": "2"}] == requests


@pytest.mark.parametrize(
    ("case", "header", "expected"),
    [
        ("P8", {"Link": '<https://api.example.test/by-header>; rel="next"'}, "https://api.example.test/by-header"),
        ("P9", {}, "https://api.example.test/by-body"),
        ("P9", {"Link": ""}, "https://api.example.test/by-body"),
        ("P9", {"Link": '</first>; rel="first"'}, "https://api.example.test/by-body"),
        ("", {"Link": '</a?x=1,2;3>; rel=first, </b?q=1,2>; title="a, b; c"; REL=Next'}, "https://api.example.test/b?q=1,2"),
        ("", {"Link": '<?page=2>; rel="last next"'}, "https://api.example.test/v1/birds?page=2"),
        ("", {"Link": '<https://other.test/next#here>; rel="next"'}, "https://other.test/next"),
    ],
)  # fmt: skip
def test_a_link_comes_from_the_header_before_the_body(case, header, expected):
    pagination = Pagination(**LINK, link_rel_in_response_header="next")
    answer = PageAnswer(url=BASE, headers=http.Headers(header), body=birds(1, next="/by-body"))

    assert expected == following(pagination, first(pagination).position, answer).url


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/birds?page=2", "https://api.example.test/v1/birds?page=2"),
        ("birds?page=2", "https://api.example.test/v1/birds?page=2"),
        ("/v1/birds?page=2", "https://api.example.test/v1/birds?page=2"),
        ("/v1?page=2", "https://api.example.test/v1?page=2"),
        ("/v10/birds", "https://api.example.test/v1/v10/birds"),
        ("?page=2", "https://api.example.test/v1/birds?page=2"),
        ("../birds", "https://api.example.test/birds"),
        ("/../../../birds", "https://api.example.test/birds"),
        ("https://other.test/birds", "https://other.test/birds"),
        ("//other.test/birds", "https://other.test/birds"),
        ("///other.test/birds", "https://api.example.test/other.test/birds"),
        (r"\\other.test/birds", r"https://api.example.test/v1/\\other.test/birds"),
    ],
)
def test_a_link_may_be_relative_to_the_base_url(link, expected):
    pagination = Pagination(**LINK, link_relative_to="base_url")
    answer = PageAnswer(
        url=BASE, headers=http.Headers(), body=birds(1, next=link), base_url="https://api.example.test/v1/"
    )

    assert expected == following(pagination, first(pagination).position, answer).url


def test_a_link_may_have_a_header_of_its_own():
    pagination = Pagination(type="link", link_header_in_response="Next-Page")
    headers = [{"next-page": f"{BASE}?_token=x"}, {}]

    assert ([{}, f"{BASE}?_token=x"], [1, 2]) == walk(pagination, [[1], [2]], headers=headers)


def test_a_cursor_may_have_a_header_of_its_own():
    pagination = Pagination(type="cursor", cursor_name_in_request="from", cursor_header_in_response="X-Next")

    assert ([{}, {"from": "b"}], [1, 2]) == walk(pagination, [[1], [2]], headers=[{"x-next": "b"}, {"x-next": " "}])


@pytest.mark.parametrize(
    ("values", "requests"),
    [(["true", "false"], 2), (["1", "0"], 2), (["True", " False "], 2), (["", ""], 1), (["true", ""], 2)],
)
def test_a_header_may_say_whether_there_is_more(values, requests):
    pagination = Pagination(**OFFSET, **LIMIT, has_more_header_in_response="X-Has-More")
    headers = [{"x-has-more": value} for value in values]

    assert requests == len(walk(pagination, [birds(1, 2), birds(3, 4)], headers=headers)[0])


@pytest.mark.parametrize(
    ("parameters", "requests"),
    [
        (['results="true"', 'results="false"'], 2),
        (["results=true", "Results=0"], 2),
        (['results="false"'], 1),
        # What says nothing of it leaves the end to the link.
        (["", 'result="false"', None], 3),
    ],
)
def test_a_link_may_say_whether_there_is_more(parameters, requests):
    pagination = Pagination(type="link", link_rel_in_response_header="next", has_more_name_in_link="results")
    headers = [
        {} if said is None else {"Link": f'<?p=1>; rel="previous"; results="true", <?p={at}>; rel="next"; {said}'}
        for at, said in enumerate(parameters, 2)
    ]

    assert requests == len(walk(pagination, [[at] for at in range(len(headers))], headers=headers)[0])


COUNT = {"total_items_header_in_response": "X-Total-Count"}


@pytest.mark.parametrize(
    ("options", "totals", "counts", "requests"),
    [
        # Where the total is reached, nothing more is asked for; until then a short page is not the last.
        ({**OFFSET, **COUNT}, ["3", "3"], [2, 1], 2),
        ({**OFFSET, **LIMIT, **COUNT}, ["6", "6"], [3, 3], 2),
        ({**OFFSET, **LIMIT, **COUNT}, ["5", "5", "5"], [2, 2, 1], 3),
        ({**OFFSET, "offset_calculation_method": "per-page", **COUNT}, ["3", "3"], [2, 1], 2),
        ({**PAGE, **LIMIT, **COUNT}, ["5", "5", "5"], [2, 2, 1], 3),
        # Items that one may not see are counted, and an empty page ends the walk nevertheless.
        ({**PAGE, **LIMIT, **COUNT}, ["9", "9", "9"], [3, 2, 0], 3),
        # What is no total, or less than came, ends nothing.
        ({**PAGE, **LIMIT, **COUNT}, [" 4 ", "4"], [3, 1], 2),
        ({**PAGE, **LIMIT, **COUNT}, ["0", "0"], [3, 1], 2),
        ({**PAGE, **LIMIT, **COUNT}, ["-1", "-1"], [3, 1], 2),
        ({**PAGE, **LIMIT, **COUNT}, ["many", ""], [3, 1], 2),
        ({**PAGE, **LIMIT, **COUNT}, ["4", "6", "6"], [3, 2, 1], 3),
        ({**PAGE, "total_pages_header_in_response": "X-Total-Count"}, ["2", "2"], [1, 0], 2),
        ({**PAGE, "total_pages_header_in_response": "X-Total-Count"}, ["", ""], [1, 0], 2),
        ({**PAGE, "page_start_value": 0, "total_pages_header_in_response": "X-Total-Count"}, ["2", "2"], [2, 2], 2),
    ],
)
def test_a_total_in_a_header_ends_a_walk(options, totals, counts, requests):
    bodies = [birds(*(f"{page}.{number}" for number in range(count))) for page, count in enumerate(counts)]
    headers = [{"x-total-count": total} for total in totals]

    asked, items = walk(Pagination(**options), bodies, headers=headers)

    assert (requests, sum(counts)) == (len(asked), len(items))


def test_a_total_of_items_may_stand_in_the_body():
    pagination = Pagination(**OFFSET, total_items_path_in_response="total")

    assert ([{"skip": "0"}, {"skip": "2"}], [1, 2, 3]) == walk(
        pagination, [birds(1, 2, total=3), birds(3, total="3")]
    )


def test_a_total_counts_what_came_before_a_walk_was_resumed():
    pagination = Pagination(**PAGE, **COUNT)
    headers = http.Headers({"X-Total-Count": "4"})
    after = following(pagination, first(pagination).position, PageAnswer(url=BASE, headers=headers, body=birds(1, 2)))
    saved = resume(pagination, Position.from_text(after.position.to_text()))

    assert None is following(pagination, saved.position, PageAnswer(url=BASE, headers=headers, body=birds(3, 4)))


IN_LINK = {"type": "cursor", "cursor_name_in_request": "from", "cursor_name_in_link": "cursor"}


@pytest.mark.parametrize(
    ("keys", "headers", "body"),
    [
        ({"link_path_in_response_body": "next"}, {}, {"next": "https://other.test/?cursor=a%3D%26b&size=3"}),
        ({"link_path_in_response_body": "next"}, {}, {"next": "?size=3&cursor=a%3D%26b"}),
        ({"link_path_in_response_body": "next"}, {}, {"next": "ftp://[::1]/x?cursor=a%3D%26b"}),
        ({"link_header_in_response": "X-Next"}, {"X-Next": "/birds?cursor=a%3D%26b&cursor=c"}, {}),
        ({"link_rel_in_response_header": "next"}, {"Link": '</birds?cursor=a%3D%26b>; rel="next"'}, {}),
        (
            {"link_path_in_response_body": "next", "cursor_path_in_response": "cursor"},
            {},
            {"cursor": None, "next": "?cursor=a%3D%26b"},
        ),
        (
            {"link_path_in_response_body": "next", "cursor_path_in_response": "cursor"},
            {},
            {"cursor": "a=&b", "next": "?cursor=c"},
        ),
    ],
)
def test_a_cursor_is_taken_out_of_a_link(keys, headers, body):
    pagination = Pagination(**IN_LINK, **keys)
    answer = PageAnswer(url=BASE, headers=http.Headers(headers), body=body, items=(1,))
    turn = following(pagination, first(pagination).position, answer)

    assert ((("from", "a=&b"),), None) == (turn.params, turn.url)


@pytest.mark.parametrize("link", [None, "", " ", "?cursor=", "?cursor=%20", "?cursor"])
def test_no_cursor_in_a_link_ends_a_walk(link):
    pagination = Pagination(**IN_LINK, link_path_in_response_body="next", response_path="birds")

    assert ([{}], [1]) == walk(pagination, [birds(1, next=link)])


@pytest.mark.parametrize("header", ["", "<", "<a", "<a>", "<a>;", "<a>; rel", "<a>; rel=", ";;;,,,", '<a>; rel="'])
def test_a_broken_link_header_has_no_links(header):
    assert None is link_of(header, "next")


@pytest.mark.parametrize(
    ("options", "bodies", "message", "number_of_requests"),
    [
        (CURSOR, [birds(1, meta={"next": "2"}), birds(2, meta={"next": "2"})], "page 2: the cursor", 2),
        (
            CURSOR,
            [birds(1, meta={"next": "a"}), birds(2, meta={"next": "b"}), birds(3, meta={"next": "a"})],
            "cursor",
            3,
        ),
        (LINK, [birds(1, next="?p=2"), birds(2, next="?p=3"), birds(3, next="?p=2")], "page 3: the link", 3),
        (LINK, [birds(1, next=BASE)], "page 1: the link", 1),
        (OFFSET, [birds(1, 2)], "page 2: the items are those of the page before", 2),
        (PAGE, [birds(1, 2)], "page 2: the items are those of the page before", 2),
        (CURSOR, [birds(1, meta={"next": {"a": 1}})], "holds a dict", 1),
        (
            {**IN_LINK, "link_path_in_response_body": "next", "response_path": "birds"},
            [birds(1, next="https://a.test/?cursor=2&x=1"), birds(2, next="https://b.test/?cursor=2&x=2")],
            "page 2: the cursor",
            2,
        ),
        ({**IN_LINK, "link_path_in_response_body": "next"}, [{"next": "?page=2"}], "has no parameter 'cursor'", 1),
        ({**IN_LINK, "link_path_in_response_body": "next"}, [{"next": "http://["}], "has no parameter 'cursor'", 1),
        ({**IN_LINK, "link_path_in_response_body": "next"}, [{"next": ["x"]}], "holds a list", 1),
        (LINK, [birds(1, next=["x"])], "holds a list", 1),
        (LINK, [birds(1, next="ftp://x/")], "no http or https URL", 1),
        (LINK, [birds(1, next="http://[")], "no http or https URL", 1),
        (LINK, [birds(1, next="javascript:alert(1)")], "no http or https URL", 1),
    ],
)
def test_a_walk_that_goes_in_circles_says_what_came_again(options, bodies, message, number_of_requests):
    """P16."""
    with pytest.raises(PaginationError, match=message):
        walk(Pagination(**options), bodies)


def test_a_circle_longer_than_the_memory_is_found():
    bodies = [birds(number, meta={"next": str(number % 100)}) for number in range(300)]

    with pytest.raises(PaginationError, match="the cursor to the next page came before"):
        walk(Pagination(**CURSOR), bodies, cap=300)


def test_a_cursor_may_repeat_where_that_is_declared():
    pagination = Pagination(**CURSOR, allow_repeated_cursor=True)
    scroll = {"next": "scroll-1"}

    requests, items = walk(pagination, [birds(1, meta=scroll), birds(2, meta=scroll), birds(meta=scroll)])

    assert ([{}, {"from": "scroll-1"}, {"from": "scroll-1"}], [1, 2]) == (requests, items)


def test_empty_pages_are_followed_ten_times_in_a_row():
    pagination = Pagination(**CURSOR)
    bodies = [birds(meta={"next": str(number)}) for number in range(12)]

    with pytest.raises(PaginationError, match="page 11: 11 pages in a row were empty"):
        walk(pagination, bodies)


def test_a_page_with_items_makes_up_for_empty_ones():
    bodies = [birds(*([number] if number % 10 == 0 else []), meta={"next": str(number)}) for number in range(35)]

    assert [0, 10, 20, 30] == walk(Pagination(**CURSOR), [*bodies, birds()])[1]


def test_links_and_cursors_are_followed_where_the_items_are_not_declared():
    pagination = Pagination(type="link", link_path_in_response_body="next")
    answer = PageAnswer(url=BASE, headers=http.Headers(), body={"next": "?page=2"})

    assert f"{BASE}?page=2" == following(pagination, first(pagination).position, answer).url


@pytest.mark.parametrize(
    ("options", "body", "items_path", "expected"),
    [
        (CURSOR, birds(1, 2), None, (1, 2)),
        (CURSOR, birds(), None, ()),
        (CURSOR, {"birds": None}, None, ()),
        (CURSOR, {}, None, ()),
        (CURSOR, None, None, ()),
        (CURSOR, {"nests": [{"egg": 1}, {"egg": 2}]}, "nests[].egg", (1, 2)),
        (CURSOR, [1, 2], "", (1, 2)),
        ({"type": "page"}, [1, 2], None, (1, 2)),
    ],
)
def test_items_are_found(options, body, items_path, expected):
    assert expected == items_of(Pagination(**options), body, items_path)


@pytest.mark.parametrize(
    ("options", "body", "message"),
    [
        (CURSOR, {"birds": "abc"}, "response_path 'birds' leads to a str"),
        (CURSOR, {"birds": {"a": 1}}, "leads to a dict"),
        ({"type": "page"}, {"a": 1}, "without a response_path"),
    ],
)
def test_items_that_are_no_list_are_refused(options, body, message):
    with pytest.raises(PaginationError, match=message):
        items_of(Pagination(**options), body)


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (CURSOR, []),
        (LINK, []),
        (OFFSET, []),
        (PAGE, []),
        ({"type": "cursor", "cursor_name_in_request": "a", "cursor_header_in_response": "b"}, []),
        ({**IN_LINK, "link_header_in_response": "b"}, []),
        (IN_LINK, ["cursor_name_in_link"]),
        ({"type": "link", "link_header_in_response": "b"}, []),
        ({"type": "link", "link_rel_in_response_header": "next"}, []),
        ({"type": "cursor", "cursor_path_in_response": "a"}, ["cursor_name_in_request"]),
        ({"type": "cursor", "cursor_name_in_request": "a"}, ["cursor_path_in_response"]),
        ({**CURSOR, "limit": 5}, ["limit_name_in_request"]),
        ({"type": "link"}, ["link_rel_in_response_header"]),
        ({"type": "offset"}, ["offset_name_in_request"]),
        ({"type": "page"}, ["page_name_in_request"]),
        ({**CURSOR, "in_header": True}, []),
        ({**CURSOR, "in_header": True, "in_body": True}, ["in_header"]),
        ({**CURSOR, "in_header": True, "cursor_name_in_request": "page[after]"}, ["cursor_name_in_request"]),
        ({**LINK, "has_more_name_in_link": "results"}, ["has_more_name_in_link"]),
        ({"type": "scroll"}, ["type"]),
        (
            {**PAGE, "response_path": "a..", "has_more_path_in_response": "]"},
            ["response_path", "has_more_path_in_response"],
        ),
    ],
)
def test_an_incomplete_declaration_names_the_key(options, keys):
    """P21."""
    assert keys == [gap.key for gap in check(Pagination(**options))]


@pytest.mark.parametrize("options", [CURSOR, OFFSET, PAGE, {**CURSOR, "in_body": True}])
def test_a_walk_goes_on_from_a_saved_position(options):
    pagination = Pagination(**options)
    turn = first(pagination, page_size=2)
    body = birds(1, 2, meta={"next": "c2"})
    after = following(pagination, turn.position, PageAnswer(url=BASE, headers=http.Headers(), body=body))
    saved = Position.from_text(after.position.to_text())

    assert after.position == saved
    assert after == resume(pagination, saved)


def test_a_saved_link_holds_no_credentials():
    url = "https://me:pw@api.example.test/x?after=1&access_token=hush&API_key=hush&limit=2"
    position = Position(type="link", number=2, mark=url)

    assert "https://api.example.test/x?after=1&limit=2" == Position.from_text(position.to_text()).mark


GOOD = json.loads(Position(type="cursor", mark="a").to_text())


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", "5", "{", "[" * 10_000, '"x"',
        *(json.dumps({**GOOD, **wrong}) for wrong in [
            {"form": 2}, {"type": "scroll"}, {"type": []}, {"type": "offset"}, {"number": 0}, {"number": "1"},
            {"number": True}, {"mark": {}}, {"mark": True}, {"mark": float("nan")}, {"seen": "ab"}, {"seen": [1]},
            {"in_body": 1}, {"items": -1}, {"page_size": -1}, {"empties": None}, {"anchor": 1}, {"extra": 1},
            {"type": "link", "mark": "file:///etc/passwd"},
        ]),
    ],
)  # fmt: skip
def test_a_corrupt_position_is_refused(text):
    with pytest.raises(UsageError, match="the position is not one"):
        Position.from_text(text)


def test_a_position_of_another_kind_is_refused():
    with pytest.raises(UsageError, match="belongs to cursor pagination"):
        resume(Pagination(**OFFSET), Position(type="cursor", mark="a"))


def server(kind, items, size):
    """Return the pages that a correct server would give, in the shape that each kind expects."""
    pages = [items[at : at + size] for at in range(0, len(items), size)] or [[]]
    for number, page in enumerate(pages, start=1):
        is_last = number == len(pages)
        yield {
            "birds": page,
            "meta": {"next": None if is_last else f"c{number}"},
            "next": None if is_last else f"/v1/birds?page={number + 1}",
            "more": not is_last,
            "pages": len(pages),
            "total": len(items),
        }
    if kind in ("offset", "page"):
        yield {"birds": [], "more": False, "pages": len(pages), "total": len(items)}


@given(
    options=st.sampled_from([
        CURSOR, LINK, OFFSET, PAGE,
        {**OFFSET, **LIMIT}, {**PAGE, **LIMIT}, {**CURSOR, **LIMIT},
        {**PAGE, "total_pages_path_in_response": "pages"},
        {**OFFSET, "total_items_path_in_response": "total"}, {**PAGE, "total_items_path_in_response": "total"},
        {**OFFSET, "has_more_path_in_response": "more"}, {**PAGE, "has_more_path_in_response": "more"},
        {**CURSOR, "has_more_path_in_response": "more"},
    ]),
    count=st.integers(min_value=0, max_value=40),
    size=st.integers(min_value=1, max_value=7),
)  # fmt: skip
def test_a_walk_returns_every_item_once(options, count, size):
    size = options.get("limit", size)
    items = list(range(count))

    assert items == walk(Pagination(**options), list(server(options["type"], items, size)))[1]
