"""Walks over pages, from end to end: what a provider of each kind is asked, by Nango and by AsyncNango."""

from __future__ import annotations

import json

import httpx
import pytest

from nango_py.errors import ForeignOriginError, PaginationError, UsageError
from tests.servers.faces import BACKENDS, face

BASE = "https://api.birds.test/v1/"
BIRDS = [{"id": number, "name": f"bird {number}"} for number in range(1, 8)]
PAIRS = [BIRDS[0:2], BIRDS[2:4], BIRDS[4:6], BIRDS[6:8]]


class Provider:
    """Answer as *answer* says, and remember what was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        assert "Bearer key-4f1c9a" == request.headers["Authorization"]
        return self.answer(request)

    @property
    def queries(self):
        return [dict(request.url.params) for request in self.requests]

    @property
    def bodies(self):
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture(params=BACKENDS)
def opened(request):
    """Open a Nango of each kind with one integration and one connection."""
    faces = []

    def open_face(provider, **keys):
        it = {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": BASE}, **keys}
        context = face(request.param, {"integrations": {"it": it}}, {"transport": httpx.MockTransport(provider)})
        faces.append(context)
        nango = context.__enter__()
        nango.call("register_connection", "it", "u1", {"api_key": "key-4f1c9a"})
        return nango

    yield open_face
    for context in faces:
        context.__exit__(None, None, None)


def numbered(request, name="page", first=1):
    """Return the page that a query asks for, from 0 on."""
    return int(request.url.params.get(name, first)) - first


def walked(nango, **options):
    return nango.collect("paginate", "it", "u1", "birds", **options)


# Kinds


GRAPHQL = {
    "type": "cursor",
    "cursor_name_in_request": "variables.after",
    "cursor_path_in_response": "data.birds.pageInfo.endCursor",
    "has_more_path_in_response": "data.birds.pageInfo.hasNextPage",
    "limit_name_in_request": "variables.first",
    "limit": 2,
    "response_path": "data.birds.nodes",
}


def graphql(request):
    variables = json.loads(request.content)["variables"]
    start = int(variables.get("after", "c0")[1:])
    nodes = BIRDS[start : start + variables["first"]]
    end = start + len(nodes)
    info = {"endCursor": f"c{end}", "hasNextPage": end < len(BIRDS)}
    return httpx.Response(200, json={"data": {"birds": {"nodes": nodes, "pageInfo": info}}})


def test_graphql_is_walked_by_its_page_info(opened):
    provider = Provider(graphql)
    query = {"query": "query($after: String) {...}", "variables": {"colour": "red"}}
    nango = opened(provider, pagination=GRAPHQL)

    assert walked(nango, method="POST", json=query) == BIRDS
    assert [
        {**query, "variables": {"colour": "red", "first": 2}},
        *({**query, "variables": {"colour": "red", "first": 2, "after": f"c{at}"}} for at in (2, 4, 6)),
    ] == provider.bodies


def test_graphql_is_walked_by_an_action(opened):
    provider = Provider(graphql)
    action = {
        "input": {"type": "object", "properties": {"colour": {"type": "string"}}},
        "request": {
            "method": "POST",
            "path": "graphql",
            "json": {"query": "query {...}", "variables": {"colour": "${input.colour}"}},
        },
        "paginate": True,
    }
    nango = opened(provider, pagination=GRAPHQL, actions={"list-birds": action})

    assert nango.call("trigger_action", "it", "list-birds", "u1", {"colour": "red", "page_size": 5}) == BIRDS
    assert [
        {"colour": "red", "first": 5},
        {"colour": "red", "first": 5, "after": "c5"},
    ] == [body["variables"] for body in provider.bodies]


def test_a_cursor_in_a_header_is_followed(opened):
    def answer(request):
        page = numbered(request, "from")
        return httpx.Response(200, json=PAIRS[page], headers={"X-Next": str(page + 2)} if page < 3 else {})

    provider = Provider(answer)
    keys = {"type": "cursor", "cursor_name_in_request": "from", "cursor_header_in_response": "X-Next"}

    assert walked(opened(provider, pagination=keys), params={"colour": "red"}) == BIRDS
    assert [{"colour": "red"}, *({"colour": "red", "from": str(page)} for page in (2, 3, 4))] == provider.queries


def test_a_cursor_is_taken_out_of_a_link_wherever_that_leads(opened):
    def answer(request):
        page = numbered(request, "from")
        link = f"https://evil.test/birds?cursor={page + 2}&access_token=hush" if page < 3 else None
        return httpx.Response(200, json={"birds": PAIRS[page], "next": link})

    provider = Provider(answer)
    keys = {
        "type": "cursor",
        "cursor_name_in_request": "from",
        "cursor_name_in_link": "cursor",
        "link_path_in_response_body": "next",
        "response_path": "birds",
    }
    nango = opened(provider, pagination=keys)
    pages = nango.collect("pages", "it", "u1", "birds", params={"colour": "red"}, max_pages=2)
    rest = walked(nango, params={"colour": "red"}, position=pages[-1].position)

    assert [*pages[0].items, *pages[1].items, *rest] == BIRDS
    assert "hush" not in pages[-1].position
    assert {"api.birds.test"} == {request.url.host for request in provider.requests}
    assert [{"colour": "red"}, *({"colour": "red", "from": str(page)} for page in (2, 3, 4))] == provider.queries


BY_RANGE = {
    "type": "cursor",
    "cursor_name_in_request": "Range",
    "cursor_header_in_response": "Next-Range",
    "in_header": True,
}


def ranges(request):
    page = int(request.headers.get("Range", "0").removesuffix(";"))
    told = {"Next-Range": f"{page + 1};"} if page < 3 else {}
    return httpx.Response(206 if told else 200, json=PAIRS[page], headers=told)


def test_a_cursor_travels_from_header_to_header(opened):
    provider = Provider(ranges)
    nango = opened(provider, pagination=BY_RANGE)
    pages = nango.collect("pages", "it", "u1", "birds", params={"colour": "red"}, max_pages=2)

    assert [*pages[0].items, *pages[1].items, *walked(nango, position=pages[-1].position)] == BIRDS
    assert [None, "1;", "2;", "3;"] == [request.headers.get("Range") for request in provider.requests]
    assert [{"colour": "red"}] * 2 == provider.queries[:2]


def test_a_cursor_takes_the_place_of_a_header_of_the_action(opened):
    provider = Provider(ranges)
    action = {
        "input": {"type": "object"},
        "request": {"path": "birds", "headers": {"range": "0;", "X-Colour": "red"}},
        "paginate": BY_RANGE,
    }
    nango = opened(provider, actions={"list-birds": action})

    assert nango.call("trigger_action", "it", "list-birds", "u1") == BIRDS
    assert [["0;"], ["1;"], ["2;"], ["3;"]] == [request.headers.get_list("Range") for request in provider.requests]
    assert {"red"} == {request.headers["X-Colour"] for request in provider.requests}


def test_a_cursor_in_a_header_that_repeats_ends_a_walk(opened):
    provider = Provider(lambda _request: httpx.Response(200, json=BIRDS, headers={"Next-Range": "1;"}))
    with pytest.raises(PaginationError, match="the cursor to the next page came before"):
        walked(opened(provider, pagination=BY_RANGE))

    assert 2 == len(provider.requests)


def test_a_cursor_that_no_header_can_hold_ends_a_walk(opened):
    provider = Provider(lambda _request: httpx.Response(200, json={"items": BIRDS, "next": "1\r\nX-Admin: 1"}))
    keys = {**BY_RANGE, "cursor_path_in_response": "next", "response_path": "items"}
    with pytest.raises(PaginationError, match="holds what no header can"):
        walked(opened(provider, pagination=keys))

    assert 1 == len(provider.requests)


@pytest.mark.parametrize(
    ("keys", "headers", "body"),
    [
        ({"link_rel_in_response_header": "next"}, {"Link": '<{}>; rel="next"'}, None),
        ({"link_header_in_response": "Next-Page"}, {"Next-Page": "{}"}, None),
        ({"link_path_in_response_body": "links[?rel=='next'] | [0].href"}, {}, "{}"),
    ],
    ids=["Link", "header", "body"],
)
@pytest.mark.parametrize("link", [f"{BASE}birds?page={{}}", "/v1/birds?page={}", "?page={}", "birds?page={}"])
def test_links_are_followed_wherever_they_stand(opened, keys, headers, body, link):
    def answer(request):
        page = numbered(request)
        following = link.format(page + 2)
        links = [{"rel": "self", "href": "?"}, *([{"rel": "next", "href": following}] if body and page < 3 else [])]
        told = {name: value.format(following) for name, value in headers.items()} if page < 3 else {}
        return httpx.Response(200, json={"birds": PAIRS[page], "links": links}, headers=told)

    provider = Provider(answer)
    nango = opened(provider, pagination={"type": "link", "response_path": "birds", **keys})

    assert walked(nango) == BIRDS
    assert [f"{BASE}birds", *(f"{BASE}birds?page={page}" for page in (2, 3, 4))] == [
        str(request.url) for request in provider.requests
    ]


def test_links_are_followed_below_a_base_url_of_the_account(opened):
    def answer(request):
        page = numbered(request)
        return httpx.Response(200, json={"birds": PAIRS[page], "next": f"/birds?page={page + 2}" if page < 3 else ""})

    provider = Provider(answer)
    keys = {"type": "link", "link_path_in_response_body": "next", "link_relative_to": "base_url"}
    nango = opened(
        provider,
        requests={"base_url": "https://api.birds.test/${connection_config.tenant}/v1/"},
        connection_config={"tenant": {"default": "acme"}},
        pagination={**keys, "response_path": "birds"},
    )

    assert walked(nango) == BIRDS
    assert [f"/acme/v1/birds{query}" for query in ("", "?page=2", "?page=3", "?page=4")] == [
        request.url.raw_path.decode() for request in provider.requests
    ]


def test_a_circle_of_links_below_the_base_url_ends_a_walk(opened):
    provider = Provider(lambda _request: httpx.Response(200, json={"birds": BIRDS, "next": "/birds?page=2"}))
    keys = {**FOREIGN, "link_relative_to": "base_url"}
    with pytest.raises(PaginationError, match="came before"):
        walked(opened(provider, pagination=keys))

    assert 2 == len(provider.requests)


@pytest.mark.parametrize("link", ["https://evil.test/v1/birds", "//evil.test/v1/birds"])
def test_a_link_below_the_base_url_leads_to_no_other_origin(opened, link):
    provider = Provider(lambda _request: httpx.Response(200, json={"birds": BIRDS[:1], "next": link}))
    nango = opened(provider, pagination={**FOREIGN, "link_relative_to": "base_url"})
    with pytest.raises(ForeignOriginError, match="allowed_origins"):
        walked(nango)

    assert ["api.birds.test"] == [request.url.host for request in provider.requests]


def test_a_link_that_is_always_there_says_where_the_list_ends(opened):
    def answer(request):
        page = numbered(request)
        results = "true" if page < 3 else "false"
        link = f'<{BASE}birds?page={page + 2}>; rel="next"; results="{results}"'
        return httpx.Response(200, json=PAIRS[page], headers={"Link": link})

    provider = Provider(answer)
    keys = {"type": "link", "link_rel_in_response_header": "next", "has_more_name_in_link": "results"}

    assert walked(opened(provider, pagination=keys)) == BIRDS
    assert 4 == len(provider.requests)


def test_offsets_count_items_or_pages(opened):
    def answer(request):
        step = 1 if "skip" in request.url.params else 2
        start = int(request.url.params.get("skip") or int(request.url.params["page"]) * 2)
        return httpx.Response(200, json=BIRDS[start : start + 2] if step else [])

    provider = Provider(answer)
    nango = opened(provider, pagination={"type": "offset", "offset_name_in_request": "skip"})
    by_page = {"offset_name_in_request": "page", "offset_calculation_method": "per-page"}

    assert walked(nango) == BIRDS == walked(nango, pagination=by_page)
    # Without a page size that is known, only an empty page ends a list.
    assert [{"skip": at} for at in "02467"] == provider.queries[:5]
    assert [{"page": at} for at in "01234"] == provider.queries[5:]


@pytest.mark.parametrize(
    ("keys", "pages"),
    [
        ({}, 5),
        ({"total_pages_path_in_response": "pages"}, 4),
        ({"total_items_path_in_response": "items"}, 4),
        ({"total_pages_header_in_response": "X-WP-TotalPages"}, 4),
        ({"total_items_header_in_response": "X-Total-Count"}, 4),
    ],
)
def test_pages_end_with_their_total_or_an_empty_one(opened, keys, pages):
    def answer(request):
        page = numbered(request)
        told = {"X-WP-TotalPages": "4", "X-Total-Count": "7"}
        birds = PAIRS[page] if page < 4 else []
        return httpx.Response(200, json={"birds": birds, "pages": 4, "items": 7}, headers=told)

    provider = Provider(answer)
    declared = {"type": "page", "page_name_in_request": "page", "response_path": "birds", **keys}

    assert walked(opened(provider, pagination=declared)) == BIRDS
    assert pages == len(provider.requests)


def test_pages_end_with_a_short_one(opened):
    provider = Provider(lambda request: httpx.Response(200, json=PAIRS[numbered(request)]))
    size = {"limit_name_in_request": "size", "limit": 2}
    nango = opened(provider, pagination={"type": "page", "page_name_in_request": "page", **size})

    assert walked(nango) == BIRDS
    assert [{"size": "2", "page": str(page)} for page in (1, 2, 3, 4)] == provider.queries


def test_parameters_nest_in_the_body_that_a_caller_gives(opened):
    def answer(request):
        start = json.loads(request.content)["paging"]["cursor"]["skip"]
        return httpx.Response(200, json={"hits": BIRDS[start : start + 3]})

    provider = Provider(answer)
    keys = {
        "type": "offset",
        "offset_name_in_request": "paging.cursor.skip",
        "limit_name_in_request": "paging.size",
        "limit": 3,
        "response_path": "hits",
    }
    body = {"filter": {"colour": "red"}, "paging": {"sort": "name"}}

    assert walked(opened(provider, pagination=keys), method="POST", json=body) == BIRDS
    assert [
        {"filter": {"colour": "red"}, "paging": {"sort": "name", "size": 3, "cursor": {"skip": at}}}
        for at in (0, 3, 6)
    ] == provider.bodies


def test_an_action_overrides_what_the_integration_declares(opened):
    def answer(request):
        if request.url.path.endswith("birds"):
            return httpx.Response(200, json={"items": PAIRS[numbered(request)]})
        return httpx.Response(200, json={"nests": BIRDS[int(request.url.params["skip"]) :][:3]})

    declared = {"type": "page", "page_name_in_request": "page", "response_path": "items"}
    size = {"limit_name_in_request": "size", "limit": 2}
    nests = {"type": "offset", "offset_name_in_request": "skip", "response_path": "nests", "limit": 3}
    actions = {
        "list-birds": {"request": {"path": "birds"}, "paginate": {"type": "page", "limit": 2}},
        "list-nests": {"request": {"path": "nests"}, "paginate": nests},
    }
    provider = Provider(answer)
    nango = opened(provider, pagination={**declared, **size, "limit": 50}, actions=actions)

    assert BIRDS == nango.call("trigger_action", "it", "list-birds", "u1")
    assert BIRDS == nango.collect("stream_action", "it", "list-nests", "u1")
    assert BIRDS == walked(nango, pagination={"limit": 2})
    assert [
        *({"size": "2", "page": page} for page in "1234"),
        *({"size": "3", "skip": at} for at in "036"),
        *({"size": "2", "page": page} for page in "1234"),
    ] == provider.queries


# Ends


def endless(request):
    """Give one bird on each of a million pages."""
    page = numbered(request)
    return httpx.Response(200, json={"birds": [{"id": page}], "pages": 1_000_000})


ENDLESS = {
    "type": "page",
    "page_name_in_request": "page",
    "total_pages_path_in_response": "pages",
    "response_path": "birds",
}


def test_a_walk_ends_with_max_pages_or_with_a_limit(opened):
    provider = Provider(endless)
    nango = opened(provider, pagination=ENDLESS)

    assert [{"id": 0}, {"id": 1}] == walked(nango, max_pages=2)
    assert [{"id": 0}, {"id": 1}, {"id": 2}] == walked(nango, limit=3)
    assert [{"id": 0}] == walked(nango, pagination={"max_pages": 1})
    assert 6 == len(provider.requests)


def test_a_walk_goes_on_from_each_of_its_positions(opened):
    provider = Provider(graphql)
    asked = {"method": "POST", "json": {"query": "...", "variables": {}}}
    nango = opened(provider, pagination=GRAPHQL)
    pages = nango.collect("pages", "it", "u1", "graphql", **asked)

    assert [1, 2, 3, 4] == [page.number for page in pages]
    assert [False, False, False, True] == [page.is_last for page in pages]
    assert None is pages[-1].position
    for number, page in enumerate(pages[:-1], start=1):
        assert BIRDS[2 * number :] == nango.collect(
            "paginate", "it", "u1", "graphql", position=page.position, **asked
        )
        assert "key-4f1c9a" not in page.position


def test_alternating_links_end_a_walk(opened):
    def answer(request):
        page = numbered(request)
        return httpx.Response(200, json={"birds": [{"id": page}], "next": f"?page={1 if page else 2}"})

    nango = opened(
        Provider(answer), pagination={"type": "link", "link_path_in_response_body": "next", "response_path": "birds"}
    )
    with pytest.raises(PaginationError, match="came before"):
        walked(nango)


def test_a_repeated_body_ends_a_walk(opened):
    provider = Provider(lambda _request: httpx.Response(200, json=BIRDS))
    nango = opened(provider, pagination={"type": "page", "page_name_in_request": "p"})
    with pytest.raises(PaginationError, match="the items are those of the page before"):
        walked(nango)

    assert 2 == len(provider.requests)


def test_a_body_that_repeats_under_ever_new_cursors_ends_a_walk(opened):
    provider = Provider(
        lambda _request: httpx.Response(200, json=BIRDS, headers={"X-Next": str(len(provider.requests))})
    )
    keys = {"type": "cursor", "cursor_name_in_request": "from", "cursor_header_in_response": "X-Next"}
    nango = opened(provider, pagination=keys)
    with pytest.raises(PaginationError, match="11 pages in a row held the same items"):
        walked(nango)

    assert 11 == len(provider.requests)


def test_a_few_pages_alike_are_no_circle(opened):
    def answer(request):
        page = numbered(request, "from")
        return httpx.Response(200, json=[{"colour": "red"}], headers={"X-Next": str(page + 2)} if page < 9 else {})

    keys = {"type": "cursor", "cursor_name_in_request": "from", "cursor_header_in_response": "X-Next"}

    assert [{"colour": "red"}] * 10 == walked(opened(Provider(answer), pagination=keys))


def test_empty_pages_are_followed_and_bounded(opened):
    def answer(request):
        page = numbered(request, "from")
        birds = BIRDS if page == 5 else []
        return httpx.Response(200, json=birds, headers={"X-Next": str(page + 2)})

    provider = Provider(answer)
    keys = {"type": "cursor", "cursor_name_in_request": "from", "cursor_header_in_response": "X-Next"}
    nango = opened(provider, pagination=keys)
    with pytest.raises(PaginationError, match="11 pages in a row were empty"):
        walked(nango)

    assert 6 + 11 == len(provider.requests)


# Refusals


def test_a_list_without_any_declaration_says_what_to_declare(opened):
    """P15."""
    nango = opened(Provider(endless))
    with pytest.raises(UsageError, match="declares no pagination"):
        walked(nango)


def test_an_incomplete_declaration_of_a_call_is_refused(opened):
    """P21."""
    nango = opened(Provider(endless))
    with pytest.raises(UsageError, match="cursor pagination needs the parameter"):
        walked(nango, pagination={"type": "cursor"})


def foreign(request):
    is_first = "page" not in request.url.params
    return httpx.Response(
        200, json={"birds": BIRDS[:1], "next": "https://evil.test/v1/birds?page=2" if is_first else None}
    )


FOREIGN = {"type": "link", "link_path_in_response_body": "next", "response_path": "birds"}


def test_a_link_to_another_origin_is_refused(opened):
    """P20."""
    provider = Provider(foreign)
    nango = opened(provider, pagination=FOREIGN)
    with pytest.raises(ForeignOriginError, match="allowed_origins"):
        walked(nango)

    assert ["api.birds.test"] == [request.url.host for request in provider.requests]


def test_a_link_to_an_allowed_origin_is_followed(opened):
    """P20."""
    provider = Provider(foreign)
    requests = {"base_url": BASE, "allowed_origins": ["https://evil.test"]}

    assert BIRDS[:1] * 2 == walked(opened(provider, requests=requests, pagination=FOREIGN))
    assert ["api.birds.test", "evil.test"] == [request.url.host for request in provider.requests]
