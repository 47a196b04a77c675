"""The actions of blueprints/intercom.yaml against https://developers.intercom.com/docs/references/2.15/rest-api."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

APP = {"oauth_client_id": "1", "oauth_client_secret": "s"}
INTERCOM = Account(blueprint="intercom:v0", credentials={"access_token": "t1"}, integration=APP)
API = "https://api.intercom.io/"
ADMIN = {"type": "admin", "id": "25", "name": "Ann", "email": "ann@example.com", "app": None}
BOB = {"id": "c1", "role": "user", "name": "Bob", "email": "bob@example.com", "external_id": "7"}
EVE = {"id": "c2", "role": "lead", "name": None, "email": None, "external_id": None}
NOTE = {"type": "note", "id": "31", "body": "<p>Called back.</p>", "created_at": 1}
CONVERSATION = {
    "id": "41",
    "title": None,
    "state": "open",
    "source": {"body": "<p>Hi</p>", "author": {"type": "user", "id": "c1"}},
    "created_at": 1,
    "updated_at": 2,
}
KNOWN = {
    "id": "41",
    "title": None,
    "state": "open",
    "author": "c1",
    "body": "<p>Hi</p>",
    "created_at": 1,
    "updated_at": 2,
}
QUERY = {
    "operator": "OR",
    "value": [
        {"field": "email", "operator": "=", "value": "bob@example.com"},
        {"field": "role", "operator": "=", "value": "lead"},
    ],
}
MORE = {"type": "pages", "page": 1, "next": {"page": 2, "starting_after": "p2"}}


def two_pages(name, first, second):
    def answer(sent):
        asked = sent.query or sent.body["pagination"]
        if "starting_after" in asked:
            return json_answer({name: [second], "pages": {"type": "pages", "page": 2}})(sent)
        return json_answer({name: [first], "pages": MORE})(sent)

    return answer


def failed(code, message, status):
    return json_answer({"type": "error.list", "errors": [{"code": code, "message": message}]}, status)


TAKEN = "A contact matching those details already exists with id=c1"


def created(sent):
    if sent.body.get("email") == BOB["email"]:
        return failed("conflict", TAKEN, 409)(sent)
    return json_answer(EVE)(sent)


def intercom():
    return Provider(
        headers={"Authorization": "Bearer t1", "Intercom-Version": "2.15"},
        refused=failed("unauthorized", "Access Token Invalid", 401),
        unknown=failed("not_found", "Resource Not Found", 404),
        answers={
            f"GET {API}me": json_answer(ADMIN),
            f"GET {API}contacts": two_pages("data", BOB, EVE),
            f"POST {API}contacts": created,
            f"POST {API}contacts/search": two_pages("data", BOB, EVE),
            f"GET {API}contacts/c1": json_answer(BOB),
            f"PUT {API}contacts/c1": json_answer(BOB),
            f"POST {API}contacts/c1/notes": json_answer(NOTE),
            f"GET {API}conversations": two_pages(
                "conversations", CONVERSATION, {**CONVERSATION, "id": "42", "source": None}
            ),
            f"POST {API}conversations/41/reply": json_answer(CONVERSATION),
        },
    )


PAGES = ({"per_page": "150"}, {"per_page": "150", "starting_after": "p2"})
CASES = {
    "me": Case({}, Sent(f"GET {API}me"), ADMIN),
    "list-contacts": Case({}, [Sent(f"GET {API}contacts", page) for page in PAGES], [BOB, EVE]),
    "get-contact": Case({"id": "c1"}, Sent(f"GET {API}contacts/c1"), BOB),
    "add-contact-note": Case(
        {"contact_id": "c1", "body": "Called back.", "admin_id": "25"},
        Sent(f"POST {API}contacts/c1/notes", {}, {"body": "Called back.", "admin_id": "25"}),
        NOTE,
    ),
    "create-contact": Case(
        {"role": "lead", "custom_attributes": {"plan": "free"}},
        Sent(f"POST {API}contacts", {}, {"role": "lead", "custom_attributes": {"plan": "free"}}),
        EVE,
    ),
    "update-contact": Case(
        {"id": "c1", "name": "Bob", "phone": "+15550100"},
        Sent(f"PUT {API}contacts/c1", {}, {"name": "Bob", "phone": "+15550100"}),
        BOB,
    ),
    "find-contacts": Case(
        {"query": QUERY},
        [
            Sent(f"POST {API}contacts/search", {}, {"query": QUERY, "pagination": {"per_page": 150, **page}})
            for page in ({}, {"starting_after": "p2"})
        ],
        [BOB, EVE],
    ),
    "list-conversations": Case(
        {},
        [Sent(f"GET {API}conversations", page) for page in PAGES],
        [KNOWN, {**KNOWN, "id": "42", "author": None, "body": None}],
    ),
    "reply": Case(
        {"id": "41", "admin_id": "25", "body": "Hello"},
        Sent(
            f"POST {API}conversations/41/reply",
            {},
            {"type": "admin", "message_type": "comment", "admin_id": "25", "body": "Hello"},
        ),
        {"id": "41", "state": "open"},
    ),
}


def test_every_action_has_a_case():
    assert INTERCOM.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_intercom_documents_and_gives_what_it_promises(action):
    provider = intercom()

    assert CASES[action].output == INTERCOM.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


@pytest.mark.parametrize(
    ("action", "given", "missing"),
    [
        ("get-contact", {"id": "c404"}, "contact c404"),
        ("add-contact-note", {"contact_id": "c404", "body": "Hello"}, "contact c404"),
        ("update-contact", {"id": "c404", "name": "Bob"}, "contact c404"),
        ("reply", {"id": "404", "admin_id": "25", "body": "Hello"}, "conversation 404"),
    ],
)
def test_what_is_not_there_is_named(action, given, missing):
    with pytest.raises(ActionError, match=f"There is no {missing}") as caught:
        INTERCOM.run(intercom(), action, given)
    assert "not-found" == caught.value.name


def test_a_contact_that_is_there_already_is_named():
    with pytest.raises(ActionError, match=TAKEN) as caught:
        INTERCOM.run(intercom(), "create-contact", {"email": BOB["email"]})
    assert "already-exists" == caught.value.name


@pytest.mark.parametrize("action", ["me", "list-contacts", "find-contacts", "list-conversations"])
def test_an_action_is_refused_without_a_good_token(action):
    stranger = Account(blueprint=INTERCOM.blueprint, credentials={"access_token": "other"}, integration=APP)

    with pytest.raises(AuthenticationError, match="Access Token Invalid"):
        stranger.run(intercom(), action, CASES[action].given)
