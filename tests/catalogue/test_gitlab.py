"""The actions of blueprints/gitlab.yaml against GitLab as https://docs.gitlab.com/api/ describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError
from tests.catalogue.provider import Account, Case, Provider, Sent, json_answer

GITLAB = Account(
    blueprint="gitlab:v0",
    credentials={"access_token": "t1"},
    integration={"oauth_client_id": "i", "oauth_client_secret": "s"},
    connection_config={"hostname": "gitlab.example.com"},
)
API = "https://gitlab.example.com/api/v4/"
# A path with a slash stands for the id of a project, encoded.
AT = f"{API}projects/group%2Fproject"
PROJECT = {
    "id": 5,
    "name": "project",
    "path_with_namespace": "group/project",
    "web_url": "https://gitlab.example.com/group/project",
    "description": None,
}
ISSUE = {
    "id": 85,
    "iid": 15,
    "project_id": 5,
    "title": "It breaks",
    "description": None,
    "state": "opened",
    "labels": ["bug"],
    "web_url": "https://gitlab.example.com/group/project/issues/15",
}
NOTE = {"id": 305, "body": "Same here", "system": False, "noteable_iid": 15}
MERGE_REQUEST = {
    "id": 1,
    "iid": 2,
    "title": "Mend it",
    "description": None,
    "state": "opened",
    "source_branch": "fix",
    "target_branch": "main",
    "web_url": "https://gitlab.example.com/group/project/merge_requests/2",
}
PIPELINE = {"id": 47, "iid": 12, "status": "pending", "ref": "main", "sha": "a919", "web_url": "https://x.test/47"}
FILE = {
    "file_path": "app/key.rb",
    "size": 3,
    "encoding": "base64",
    "content": "YWJj",
    "ref": "main",
    "commit_id": "d5",
}


def projects(sent):
    if "id_after" not in sent.query:
        following = f'<{API}projects?id_after=5&pagination=keyset&order_by=id&sort=asc&per_page=100>; rel="next"'
        return json_answer([PROJECT], headers={"Link": following})(sent)
    return json_answer([{**PROJECT, "id": 6}])(sent)


def gitlab():
    return Provider(
        headers={"Authorization": "Bearer t1"},
        refused=json_answer({"message": "401 Unauthorized"}, 401),
        unknown=json_answer({"message": "404 Project Not Found"}, 404),
        answers={
            f"GET {API}projects": projects,
            f"GET {AT}/issues": json_answer([ISSUE]),
            f"GET {AT}/issues/15": json_answer(ISSUE),
            f"POST {AT}/issues": json_answer(ISSUE, 201),
            f"PUT {AT}/issues/15": json_answer({**ISSUE, "state": "closed"}),
            f"POST {AT}/issues/15/notes": json_answer(NOTE, 201),
            f"GET {AT}/merge_requests": json_answer([MERGE_REQUEST]),
            f"POST {AT}/merge_requests": json_answer(MERGE_REQUEST, 201),
            f"PUT {AT}/merge_requests/2/merge": json_answer({**MERGE_REQUEST, "state": "merged"}),
            f"GET {AT}/pipelines": json_answer([PIPELINE]),
            f"POST {AT}/pipeline": json_answer(PIPELINE, 201),
            f"GET {AT}/repository/files/app%2Fkey.rb": json_answer(FILE),
        },
    )


KEYSET = {"pagination": "keyset", "order_by": "id", "sort": "asc", "per_page": "100"}
CASES = {
    "list-projects": Case(
        {"membership": True},
        [
            Sent(f"GET {API}projects", {**KEYSET, "membership": "true"}),
            Sent(f"GET {API}projects", {**KEYSET, "id_after": "5"}),
        ],
        [PROJECT, {**PROJECT, "id": 6}],
    ),
    "list-issues": Case(
        {"project": "group/project", "state": "opened", "labels": ["bug", "urgent"]},
        Sent(f"GET {AT}/issues", {"state": "opened", "labels": "bug,urgent", "per_page": "100"}),
        [ISSUE],
    ),
    "get-issue": Case({"project": "group/project", "issue": 15}, Sent(f"GET {AT}/issues/15"), ISSUE),
    "create-issue": Case(
        {"project": "group/project", "title": "It breaks", "labels": ["bug"]},
        Sent(f"POST {AT}/issues", body={"title": "It breaks", "labels": "bug"}),
        ISSUE,
    ),
    "update-issue": Case(
        {"project": "group/project", "issue": 15, "state_event": "close", "add_labels": ["done"]},
        Sent(f"PUT {AT}/issues/15", body={"state_event": "close", "add_labels": "done"}),
        {**ISSUE, "state": "closed"},
    ),
    "comment": Case(
        {"project": "group/project", "issue": 15, "body": "Same here"},
        Sent(f"POST {AT}/issues/15/notes", body={"body": "Same here"}),
        NOTE,
    ),
    "list-merge-requests": Case(
        {"project": "group/project", "state": "opened", "target_branch": "main"},
        Sent(f"GET {AT}/merge_requests", {"state": "opened", "target_branch": "main", "per_page": "100"}),
        [MERGE_REQUEST],
    ),
    "create-merge-request": Case(
        {"project": "group/project", "title": "Mend it", "source_branch": "fix", "target_branch": "main"},
        Sent(
            f"POST {AT}/merge_requests",
            body={"title": "Mend it", "source_branch": "fix", "target_branch": "main"},
        ),
        MERGE_REQUEST,
    ),
    "merge": Case(
        {"project": "group/project", "merge_request": 2, "squash": True, "sha": "a919"},
        Sent(f"PUT {AT}/merge_requests/2/merge", body={"squash": True, "sha": "a919"}),
        {**MERGE_REQUEST, "state": "merged"},
    ),
    "list-pipelines": Case(
        {"project": "group/project", "ref": "main", "status": "failed"},
        Sent(f"GET {AT}/pipelines", {"ref": "main", "status": "failed", "per_page": "100"}),
        [PIPELINE],
    ),
    "run-pipeline": Case(
        {"project": "group/project", "ref": "main", "variables": [{"key": "TEST", "value": "x"}]},
        Sent(f"POST {AT}/pipeline", body={"ref": "main", "variables": [{"key": "TEST", "value": "x"}]}),
        PIPELINE,
    ),
    "get-file": Case(
        {"project": "group/project", "path": "app/key.rb"},
        Sent(f"GET {AT}/repository/files/app%2Fkey.rb", {"ref": "HEAD"}),
        FILE,
    ),
}


def test_every_action_has_a_case():
    assert GITLAB.actions() == set(CASES)


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_gitlab_documents_and_gives_what_it_promises(action):
    provider = gitlab()

    assert CASES[action].output == GITLAB.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_project_that_is_not_there_is_an_error():
    with pytest.raises(ActionError, match="no issue 1 in 404") as caught:
        GITLAB.run(gitlab(), "get-issue", {"project": 404, "issue": 1})
    assert "not-found" == caught.value.name


@pytest.mark.parametrize(("status", "name"), [(405, "not-mergeable"), (422, "not-mergeable"), (409, "changed")])
def test_what_keeps_a_merge_back_has_a_name(status, name):
    provider = gitlab()
    provider.answers = {f"PUT {AT}/merge_requests/2/merge": json_answer({"message": "No"}, status)}

    with pytest.raises(ActionError) as caught:
        GITLAB.run(provider, "merge", {"project": "group/project", "merge_request": 2, "sha": "a919"})
    assert name == caught.value.name


def test_a_token_that_gitlab_refuses_is_an_error_of_credentials():
    other = Account(
        blueprint="gitlab:v0",
        credentials={"access_token": "t2"},
        integration=GITLAB.integration,
        connection_config=GITLAB.connection_config,
    )

    with pytest.raises(AuthenticationError, match="401 Unauthorized"):
        other.run(gitlab(), "list-projects", {})
