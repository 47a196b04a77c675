"""The actions of blueprints/google-calendar.yaml against https://developers.google.com/calendar/api/v3/reference."""

from __future__ import annotations

import pytest

from nango_py import ActionError
from tests.catalogue.provider import Account, Case, Provider, Sent, empty, json_answer

CALENDAR = Account(
    blueprint="google-calendar:v0",
    credentials={"access_token": "ya29.1"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://www.googleapis.com/calendar/v3/"
EVENTS = f"{API}calendars/primary/events"
ENTRY = {"id": "ann@example.com", "summary": "Ann", "primary": True, "accessRole": "owner"}
START, END = {"dateTime": "2026-11-24T12:00:00+01:00"}, {"dateTime": "2026-11-24T13:00:00+01:00"}
EVENT = {"id": "e1", "status": "confirmed", "summary": "Lunch", "start": START, "end": END}


def events(sent):
    if "pageToken" not in sent.query:
        # A page may be empty and still have a successor.
        return json_answer({"items": [], "nextPageToken": "p2"})(sent)
    return json_answer({"items": [EVENT]})(sent)


def google():
    return Provider(
        headers={"Authorization": "Bearer ya29.1"},
        refused=json_answer({"error": {"code": 401, "message": "Invalid Credentials"}}, 401),
        unknown=json_answer(
            {"error": {"code": 404, "message": "Not Found", "errors": [{"reason": "notFound"}]}}, 404
        ),
        answers={
            f"GET {API}users/me/calendarList": json_answer({"items": [ENTRY]}),
            f"GET {EVENTS}": events,
            f"POST {EVENTS}": json_answer(EVENT),
            f"GET {EVENTS}/e1": json_answer(EVENT),
            f"PATCH {EVENTS}/e1": json_answer(EVENT),
            f"DELETE {EVENTS}/e1": empty(204),
        },
    )


CASES = {
    "list-calendars": Case(
        {"show_hidden": True},
        Sent(f"GET {API}users/me/calendarList", {"showHidden": "true", "maxResults": "250"}),
        [ENTRY],
    ),
    "list-events": Case(
        {"single_events": True, "order_by": "startTime"},
        [
            Sent(f"GET {EVENTS}", {"singleEvents": "true", "orderBy": "startTime", "maxResults": "250", **page})
            for page in ({}, {"pageToken": "p2"})
        ],
        [EVENT],
    ),
    "create-event": Case(
        {"summary": "Lunch", "start": START, "end": END, "send_updates": "all"},
        Sent(f"POST {EVENTS}", {"sendUpdates": "all"}, {"summary": "Lunch", "start": START, "end": END}),
        EVENT,
    ),
    "get-event": Case({"id": "e1"}, Sent(f"GET {EVENTS}/e1"), EVENT),
    "update-event": Case(
        {"id": "e1", "summary": "Lunch", "send_updates": "none"},
        Sent(f"PATCH {EVENTS}/e1", {"sendUpdates": "none"}, {"summary": "Lunch"}),
        EVENT,
    ),
    "delete-event": Case(
        {"id": "e1", "send_updates": "all"}, Sent(f"DELETE {EVENTS}/e1", {"sendUpdates": "all"}), {"id": "e1"}
    ),
}


def test_every_action_has_a_case():
    assert CALENDAR.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_google_documents_and_gives_what_it_promises(action):
    provider = google()

    assert CASES[action].output == CALENDAR.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


@pytest.mark.parametrize("action", ["get-event", "delete-event"])
def test_an_event_that_is_not_there_is_named(action):
    with pytest.raises(ActionError, match="no event e404 in primary") as caught:
        CALENDAR.run(google(), action, {"id": "e404"})
    assert "not-found" == caught.value.name
