"""json-server: no authentication, pages by absolute links and by number."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nango_py.errors import ResponseError, UsageError
from tests.servers.faces import BACKENDS, SOURCE, face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.faces import Face
    from tests.servers.json_server import JsonServer

pytestmark = pytest.mark.server

INTEGRATIONS = ("json-server", "json-server-by-page")
every_walk = pytest.mark.parametrize("integration", INTEGRATIONS)


@pytest.fixture(params=BACKENDS)
def nango(request: pytest.FixtureRequest, json_server: JsonServer) -> Iterator[Face]:
    with face(request.param, JSON_SERVER_URL=json_server.url) as nango:
        for integration in INTEGRATIONS:
            nango.call("register_connection", integration, "user-1", {})
        yield nango


@every_walk
@pytest.mark.parametrize("page_size", [1, 5, 10, 25, 26])
def test_action_lists_every_page(nango: Face, integration: str, page_size: int, json_server: JsonServer) -> None:
    posts = nango.call("trigger_action", integration, "list-posts", "user-1", {"page_size": page_size})

    assert list(json_server.titles) == [post["title"] for post in posts]


def test_walk_follows_absolute_links(nango: Face, json_server: JsonServer) -> None:
    pages = nango.collect("pages", "json-server", "user-1", "posts", params={"_page": 1})

    assert [10, 10, 5] == [len(page.items) for page in pages]
    assert [False, False, True] == [page.is_last for page in pages]


def test_walk_counts_its_pages(nango: Face, json_server: JsonServer) -> None:
    pages = nango.collect("pages", "json-server-by-page", "user-1", "posts")

    assert [10, 10, 5] == [len(page.items) for page in pages]
    assert ["1", "2", "3"] == [page.response.request.url.params["_page"] for page in pages]


@every_walk
def test_walk_goes_on_from_a_saved_position(nango: Face, integration: str, json_server: JsonServer) -> None:
    asked = {"_page": 1} if integration == "json-server" else None
    (page,) = nango.collect("pages", integration, "user-1", "posts", params=asked, max_pages=1)
    rest = nango.collect("paginate", integration, "user-1", "posts", params=asked, position=page.position)

    assert list(json_server.titles[10:]) == [post["title"] for post in rest]


RESUMED = """
import sys
from nango_py import Nango

with Nango.load(sys.argv[1], store="memory://") as nango:
    nango.register_connection(sys.argv[2], "user-1", {})
    for post in nango.paginate(sys.argv[2], "user-1", "posts", params={"_page": 1}, position=sys.argv[3]):
        print(post["title"])
"""


@every_walk
def test_walk_goes_on_in_another_process(nango: Face, integration: str, json_server: JsonServer) -> None:
    (page,) = nango.collect("pages", integration, "user-1", "posts", params={"_page": 1}, max_pages=1)
    command = [sys.executable, "-c", RESUMED, str(SOURCE), integration, page.position]
    environ = {**os.environ, "JSON_SERVER_URL": json_server.url, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    assert list(json_server.titles[10:]) == done.stdout.splitlines()


def test_nothing_is_sent_as_authorization(nango: Face) -> None:
    answer = nango.send("json-server", "user-1", "GET", "posts/1")

    assert (200, False) == (answer.status_code, "Authorization" in answer.request.headers)


def test_missing_post_is_a_response_error(nango: Face) -> None:
    with pytest.raises(ResponseError, match="404"):
        nango.call("trigger_action", "json-server", "get-post", "user-1", {"id": 999})


def test_post_is_written_with_its_types(nango: Face) -> None:
    wanted = {"title": "New", "tags": ["a", "b"]}
    created = nango.call("trigger_action", "json-server", "create-post", "user-1", wanted)
    nango.send("json-server", "user-1", "DELETE", f"posts/{created['id']}").raise_for_status()

    assert {"id": created["id"], **wanted} == created


def test_check_without_a_verification_says_so(nango: Face) -> None:
    with pytest.raises(UsageError, match="verification"):
        nango.call("check_connection", "json-server", "user-1")
