"""Actions of several requests in a row, and of one for each item of a list."""

from __future__ import annotations

import json
import threading

import anyio
import httpx
import pytest

from nango_py import AsyncNango, DeadlineError, InputError, MissingScopes, Nango, OutputError, ResponseError
from nango_py.declare import load
from nango_py.testing import ManualClock

OWNERS = {None: {"data": [{"id": 1}, {"id": 2}], "next": "b"}, "b": {"data": [{"id": 3}], "next": None}}
PAGINATION = {
    "type": "cursor",
    "cursor_name_in_request": "after",
    "cursor_path_in_response": "next",
    "response_path": "data",
}


class Provider:
    """Owners in two pages, each with a list of tickets."""

    def __init__(self, **answers):
        self.answers = answers
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        path = request.url.path.removeprefix("/")
        if path in self.answers:
            status, body = self.answers[path]
            return httpx.Response(status, json=body)
        if path == "owners":
            return httpx.Response(200, json=OWNERS[request.url.params.get("after")])
        if path == "me":
            return httpx.Response(200, json={"id": "u/1", "team": None})
        return httpx.Response(200, json={"path": path, "query": dict(request.url.params)})

    @property
    def paths(self):
        return [request.url.path for request in self.requests]


def keys_of(actions, **keys):
    return {
        "acme": {
            "auth": {"auth_mode": "API_KEY", "placement": "header", "name": "X-Key"},
            "requests": {"base_url": "https://api.acme.test/"},
            "pagination": PAGINATION,
            "actions": actions,
            **keys,
        }
    }


def sync(provider, actions, run, **keys):
    clock = keys.pop("clock", None) or ManualClock()
    with Nango.load(
        {"integrations": keys_of(actions, **keys)},
        store="memory://",
        environ={},
        clock=clock,
        transport=httpx.MockTransport(provider),
    ) as nango:
        assert () == nango.problems
        nango.register_connection("acme", "u", {"api_key": "k_topsecret"})
        return run(nango)


def trigger(provider, action, given=None, *, options=None, **keys):
    return sync(
        provider, {"it": action}, lambda n: n.trigger_action("acme", "it", "u", given, **options or {}), **keys
    )


OWNERS_STEP = {"name": "owners", "request": {"path": "owners"}, "paginate": True}
TICKETS_STEP = {
    "name": "tickets",
    "for_each": "${steps.owners}",
    "concurrency": 2,
    "request": {"path": "owners/${item.id}/tickets", "params": {"nr": "${index}"}},
    "output": {"map": {"owner": "${parent.id}", "nr": "${index}", "path": "${item.path}"}},
}
CHILDREN = {"steps": [OWNERS_STEP, TICKETS_STEP]}
ALL_CHILDREN = [{"owner": n, "nr": n - 1, "path": f"owners/{n}/tickets"} for n in (1, 2, 3)]


def test_a_step_sees_those_before_it():
    action = {
        "input": {"type": "object", "properties": {"text": {"type": "string"}}},
        "steps": [
            {"name": "me", "request": {"path": "me"}},
            {
                "name": "note",
                "request": {
                    "method": "POST",
                    "path": "users/${steps.me.id}/notes",
                    "json": {"text": "${input.text}", "team": "${steps.me.team}"},
                },
            },
        ],
    }
    provider = Provider()
    assert {"path": "users/u/1/notes", "query": {}} == trigger(provider, action, {"text": "Hi"})
    assert ["/me", "/users/u/1/notes"] == provider.paths
    assert b"/users/u%2F1/notes" == provider.requests[1].url.raw_path
    assert {"text": "Hi"} == json.loads(provider.requests[1].content)


