"""The actions of blueprints/github.yaml against GitHub as https://docs.github.com/en/rest describes it."""

from __future__ import annotations

import pytest

from nango_py import ActionError, AuthenticationError, InputError, ResponseError
from tests.catalogue.provider import Account, Case, Provider, Sent, empty, json_answer

GITHUB = Account(
    blueprint="github:v0",
    credentials={"access_token": "gho_1"},
    integration={"oauth_client_id": "i", "oauth_client_secret": "s"},
)
API = "https://api.github.com/"
REPO = f"{API}repos/octo/hello.world"
PLACE = {"owner": "octo", "repo": "hello.world"}
TIMES = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}
ISSUE = {
    "id": 1,
    "number": 7,
    "title": "It breaks",
    "body": None,
    "state": "open",
    "user": None,
    "html_url": "https://github.com/octo/hello.world/issues/7",
    **TIMES,
}
PULL = {
    **ISSUE,
    "number": 8,
    "draft": False,
    "user": {"login": "ann"},
    "head": {"ref": "fix"},
    "base": {"ref": "main"},
    "merged_at": None,
}
COMMENT = {"id": 3, "html_url": "https://github.com/octo/hello.world/issues/7#issuecomment-3", "body": "Same here"}
DISCUSSION = {
    "id": "D_kwDO",
    "number": 9,
    "title": "What next?",
    "url": "https://github.com/octo/hello.world/discussions/9",
    "isAnswered": None,
    "author": {"login": "ann"},
    "category": {"name": "Ideas"},
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-02T00:00:00Z",
}
REPOSITORY = {
    "id": 2,
    "name": "hello.world",
    "full_name": "octo/hello.world",
    "private": False,
    "html_url": "https://github.com/octo/hello.world",
    "description": None,
}


def shaped(issue, *, is_pull_request=False, author=None):
    return {
        "id": issue["id"],
        "number": issue["number"],
        "title": issue["title"],
        "body": issue["body"],
        "state": issue["state"],
        "author": author,
        "url": issue["html_url"],
        "is_pull_request": is_pull_request,
        **TIMES,
    }


SHAPED_PULL = {
    "id": 1,
    "number": 8,
    "title": "It breaks",
    "body": None,
    "state": "open",
    "author": "ann",
    "url": ISSUE["html_url"],
    "is_draft": False,
    "head": "fix",
    "base": "main",
    "merged_at": None,
    **TIMES,
}


def issues(sent):
    if "page" not in sent.query:
        following = f'<{REPO}/issues?state=all&per_page=100&page=2>; rel="next"'
        return json_answer([ISSUE], headers={"Link": following})(sent)
    return json_answer([{**ISSUE, "number": 8, "pull_request": {"url": "..."}}])(sent)


def graphql(sent):
    """Answer the one query that is documented for discussions, in two pages."""
    if sent.body["variables"]["owner"] == "nobody":
        error = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to a Repository."}
        return json_answer({"data": {"repository": None}, "errors": [error]})(sent)
    is_first = "after" not in sent.body["variables"]
    info = {"endCursor": "Y3Vyc29y" if is_first else "ZW5k", "hasNextPage": is_first}
    discussions = {"nodes": [{**DISCUSSION, "number": 9 if is_first else 8}], "pageInfo": info}
    return json_answer({"data": {"repository": {"discussions": discussions}}})(sent)


