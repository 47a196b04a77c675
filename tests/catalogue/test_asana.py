"""The actions of blueprints/asana.yaml against https://developers.asana.com/reference."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

ASANA = Account(
    blueprint="asana:v0",
    credentials={"access_token": "a1"},
    integration={"oauth_client_id": "1", "oauth_client_secret": "s"},
)
API = "https://app.asana.com/api/1.0/"
TASK_PAGE = f"{API}tasks"
TASK_FIELDS = "name,completed,due_on,assignee,permalink_url"
USER = {"gid": "1", "name": "Ann", "email": "ann@example.com"}
WORKSPACE = {"gid": "2", "name": "Example"}
PROJECT = {"gid": "3", "name": "Launch"}
SECTION = {"gid": "4", "name": "To do"}
URL = "https://app.asana.com/0/3/5"
TASK = {"gid": "5", "name": "Buy catnip", "notes": "Much", "completed": False, "due_on": None, "permalink_url": URL}
KNOWN = {
    "gid": "5",
    "name": "Buy catnip",
    "notes": "Much",
    "completed": False,
    "due_on": None,
    "assignee": "1",
    "url": URL,
}
STORY = {"gid": "6", "type": "comment", "text": "Done.", "created_at": "2026-11-24T12:00:00.000Z"}


def one_page(*records):
    return json_answer({"data": list(records), "next_page": None})


def tasks(sent):
    if "offset" not in sent.query:
        return json_answer({"data": [{**TASK, "assignee": {"gid": "1"}}], "next_page": {"offset": "o2"}})(sent)
    return one_page({**TASK, "gid": "7", "assignee": None})(sent)


def asana():
    task = json_answer({"data": {**TASK, "assignee": {"gid": "1"}}})
    return Provider(
        headers={"Authorization": "Bearer a1"},
        refused=json_answer({"errors": [{"message": "Not Authorized"}]}, 401),
        unknown=json_answer({"errors": [{"message": "task: Unknown object: 404"}]}, 404),
        answers={
            f"GET {API}users": one_page(USER),
            f"GET {API}workspaces": one_page(WORKSPACE),
            f"GET {API}projects": one_page(PROJECT),
            f"GET {API}projects/3/sections": one_page(SECTION),
            f"GET {TASK_PAGE}": tasks,
            f"POST {TASK_PAGE}": json_answer({"data": TASK}, 201),
            f"GET {TASK_PAGE}/5": task,
            f"PUT {TASK_PAGE}/5": task,
            f"DELETE {TASK_PAGE}/5": json_answer({"data": {}}),
            f"POST {TASK_PAGE}/5/stories": json_answer({"data": STORY}, 201),
        },
    )


LISTED = {key: value for key, value in KNOWN.items() if key != "notes"}
CASES = {
    "users": Case(
        {"workspace": "2"},
        Sent(f"GET {API}users", {"workspace": "2", "opt_fields": "name,email", "limit": "100"}),
        [USER],
    ),
    "list-workspaces": Case({}, Sent(f"GET {API}workspaces", {"limit": "100"}), [WORKSPACE]),
    "list-projects": Case(
        {"workspace": "2", "archived": False},
        Sent(f"GET {API}projects", {"workspace": "2", "archived": "false", "limit": "100"}),
        [PROJECT],
    ),
    "list-tasks": Case(
        {"project": "3", "completed_since": "now"},
        [
            Sent(
                f"GET {TASK_PAGE}",
                {"project": "3", "completed_since": "now", "opt_fields": TASK_FIELDS, "limit": "100", **page},
            )
            for page in ({}, {"offset": "o2"})
        ],
        [LISTED, {**LISTED, "gid": "7", "assignee": None}],
    ),
    "create-task": Case(
        {"project": "3", "name": "Buy catnip", "assignee": "me"},
        Sent(f"POST {TASK_PAGE}", {}, {"data": {"projects": ["3"], "name": "Buy catnip", "assignee": "me"}}),
        TASK,
    ),
    "get-task": Case({"gid": "5"}, Sent(f"GET {TASK_PAGE}/5"), KNOWN),
    "update-task": Case(
        {"gid": "5", "completed": False, "notes": "Much"},
        Sent(f"PUT {TASK_PAGE}/5", {}, {"data": {"completed": False, "notes": "Much"}}),
        KNOWN,
    ),
    "delete-task": Case({"gid": "5"}, Sent(f"DELETE {TASK_PAGE}/5"), {"gid": "5"}),
    "comment": Case(
        {"task": "5", "text": "Done."},
        Sent(f"POST {TASK_PAGE}/5/stories", {}, {"data": {"text": "Done."}}),
        {"gid": "6", "text": "Done.", "created_at": "2026-11-24T12:00:00.000Z"},
    ),
    "list-sections": Case({"project": "3"}, Sent(f"GET {API}projects/3/sections", {"limit": "100"}), [SECTION]),
}


def test_every_action_has_a_case():
    assert ASANA.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_asana_documents_and_gives_what_it_promises(action):
    provider = asana()

    assert CASES[action].output == ASANA.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


@pytest.mark.parametrize(
    ("action", "given", "missing"),
    [
        ("users", {"team": "404"}, "such workspace or team"),
        ("list-projects", {"workspace": "404"}, "workspace 404"),
        ("list-tasks", {"project": "404"}, "project 404"),
        ("create-task", {"project": "404", "name": "Buy catnip"}, "project 404"),
        ("get-task", {"gid": "404"}, "task 404"),
        ("update-task", {"gid": "404", "completed": True}, "task 404"),
        ("delete-task", {"gid": "404"}, "task 404"),
        ("comment", {"task": "404", "text": "Done."}, "task 404"),
        ("list-sections", {"project": "404"}, "project 404"),
    ],
)
def test_what_is_not_there_is_named(action, given, missing):
    provider = asana()
    # Asana says the same of every gid that it does not know, wherever the request names it.
    provider.answers = {}

    with pytest.raises(ActionError, match=f"no {missing} that the account may see") as caught:
        ASANA.run(provider, action, given)
    assert "not-found" == caught.value.name


def test_workspaces_are_refused_without_a_good_token():
    stranger = Account(
        blueprint=ASANA.blueprint, credentials={"access_token": "other"}, integration=ASANA.integration
    )

    with pytest.raises(AuthenticationError, match="Not Authorized"):
        stranger.run(asana(), "list-workspaces", {})
