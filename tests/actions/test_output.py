"""What comes out: a selection, renamed, flattened, as promised."""

from __future__ import annotations

import tracemalloc

import httpx
import pytest

from nango_py import OutputError
from tests.actions.declared import Sent, load, run

BIRDS = {"birds": [{"name": "wren", "at": {"lat": 1.5, "tags": ["a"]}, "n": 2}, {"name": "tit", "at": {}, "n": 1}]}


def out(output, body=BIRDS, **action):
    sent = Sent(lambda _request: httpx.Response(200, json=body))
    return run({"request": {"path": "x"}, "output": output, **action}, sent=sent)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"value": "birds[0].name"}, "wren"),
        ({"value": "birds[?n > `1`].name | [0]"}, "wren"),
        ({"value": "sort_by(birds, &n)[].{who: name}"}, [{"who": "tit"}, {"who": "wren"}]),
        ({"value": "birds[0]", "flatten": True}, {"name": "wren", "at.lat": 1.5, "at.tags": ["a"], "n": 2}),
        ({"value": "birds[1]", "flatten": True}, {"name": "tit", "at": {}, "n": 1}),
        ({"value": "birds[0]", "map": {"who": "${item.name}", "up": {"a": "${item.at.lat}"}}, "flatten": True},
         {"who": "wren", "up.a": 1.5}),
        ({"value": "birds[1]", "map": {"who": "${item.name}", "lat": "${item.at.lat}"}}, {"who": "tit", "lat": None}),
        ({"flatten": True, "value": "birds[0].name"}, "wren"),
    ],
)  # fmt: skip
def test_value_is_selected_renamed_and_flattened(output, expected):
    assert expected == out(output)


def test_items_of_each_page_are_selected_by_jmespath():
    pagination = {"type": "link", "link_path_in_response_body": "next", "response_path": "birds"}
    output = {"items": "birds[?n > `1`]", "map": {"who": "${item.name}"}}
    assert [{"who": "wren"}] == out(output, paginate=pagination)


def test_schema_is_that_of_what_comes_out():
    schema = {"type": "object", "properties": {"at.lat": {"type": "string"}}}
    with pytest.raises(OutputError, match=r"/at\.lat: 'at\.lat' must be a text, not a number"):
        out({"value": "birds[0]", "flatten": True, "schema": schema})


def test_binary_in_an_output_schema_is_text_as_json_has_it():
    schema = {"type": "string", "format": "binary"}
    assert "wren" == out({"value": "birds[0].name", "schema": schema})


def test_streaming_holds_one_page():
    size, pages = 1000, 100

    def answer(request):
        page = int(request.url.params["page"])
        items = [{"id": page * size + number, "text": "x" * 100} for number in range(size if page <= pages else 0)]
        return httpx.Response(200, json={"items": items})

    class Forgetting(Sent):
        def __call__(self, request):
            return answer(request)

    walk = {"type": "page", "page_name_in_request": "page", "response_path": "items"}
    action = {
        "request": {"path": "x"},
        "paginate": walk,
        "output": {"map": {"id": "${item.id}", "text": "${item.text}"}},
    }
    with load(action, Forgetting()) as nango:
        count, first, peak = 0, 0, 0
        tracemalloc.start()
        for _ in nango.stream_action("birds", "act", "u"):
            count += 1
            if count == 3 * size:
                first = tracemalloc.get_traced_memory()[1]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size * pages == count
    # What three pages took is what a hundred take; all items at once would take thirty times as much.
    assert 2 * first > peak