def github():
    return Provider(
        headers={
            "Authorization": "Bearer gho_1",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        refused=json_answer({"message": "Bad credentials", "status": "401"}, 401),
        unknown=json_answer({"message": "Not Found", "status": "404"}, 404),
        answers={
            f"GET {API}user/repos": json_answer([REPOSITORY]),
            f"GET {REPO}/issues": issues,
            f"GET {REPO}/issues/7": json_answer(ISSUE),
            f"GET {API}search/issues": json_answer({"total_count": 1, "incomplete_results": False, "items": [ISSUE]}),
            f"POST {REPO}/issues": json_answer(ISSUE, 201),
            f"PATCH {REPO}/issues/7": json_answer({**ISSUE, "state": "closed"}),
            f"POST {REPO}/issues/7/comments": json_answer(COMMENT, 201),
            f"GET {REPO}/pulls": json_answer([PULL]),
            f"POST {REPO}/pulls": json_answer(PULL, 201),
            f"POST {API}graphql": graphql,
            f"PUT {API}user/starred/octo/hello.world": empty(204),
            f"DELETE {API}user/starred/octo/hello.world": empty(204),
        },
    )


CASES = {
    "list-repos": Case(
        {"affiliation": ["owner", "collaborator"], "sort": "pushed"},
        Sent(f"GET {API}user/repos", {"affiliation": "owner,collaborator", "sort": "pushed", "per_page": "100"}),
        [REPOSITORY],
    ),
    "list-issues": Case(
        {**PLACE, "state": "all"},
        [
            Sent(f"GET {REPO}/issues", {"state": "all", "per_page": "100"}),
            Sent(f"GET {REPO}/issues", {"state": "all", "per_page": "100", "page": "2"}),
        ],
        [shaped(ISSUE), {**shaped(ISSUE, is_pull_request=True), "number": 8}],
    ),
    "get-issue": Case({**PLACE, "number": 7}, Sent(f"GET {REPO}/issues/7"), shaped(ISSUE)),
    "search-issues": Case(
        {"query": "repo:octo/hello.world is:issue breaks", "sort": "updated", "order": "asc"},
        Sent(
            f"GET {API}search/issues",
            {"q": "repo:octo/hello.world is:issue breaks", "sort": "updated", "order": "asc", "per_page": "100"},
        ),
        [shaped(ISSUE)],
    ),
    "create-issue": Case(
        {**PLACE, "title": "It breaks", "labels": ["bug"]},
        Sent(f"POST {REPO}/issues", body={"title": "It breaks", "labels": ["bug"]}),
        ISSUE,
    ),
    "update-issue": Case(
        {**PLACE, "number": 7, "state": "closed", "state_reason": "completed", "labels": []},
        Sent(f"PATCH {REPO}/issues/7", body={"state": "closed", "state_reason": "completed", "labels": []}),
        {**shaped(ISSUE), "state": "closed"},
    ),
    "comment": Case(
        {**PLACE, "number": 7, "body": "Same here"},
        Sent(f"POST {REPO}/issues/7/comments", body={"body": "Same here"}),
        COMMENT,
    ),
    "list-pull-requests": Case(
        {**PLACE, "state": "open", "base": "main"},
        Sent(f"GET {REPO}/pulls", {"state": "open", "base": "main", "per_page": "100"}),
        [SHAPED_PULL],
    ),
    "create-pull-request": Case(
        {**PLACE, "title": "Mend it", "head": "fix", "base": "main", "draft": False},
        Sent(f"POST {REPO}/pulls", body={"title": "Mend it", "head": "fix", "base": "main", "draft": False}),
        SHAPED_PULL,
    ),
    "star": Case(PLACE, Sent(f"PUT {API}user/starred/octo/hello.world"), None),
    "unstar": Case(PLACE, Sent(f"DELETE {API}user/starred/octo/hello.world"), None),
}


def test_every_action_has_a_case():
    assert GITHUB.actions() == {*CASES, "list-discussions"}


def test_discussions_are_walked_with_variables_of_one_query():
    provider = github()

    output = GITHUB.run(provider, "list-discussions", {**PLACE, "answered": False})

    first, second = (sent.body for sent in provider.sent)
    assert [9, 8] == [discussion["number"] for discussion in output]
    assert {
        "id": "D_kwDO",
        "number": 9,
        "title": "What next?",
        "url": "https://github.com/octo/hello.world/discussions/9",
        "is_answered": None,
        "author": "ann",
        "category": "Ideas",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
    } == output[0]
    assert first["query"] == second["query"]
    assert "discussions(first: $first, after: $after" in first["query"]
    assert {**PLACE, "answered": False, "first": 100} == first["variables"]
    assert {**PLACE, "answered": False, "first": 100, "after": "Y3Vyc29y"} == second["variables"]
    assert [f"POST {API}graphql"] * 2 == [sent.line for sent in provider.sent]


def test_an_error_of_graphql_in_a_200_is_an_error():
    with pytest.raises(ResponseError, match="Could not resolve to a Repository"):
        GITHUB.run(github(), "list-discussions", {"owner": "nobody", "repo": "nothing"})


@pytest.mark.parametrize("action", CASES)
def test_an_action_sends_what_github_documents_and_gives_what_it_promises(action):
    provider = github()

    assert CASES[action].output == GITHUB.run(provider, action, CASES[action].given)
    assert CASES[action].requests == provider.sent


def test_a_repository_that_the_token_may_not_see_is_not_found():
    with pytest.raises(ActionError, match="no octo/secret#1") as caught:
        GITHUB.run(github(), "get-issue", {"owner": "octo", "repo": "secret", "number": 1})
    assert "not-found" == caught.value.name


def test_a_token_that_github_refuses_is_an_error_of_credentials():
    other = Account(blueprint="github:v0", credentials={"access_token": "gho_2"}, integration=GITHUB.integration)

    with pytest.raises(AuthenticationError, match="Bad credentials"):
        other.run(github(), "list-repos", {})


def test_a_repository_name_cannot_lead_to_another_path():
    provider = github()

    with pytest.raises(InputError):
        GITHUB.run(provider, "star", {"owner": "octo", "repo": ".."})
    with pytest.raises(ResponseError):
        GITHUB.run(provider, "star", {"owner": "octo", "repo": "x/../../user"})
    assert ["PUT https://api.github.com/user/starred/octo/x%2F..%2F..%2Fuser"] == [
        sent.line for sent in provider.sent
    ]
