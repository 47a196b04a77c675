"""Errors that an action has names for."""

from __future__ import annotations

import copy
import pickle

import httpx
import pytest

from nango_py import ActionError, AuthenticationError, ResponseError
from nango_py.declare import load
from tests.exchange.scripted import KEY, Script, engine

ON_ERROR = [
    {"when": {"status": 404}, "name": "not-found", "message": "No ticket ${input.id}."},
    {"when": {"status": [409, "422"], "path": "code", "values": ["dup", "taken"]}, "name": "taken"},
    {"when": {"path": "error.code"}, "name": "refused", "message": "Acme says ${body.error.text} (${status})."},
    {"when": {"header": "X-Error", "value": "quota"}, "name": "quota"},
]


def caught(*answers, action=None, given=None, **keys):
    declared = {
        "input": {"type": "object", "properties": {"id": {"type": "string"}}},
        "request": {"path": "tickets"},
        "on_error": ON_ERROR,
        **(action or {}),
    }
    nango = engine(httpx.MockTransport(Script(*answers)), actions={"it": declared}, **keys)
    with pytest.raises(ResponseError) as error:
        nango.trigger_action("acme", "it", "u", {"id": "t-1"} if given is None else given)
    return error.value


@pytest.mark.parametrize(
    ("answer", "name", "text"),
    [
        ((404, {}, {}), "not-found", "No ticket t-1."),
        ((409, {}, {"code": "dup"}), "taken", '{"code":"dup"}'),
        ((422, {}, {"code": "taken"}), "taken", '{"code":"taken"}'),
        ((200, {}, {"error": {"code": 7, "text": "no"}}), "refused", "Acme says no (200)."),
        ((400, {}, {"error": {"code": 7, "text": "no"}}), "refused", "Acme says no (400)."),
        ((400, {}, {"error": {"code": 7}}), "refused", '{"error":{"code":7}}'),
        ((403, {"X-Error": "quota"}, {}), "quota", "{}"),
    ],
)
def test_an_answer_gets_the_first_name_whose_signs_it_bears(answer, name, text):
    error = caught(answer)
    assert (ActionError, name) == (type(error), error.name)
    assert f"integration 'acme', action 'it': {name}: {text}" == str(error)
    assert ("acme", "it", answer[0]) == (error.integration, error.action, error.response.status_code)
    assert 1 == len(error.attempts)


def test_an_answer_without_a_name_is_the_error_that_it_was():
    error = caught((409, {}, {"code": "other"}))
    assert ResponseError is type(error)


def test_a_message_that_cannot_be_filled_is_the_body():
    assert str(caught((404, {}, {"detail": "gone"}), given={})).endswith('not-found: {"detail":"gone"}')


def test_a_secret_never_gets_into_the_message():
    error = caught((400, {}, {"error": {"code": 1, "text": f"bad key {KEY}"}}))
    assert "Acme says bad key *** (400)." in str(error)
    assert KEY not in str(error)


def test_what_is_tried_again_gets_its_name_at_the_end():
    on_error = [{"when": {"status": "5xx"}, "name": "down"}]
    error = caught((503, {}, {}), action={"on_error": on_error}, retry={"max_attempts": 3})
    assert ("down", 3) == (error.name, len(error.attempts))


def test_a_name_comes_before_a_sign_of_success_and_a_reaction():
    ok = {"path": "ok", "value": True}
    error = caught(
        (200, {}, {"ok": False, "error": {"code": 1, "text": "x"}}),
        action={"ok": ok},
        retry={"reactions": [{"path": "ok", "value": False, "reaction": "fail"}]},
    )
    assert "refused" == error.name


def test_a_page_of_a_list_is_looked_at_too():
    pagination = {"type": "page", "page_name_in_request": "page", "response_path": "data"}
    error = caught((200, {}, {"data": [1]}), (404, {}, {}), action={"paginate": True}, pagination=pagination)
    assert "not-found" == error.name