def test_a_step_reads_its_whole_list_and_each_item_gets_a_request():
    provider = Provider()
    assert ALL_CHILDREN == trigger(provider, CHILDREN)
    assert ["/owners", "/owners"] == provider.paths[:2]
    assert [f"/owners/{n}/tickets" for n in (1, 2, 3)] == sorted(provider.paths[2:])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_same_beside_both_event_loops(backend):
    async def main():
        nango = AsyncNango.load(
            {"integrations": keys_of({"it": CHILDREN})},
            store="memory://",
            environ={},
            transport=httpx.MockTransport(Provider()),
        )
        async with nango:
            await nango.register_connection("acme", "u", {"api_key": "k_topsecret"})
            return await nango.trigger_action("acme", "it", "u")

    assert ALL_CHILDREN == anyio.run(main, backend=backend)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"value": "[0].path"}, "owners/1/tickets"),
        ({"value": "[].nr"}, [0, 1, 2]),
        ({"map": {"first": "${steps.owners[0].id}", "all": "${item}"}}, {"first": 1, "all": ALL_CHILDREN}),
        ({"schema": {"type": "array", "minItems": 3}}, ALL_CHILDREN),
    ],
)
def test_the_output_may_be_made_of_all_steps(output, expected):
    assert expected == trigger(Provider(), {**CHILDREN, "output": output})


def test_a_broken_promise_about_the_whole_is_an_error():
    with pytest.raises(OutputError, match="at most 2"):
        trigger(Provider(), {**CHILDREN, "output": {"schema": {"type": "array", "maxItems": 2}}})


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("${input.really}", ["/me", "/more"]),
        ("${steps.me.team}", ["/me"]),
        ("${input.missing}", ["/me"]),
        ("${steps.me.id == 'other'}", ["/me"]),
        ("${steps.me.id}", ["/me", "/more"]),
    ],
)
def test_a_step_is_left_out_when_its_when_is_empty(when, expected):
    provider = Provider()
    steps = [{"name": "me", "request": {"path": "me"}}, {"name": "more", "when": when, "request": {"path": "more"}}]
    output = trigger(provider, {"input": {"type": "object"}, "steps": steps}, {"really": True})
    assert expected == provider.paths
    assert (None if len(expected) == 1 else {"path": "more", "query": {}}) == output


def test_when_chooses_among_items_and_leaves_null_in_their_places():
    action = {"steps": [OWNERS_STEP, {**TICKETS_STEP, "when": "${item.id != 2}"}]}
    assert [ALL_CHILDREN[0], None, ALL_CHILDREN[2]] == trigger(Provider(), action)


def test_nothing_to_do_for_each_of_nothing():
    action = {
        "steps": [
            {"name": "me", "request": {"path": "me"}},
            {"name": "teams", "for_each": "${steps.me.team}", "request": {"path": "teams/${item}"}},
        ]
    }
    provider = Provider()
    assert [] == trigger(provider, action)
    assert ["/me"] == provider.paths


def test_for_each_of_what_is_no_list_is_an_error_with_the_step():
    action = {
        "steps": [
            {"name": "me", "request": {"path": "me"}},
            {"name": "ids", "for_each": "${steps.me.id}", "request": {"path": "x/${item}"}},
        ]
    }
    with pytest.raises(OutputError, match="step 'ids': for_each is no list, but str"):
        trigger(Provider(), action)


def test_a_failure_names_the_step_and_the_item_and_ends_the_rest():
    provider = Provider(**{"owners/1/tickets": (400, {"error": "broken"})})
    action = {"steps": [OWNERS_STEP, {**TICKETS_STEP, "concurrency": 1}]}
    with pytest.raises(ResponseError) as caught:
        trigger(provider, action)
    assert str(caught.value).startswith(
        "integration 'acme', action 'it', step 'tickets', item 1 of 3: GET https://api.acme.test/owners/1/tickets"
    )
    assert ("tickets", 0) == (caught.value.step, caught.value.index)
    assert ["/owners", "/owners", "/owners/1/tickets"] == provider.paths


