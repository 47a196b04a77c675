"""The actions of blueprints/hubspot.yaml against HubSpot as https://developers.hubspot.com/docs describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError
from tests.catalogue.provider import Account, Case, Provider, Sent, empty, json_answer

HUBSPOT = Account(
    blueprint="hubspot:v0",
    credentials={"access_token": "t1"},
    integration={"oauth_client_id": "i", "oauth_client_secret": "s"},
)
API = "https://api.hubapi.com/crm/objects/2026-03/"
TIMES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-02T00:00:00.000Z", "archived": False}
CONTACT = {"id": "51", "properties": {"email": "ann@example.com", "firstname": "Ann", "lastname": None}, **TIMES}
COMPANY = {"id": "61", "properties": {"name": "Acme", "domain": "acme.test"}, **TIMES}
DEAL = {"id": "71", "properties": {"dealname": "Ten anvils", "amount": "100"}, **TIMES}
NOTE = {"id": "81", "properties": {"hs_note_body": "Called"}, **TIMES}
FILTERS = [{"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "*@example.com"}]


def renamed(item):
    return {
        "id": item["id"],
        "properties": item["properties"],
        "created_at": item["createdAt"],
        "updated_at": item["updatedAt"],
        "archived": item["archived"],
    }


def found(sent):
    if "after" not in sent.body:
        return json_answer({"total": 2, "results": [CONTACT], "paging": {"next": {"after": "1"}}})(sent)
    return json_answer({"total": 2, "results": [{**CONTACT, "id": "52"}]})(sent)


def hubspot():
    missing = {
        "status": "error",
        "message": "resource not found",
        "correlationId": "c",
        "category": "OBJECT_NOT_FOUND",
    }
    return Provider(
        headers={"Authorization": "Bearer t1"},
        refused=json_answer({"status": "error", "message": "expired", "category": "EXPIRED_AUTHENTICATION"}, 401),
        unknown=json_answer(missing, 404),
        answers={
            "GET https://api.hubapi.com/crm/properties/2026-03/contacts": json_answer(
                {"results": [{"name": "email"}, {"name": "phone"}]}
            ),
            f"GET {API}contacts": json_answer({"results": [CONTACT]}),
            f"POST {API}contacts/search": found,
            f"GET {API}contacts/ann%40example.com": json_answer(CONTACT),
            f"POST {API}contacts": json_answer(CONTACT, 201),
            f"PATCH {API}contacts/51": json_answer(CONTACT),
            f"DELETE {API}contacts/51": empty(204),
            f"POST {API}notes": json_answer(NOTE, 201),
            f"POST {API}companies": json_answer(COMPANY, 201),
            f"GET {API}deals": json_answer({"results": [DEAL]}),
            f"POST {API}deals": json_answer(DEAL, 201),
            f"PATCH {API}deals/71": json_answer(DEAL),
        },
    )


CASES = {
    "list-contacts": Case(
        {"properties": ["email", "phone"], "archived": False},
        Sent(f"GET {API}contacts", {"properties": "email,phone", "archived": "false", "limit": "100"}),
        [renamed(CONTACT)],
    ),
    "get-all-contacts": Case(
        {},
        [
            Sent("GET https://api.hubapi.com/crm/properties/2026-03/contacts"),
            Sent(f"GET {API}contacts", {"properties": "email,phone", "limit": "100"}),
        ],
        [CONTACT],
    ),
    "search-contacts": Case(
        {"filters": FILTERS, "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}]},
        [
            Sent(
                f"POST {API}contacts/search",
                body={
                    "filterGroups": [{"filters": FILTERS}],
                    "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}],
                    "limit": 100,
                    **cursor,
                },
            )
            for cursor in ({}, {"after": "1"})
        ],
        [renamed(CONTACT), renamed({**CONTACT, "id": "52"})],
    ),
    "get-contact": Case(
        {"id": "ann@example.com", "id_property": "email", "properties": ["email"]},
        Sent(f"GET {API}contacts/ann%40example.com", {"idProperty": "email", "properties": "email"}),
        CONTACT,
    ),
    "create-contact": Case(
        {"email": "ann@example.com", "firstname": "Ann"},
        Sent(f"POST {API}contacts", body={"properties": {"email": "ann@example.com", "firstname": "Ann"}}),
        CONTACT,
    ),
    "update-contact": Case(
        {"id": "51", "properties": {"lastname": "Lee", "phone": ""}},
        Sent(f"PATCH {API}contacts/51", body={"properties": {"lastname": "Lee", "phone": ""}}),
        CONTACT,
    ),
    "delete-contact": Case({"id": "51"}, Sent(f"DELETE {API}contacts/51"), {"id": "51"}),
    "add-contact-note": Case(
        {"contact_id": "51", "body": "Called", "timestamp": "2026-01-01T00:00:00Z"},
        Sent(
            f"POST {API}notes",
            body={
                "properties": {"hs_timestamp": "2026-01-01T00:00:00Z", "hs_note_body": "Called"},
                "associations": [
                    {
                        "to": {"id": "51"},
                        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}],
                    }
                ],
            },
        ),
        NOTE,
    ),
    "create-company": Case(
        {"name": "Acme", "domain": "acme.test"},
        Sent(f"POST {API}companies", body={"properties": {"name": "Acme", "domain": "acme.test"}}),
        COMPANY,
    ),
    "list-deals": Case(
        {"properties": ["dealname", "amount"]},
        Sent(f"GET {API}deals", {"properties": "dealname,amount", "limit": "100"}),
        [renamed(DEAL)],
    ),
    "create-deal": Case(
        {"name": "Ten anvils", "pipeline": "default", "stage": "contractsent", "amount": 100, "contact_id": "51"},
        Sent(
            f"POST {API}deals",
            body={
                "properties": {
                    "dealname": "Ten anvils",
                    "pipeline": "default",
                    "dealstage": "contractsent",
                    "amount": "100",
                },
                "associations": [
                    {
                        "to": {"id": "51"},
                        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
                    }
                ],
            },
        ),
        DEAL,
    ),
    "update-deal": Case(
        {"id": "71", "properties": {"dealstage": "closedwon"}},
        Sent(f"PATCH {API}deals/71", body={"properties": {"dealstage": "closedwon"}}),
        DEAL,
    ),
}


def test_every_action_has_a_case():
    assert HUBSPOT.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_hubspot_documents_and_gives_what_it_promises(action):
    provider = hubspot()

    assert CASES[action].output == HUBSPOT.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_search_for_a_word_sends_no_filters():
    provider = hubspot()

    HUBSPOT.run(provider, "search-contacts", {"query": "ann", "limit": 1})

    assert [Sent(f"POST {API}contacts/search", body={"query": "ann", "limit": 1})] == provider.sent


def test_a_contact_that_is_not_there_is_an_error():
    with pytest.raises(ActionError, match="no contact 404") as caught:
        HUBSPOT.run(hubspot(), "get-contact", {"id": "404"})
    assert "not-found" == caught.value.name


def test_a_contact_that_is_there_already_is_an_error_with_hubspots_words():
    provider = hubspot()
    conflict = {"status": "error", "message": "Contact already exists. Existing ID: 51", "category": "CONFLICT"}
    provider.answers = {f"POST {API}contacts": json_answer(conflict, 409)}

    with pytest.raises(ActionError, match="Existing ID: 51") as caught:
        HUBSPOT.run(provider, "create-contact", {"email": "ann@example.com"})
    assert "already-exists" == caught.value.name


def test_a_token_that_hubspot_refuses_is_an_error_of_credentials():
    other = Account(blueprint="hubspot:v0", credentials={"access_token": "t2"}, integration=HUBSPOT.integration)

    with pytest.raises(AuthenticationError):
        other.run(hubspot(), "get-all-contacts", {})