def test_a_download_is_looked_at_before_it_is_handed_over():
    action = {"output": {"download": True}}
    assert "not-found" == caught((404, {}, {}), action=action).name
    assert "refused" == caught((200, {}, {"error": {"code": 1, "text": "x"}}), action=action).name


def test_an_answer_of_401_may_have_a_name():
    error = [{"when": {"status": 401}, "name": "locked"}]
    assert "locked" == caught((401, {}, {}), action={"on_error": error}).name
    assert not issubclass(ActionError, AuthenticationError)


def test_the_names_of_an_action_hold_for_its_steps_after_their_own():
    own = {"when": {"status": 404}, "name": "own"}
    steps = [{"name": "one", "request": {"path": "one"}, "on_error": [own]}]
    nango = engine(
        httpx.MockTransport(Script((404, {}, {}), (409, {}, {"code": "dup"}))),
        actions={"it": {"input": {"type": "object", "properties": {"id": {}}}, "steps": steps, "on_error": ON_ERROR}},
    )
    names = []
    for _ in range(2):
        with pytest.raises(ActionError) as error:
            nango.trigger_action("acme", "it", "u", {"id": "x"})
        names.append((error.value.name, error.value.step))
    assert [("own", "one"), ("taken", "one")] == names


@pytest.mark.parametrize("twin", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_the_name_travels_with_the_error(twin):
    error = twin(ActionError("text", name="not-found"))
    assert ("text", "not-found") == (str(error), error.name)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"when": {}, "name": "x"}, "needs a status, a path or a header"),
        ({"name": "x"}, "lacks 'when'"),
        ({"when": {"status": 404}}, "lacks 'name'"),
        ({"when": {"status": "4o4"}, "name": "x"}, "'4o4' is no status"),
        ({"when": {"status": 404}, "name": "Not Found"}, "pattern"),
        ({"when": {"stat": 404}, "name": "x"}, "Did you mean 'status'"),
        ({"when": {"status": 404}, "name": "x", "message": "${access_token}"}, "nobody provides ${access_token}"),
        ({"when": {"status": 404}, "name": "x", "message": "${credentials.api_key}"}, "nobody provides"),
    ],
)
def test_what_cannot_work_is_a_problem_at_load(entry, words):
    keys = {
        "auth": {"auth_mode": "NONE"},
        "requests": {"base_url": "https://api.acme.test/"},
        "actions": {"it": {"request": {"path": "x"}, "on_error": [entry]}},
    }
    found = [str(problem) for problem in load({"integrations": {"acme": keys}}, environ={}).problems]
    assert [words] == [words if any(words in problem for problem in found) else found]


GRAPHQL = {"request": {"graphql": {"query": "{a}"}, "path": "q", "method": "POST"}, "on_error": []}
OK = {"ok": {"path": "ok", "value": True, "message": "text"}, "on_error": []}
REFUSED = {"status": ["400"], "reaction": "fail", "message": "${body.text}"}


@pytest.mark.parametrize(
    ("status", "body", "keys"),
    [
        (404, str, {"action": {"on_error": []}}),
        (409, lambda text: {"code": "dup", "text": text}, {}),
        (400, lambda text: {"error": {"code": 1, "text": text}}, {}),
        (400, lambda text: {"text": text}, {"action": {"on_error": []}, "retry": {"reactions": [REFUSED]}}),
        (200, lambda text: {"errors": [{"message": text}]}, {"action": GRAPHQL}),
        (200, lambda text: {"ok": False, "text": text}, {"action": OK}),
    ],
    ids=["status", "name", "message", "reaction", "graphql", "ok"],
)
@pytest.mark.parametrize("place", [*range(250, 300, 10), *range(950, 1000, 10)])
def test_what_a_provider_says_is_cut_last_so_that_no_half_of_a_secret_is_left(status, body, keys, place):
    message = str(caught((status, {}, body("x" * place + KEY + "y" * 5000)), **keys))
    assert KEY[:4] not in message
    assert len(message) < 1200