def test_an_input_that_is_missing_in_a_step_names_the_step():
    steps = [{"name": "one", "request": {"path": "x/${input.id}"}}]
    with pytest.raises(InputError, match=r"action 'it', step 'one': path: \$\{input.id\} has no value"):
        trigger(Provider(), {"input": {"type": "object"}, "steps": steps})


OTHERS = {
    "tickets-of": {
        "input": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
        "request": {"path": "owners/${input.id}/tickets"},
        "output": {"value": "path"},
    },
    "owners": {"request": {"path": "owners"}, "paginate": True},
}


def test_a_step_may_be_another_action():
    action = {
        "steps": [
            {"name": "owners", "action": "owners"},
            {"name": "paths", "for_each": "${steps.owners}", "action": "tickets-of", "input": {"id": "${item.id}"}},
        ]
    }
    output = sync(Provider(), {"it": action, **OTHERS}, lambda n: n.trigger_action("acme", "it", "u"))
    assert [f"owners/{n}/tickets" for n in (1, 2, 3)] == output


def test_the_input_of_another_action_is_checked_as_ever():
    action = {
        "input": {"type": "object"},
        "steps": [{"name": "path", "action": "tickets-of", "input": {"id": "${input.id}"}}],
    }
    provider = Provider()
    with pytest.raises(InputError, match=r"action 'tickets-of' \(step 'path' of action 'it'\).*/id"):
        sync(provider, {"it": action, **OTHERS}, lambda n: n.trigger_action("acme", "it", "u", {"id": "x"}))
    assert [] == provider.paths


def test_gatherings_in_gatherings_keep_their_order():
    action = {"steps": [{"name": "all", "for_each": "${['a', 'b', 'c']}", "concurrency": 9, "action": "children"}]}
    output = sync(Provider(), {"it": action, "children": CHILDREN}, lambda n: n.trigger_action("acme", "it", "u"))
    assert [ALL_CHILDREN] * 3 == output


