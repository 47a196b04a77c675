"""The actions of blueprints/close.yaml against Close as https://developer.close.com/ describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError, InputError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

CLOSE = Account(blueprint="close:v0", credentials={"username": "api_key", "password": ""})
API = "https://api.close.com/api/v1/"
LEAD = {"id": "lead_1", "display_name": "Bluth Company", "status_id": "stat_1", "contacts": [{"id": "cont_1"}]}
CONTACT = {
    "id": "cont_1",
    "lead_id": "lead_1",
    "name": "John Smith",
    "title": None,
    "emails": [{"email": "john@example.com", "type": "office", "is_unsubscribed": False}],
    "phones": [],
}
OPPORTUNITY = {
    "id": "oppo_1",
    "lead_id": "lead_1",
    "lead_name": None,
    "status_id": "stat_2",
    "status_label": "Active",
    "status_type": "active",
    "value": 50000,
    "value_period": "monthly",
    "confidence": 90,
    "date_won": None,
    "note": None,
}
NOTE = {"_type": "Note", "id": "acti_1", "lead_id": "lead_1", "note": "Hello", "title": None}
TASK = {
    "_type": "lead",
    "id": "task_1",
    "lead_id": "lead_1",
    "text": "Call back",
    "date": "2026-12-01",
    "assigned_to": "user_1",
    "is_complete": False,
}
USER = {"id": "user_1", "email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"}


def leads(sent):
    first = [{"id": f"lead_{number}", "display_name": None} for number in range(100)]
    page = {"0": (first, True), "100": ([LEAD], False)}[sent.query["_skip"]]
    return json_answer({"data": page[0], "has_more": page[1]})(sent)


def close():
    return Provider(
        headers={"Authorization": "Basic YXBpX2tleTo=", "Accept": "application/json"},
        refused=json_answer({"error": "The server could not verify that you are authorized."}, 401),
        unknown=json_answer({"error": "Object doesn't exist."}, 404),
        answers={
            f"GET {API}lead/": leads,
            f"GET {API}lead/lead_1/": json_answer(LEAD),
            f"POST {API}lead/": json_answer(LEAD),
            f"PUT {API}lead/lead_1/": json_answer(LEAD),
            f"DELETE {API}lead/lead_1/": json_answer({}),
            f"POST {API}contact/": json_answer(CONTACT),
            f"GET {API}opportunity/": json_answer({"data": [OPPORTUNITY], "has_more": False, "total_results": 1}),
            f"POST {API}opportunity/": json_answer(OPPORTUNITY),
            f"POST {API}activity/note/": json_answer(NOTE),
            f"GET {API}task/": json_answer({"data": [TASK], "has_more": False}),
            f"POST {API}task/": json_answer(TASK),
            f"GET {API}me/": json_answer(USER),
        },
    )


CASES = {
    "list-leads": Case(
        {"query": 'status:"Potential"'},
        [
            Sent(f"GET {API}lead/", {"query": 'status:"Potential"', "_skip": "0", "_limit": "100"}),
            Sent(f"GET {API}lead/", {"query": 'status:"Potential"', "_skip": "100", "_limit": "100"}),
        ],
        [
            *({"id": f"lead_{number}", "name": None} for number in range(100)),
            {"id": "lead_1", "name": "Bluth Company"},
        ],
    ),
    "get-lead": Case({"id": "lead_1"}, Sent(f"GET {API}lead/lead_1/"), LEAD),
    "create-lead": Case(
        {"name": "Bluth Company", "contacts": [{"name": "Gob", "emails": [{"email": "gob@example.com"}]}]},
        Sent(
            f"POST {API}lead/",
            body={
                "name": "Bluth Company",
                "contacts": [{"name": "Gob", "emails": [{"email": "gob@example.com"}]}],
            },
        ),
        LEAD,
    ),
    "update-lead": Case(
        {"id": "lead_1", "status_id": "stat_1"},
        Sent(f"PUT {API}lead/lead_1/", body={"status_id": "stat_1"}),
        LEAD,
    ),
    "delete-lead": Case({"id": "lead_1"}, Sent(f"DELETE {API}lead/lead_1/"), {"id": "lead_1"}),
    "create-contact": Case(
        {"lead_id": "lead_1", "name": "John Smith", "emails": [{"email": "john@example.com", "type": "office"}]},
        Sent(
            f"POST {API}contact/",
            body={
                "lead_id": "lead_1",
                "name": "John Smith",
                "emails": [{"email": "john@example.com", "type": "office"}],
            },
        ),
        CONTACT,
    ),
    "list-opportunities": Case(
        {"status_type": ["active", "won"], "order_by": "-date_won"},
        Sent(
            f"GET {API}opportunity/",
            {"status_type__in": "active,won", "_order_by": "-date_won", "_skip": "0", "_limit": "100"},
        ),
        [{name: value for name, value in OPPORTUNITY.items() if name not in {"lead_name", "note"}}],
    ),
    "create-opportunity": Case(
        {"lead_id": "lead_1", "value": 50000, "value_period": "monthly", "confidence": 90},
        Sent(
            f"POST {API}opportunity/",
            body={"lead_id": "lead_1", "value": 50000, "value_period": "monthly", "confidence": 90},
        ),
        OPPORTUNITY,
    ),
    "create-note": Case(
        {"lead_id": "lead_1", "note": "Hello"},
        Sent(f"POST {API}activity/note/", body={"lead_id": "lead_1", "note": "Hello"}),
        NOTE,
    ),
    "list-tasks": Case(
        {"lead_id": "lead_1", "is_complete": False, "types": ["lead", "missed_call"]},
        Sent(
            f"GET {API}task/",
            {
                "lead_id": "lead_1",
                "is_complete": "false",
                "_type__in": "lead,missed_call",
                "_skip": "0",
                "_limit": "100",
            },
        ),
        [{("type" if name == "_type" else name): value for name, value in TASK.items()}],
    ),
    "create-task": Case(
        {"lead_id": "lead_1", "text": "Call back", "date": "2026-12-01"},
        Sent(
            f"POST {API}task/",
            body={"_type": "lead", "lead_id": "lead_1", "text": "Call back", "date": "2026-12-01"},
        ),
        TASK,
    ),
    "me": Case({}, Sent(f"GET {API}me/"), USER),
}


def test_every_action_has_a_case():
    assert CLOSE.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_close_documents_and_gives_what_it_promises(action):
    provider = close()

    assert CASES[action].output == CLOSE.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_lead_that_is_not_there_is_an_error():
    with pytest.raises(ActionError, match="no lead lead_2") as caught:
        CLOSE.run(close(), "get-lead", {"id": "lead_2"})
    assert "not-found" == caught.value.name


def test_a_key_that_close_refuses_is_an_error_of_credentials():
    other = Account(blueprint="close:v0", credentials={"username": "another", "password": ""})

    with pytest.raises(AuthenticationError):
        other.run(close(), "me", {})


def test_an_update_of_nothing_is_not_sent():
    provider = close()

    with pytest.raises(InputError):
        CLOSE.run(provider, "update-lead", {"id": "lead_1"})
    assert [] == provider.sent