LIST = {"steps": [{"name": "me", "request": {"path": "me"}}, OWNERS_STEP]}
IDS = [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.parametrize(
    "action",
    [LIST, {"steps": [{"name": "owners", "action": "owners"}]}, {"steps": [{"name": "x", "action": "list"}]}],
)
def test_an_action_that_ends_with_a_list_is_that_list(action):
    provider = Provider()
    actions = {"it": action, **OTHERS, "list": LIST}
    sync(provider, actions, lambda n: [n.trigger_action("acme", "it", "u", {"limit": 2, "page_size": 7})])
    assert 1 == provider.paths.count("/owners")
    assert IDS == sync(Provider(), actions, lambda n: n.trigger_action("acme", "it", "u"))
    assert IDS[:2] == sync(Provider(), actions, lambda n: n.trigger_action("acme", "it", "u", {"limit": 2}))
    assert IDS == sync(Provider(), actions, lambda n: list(n.stream_action("acme", "it", "u")))


def test_a_streamed_list_is_read_no_further_than_it_is_asked_for():
    provider = Provider()

    def first(nango):
        stream = nango.stream_action("acme", "it", "u")
        item = next(stream)
        stream.close()
        return item

    assert {"id": 1} == sync(provider, {"it": LIST}, first)
    assert ["/me", "/owners"] == provider.paths


def test_what_ends_with_no_list_streams_its_output():
    assert [ALL_CHILDREN] == sync(Provider(), {"it": CHILDREN}, lambda n: list(n.stream_action("acme", "it", "u")))


def test_the_inputs_of_lists_are_ordinary_ones_where_the_output_is_none():
    action = {
        "input": {"type": "object", "properties": {"limit": {"type": "integer"}}},
        "steps": [OWNERS_STEP, {"name": "last", "request": {"path": "last", "params": {"max": "${input.limit}"}}}],
    }
    provider = Provider()
    assert {"path": "last", "query": {"max": "1"}} == trigger(provider, action, {"limit": 1})
    assert ["/owners", "/owners", "/last"] == provider.paths


def test_each_request_gets_an_idempotency_key_of_its_own():
    post = {"method": "POST", "path": "things"}
    action = {
        "steps": [
            {"name": "first", "request": post},
            {"name": "each", "for_each": "${['a', 'b']}", "request": post, "concurrency": 1},
        ]
    }
    provider = Provider()
    trigger(provider, action, options={"idempotency_key": "key"}, retry={"idempotency_key": "Idempotency-Key"})
    assert ["key-first", "key-each-0", "key-each-1"] == [r.headers["Idempotency-Key"] for r in provider.requests]


def test_the_deadline_is_for_all_steps():
    clock = ManualClock()

    def provider(request):
        clock.sleep(4)
        return httpx.Response(200, json={})

    steps = [{"name": name, "request": {"path": name}} for name in ("one", "two", "three")]
    with pytest.raises(DeadlineError) as caught:
        trigger(provider, {"steps": steps}, options={"deadline": 6}, clock=clock)
    assert "three" == caught.value.step


def test_limits_hold_for_all_children():
    clock = ManualClock()
    trigger(Provider(), CHILDREN, clock=clock, rate_limit=[{"limit": 1, "per": 10}])
    assert 40 <= sum(clock.slept) + 0.001


def test_children_go_out_together_but_no_more_than_allowed():
    lock, together = threading.Lock(), threading.Barrier(2)
    now = most = 0

    def provider(request):
        nonlocal now, most
        if request.url.path == "/owners":
            return httpx.Response(200, json={"data": [{"id": n} for n in range(8)], "next": None})
        with lock:
            now += 1
            most = max(most, now)
        together.wait()  # nobody goes on alone
        with lock:
            now -= 1
        return httpx.Response(200, json={"path": "x"})

    trigger(provider, CHILDREN)
    assert 2 == most


def test_scopes_of_all_steps_are_asked_for_before_anything_is_sent():
    provider = Provider()
    steps = [
        {"name": "one", "request": {"path": "one"}},
        {"name": "two", "request": {"path": "two"}, "requires_scopes": ["tickets:read"]},
    ]
    source = keys_of({"it": {"steps": steps}})
    source["acme"]["auth"] = {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://acme.test/authorize",
        "token_url": "https://acme.test/token",
    }
    source["acme"] |= {"oauth_client_id": "id", "oauth_client_secret": "secret"}
    with Nango.load(
        {"integrations": source}, store="memory://", environ={}, transport=httpx.MockTransport(provider)
    ) as nango:
        assert () == nango.problems
        nango.register_connection("acme", "u", {"access_token": "t", "scope": "owners:read"})
        with pytest.raises(MissingScopes, match="tickets:read"):
            nango.trigger_action("acme", "it", "u")
    assert [] == provider.paths


def test_whoever_listens_hears_of_each_step():
    events = []
    steps = [OWNERS_STEP, {"name": "no", "when": "${false}", "request": {"path": "no"}}]
    trigger(Provider(), {"steps": steps}, options={"on_event": events.append})
    assert [("owners", False), ("no", True)] == [
        (event.step, event.is_skipped) for event in events if type(event).__name__ == "StepDone"
    ]


FILE = """\
integrations:
  acme:
    auth: {auth_mode: NONE}
    requests: {base_url: "https://api.acme.test/"}
    actions:
      other: {request: {path: other}}
      it:
"""


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("steps: [{name: a, request: {path: 'x/${steps.b}'}}, {name: b, request: {path: x}}]", "8:43", "steps.b"),
        ("steps: [{name: a, request: {path: 'x/${steps.a}'}}]", "8:43", "A step sees those before it"),
        ("steps: [{name: a, for_each: '${item}', request: {path: x}}]", "8:37", "item"),
        ("steps: [{name: a, request: {path: 'x/${item.id}'}}]", "8:43", "item.id"),
        ("steps: [{name: a, when: '${access_token}', request: {path: x}}]", "8:33", "access_token"),
        ("steps: [{name: a, action: othr}]", "8:35", "Did you mean 'other'"),
        ("steps: [{name: a, action: it}]", "8:16", "it -> it"),
        ("steps: [{name: a, action: other, request: {path: x}}]", "8:17", "one of the two"),
        ("steps: [{name: a}]", "8:17", "a request, or the name of another action"),
        ("steps: [{name: a, action: other, paginate: true}]", "8:42", "about one request"),
        ("steps: [{name: a, request: {path: x}, input: {b: 1}}]", "8:47", "only a step that is another action"),
        ("steps: [{name: a, request: {path: x}}, {name: a, request: {path: x}}]", "8:55", "called 'a', too"),
        ("steps: [{name: a-b, request: {path: x}}]", "8:24", "pattern"),
        ("steps: [{name: a, request: {path: x}, concurrency: 3}]", "8:47", "no for_each"),
        ("steps: [{name: a, for_each: '${[1]}', request: {path: x}, concurrency: 0}]", "8:", "at least 1"),
        ("steps: [{name: a, request: {path: x}, retri: {}}]", "8:47", "Did you mean 'retry'"),
        ("steps: [{request: {path: x}}]", "8:17", "lacks 'name'"),
        ("steps: []", "8:16", "at least 1"),
        ("steps: [{name: a, request: {path: x}}]\n        paginate: true", "9:9", "about one request"),
        ("steps: [{name: a, request: {path: x}}]\n        output: {items: x}", "9:18", "about one request"),
        ("steps: [{name: a, request: {path: x}}]\n        request: {path: x}", "7:7", "not both"),
        ("description: nothing", "7:7", "lacks 'request' or 'steps'"),
        (
            "steps: [{name: a, request: {path: x}, output: {download: true}}, {name: b, request: {path: x}}]",
            "8:17",
            "no later step could read a download",
        ),
    ],
)
def test_what_cannot_work_is_a_problem_at_load(tmp_path, text, place, words):
    path = tmp_path / "integrations.yaml"
    path.write_text(f"{FILE}        {text}\n", "utf-8")
    found = [str(problem) for problem in load(path, environ={}).problems]
    assert [f"{path}:{place}", words] == [
        part if any(part in problem for problem in found) else found for part in (f"{path}:{place}", words)
    ]


def test_actions_that_are_steps_of_each_other_are_a_problem(tmp_path):
    path = tmp_path / "integrations.yaml"
    text = "steps: [{name: a, action: back}]\n      back: {steps: [{name: b, action: it}]}"
    path.write_text(f"{FILE}        {text}\n", "utf-8")
    found = [str(problem) for problem in load(path, environ={}).problems]
    assert any("it -> back -> it" in problem for problem in found)


def test_explain_shows_the_request_of_each_step():
    from nango_py.exchange.explained import explain_request

    steps = [
        OWNERS_STEP,
        {"name": "paths", "for_each": "${steps.owners}", "action": "tickets-of", "input": {"id": "${item.id}"}},
    ]
    found = load({"integrations": keys_of({"it": {"steps": steps}, **OTHERS})}, environ={}).integrations["acme"]
    rows = [(what, value) for what, value, _ in explain_request(found, "it", None)]
    assert [
        ("step owners: method", "GET"),
        ("step owners: base_url", "https://api.acme.test/"),
        ("step owners: path", "owners"),
        ("step owners: header X-Key", "<api_key>"),
        ("step owners: pagination", "cursor"),
        ("step paths: for_each", "<steps.owners>"),
        ("step paths: action", "tickets-of"),
        ("step paths: input id", "<item.id>"),
        ("step paths: method", "GET"),
        ("step paths: base_url", "https://api.acme.test/"),
        ("step paths: path", "owners/<input.id>/tickets"),
        ("step paths: header X-Key", "<api_key>"),
    ] == rows
