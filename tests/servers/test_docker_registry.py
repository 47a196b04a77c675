"""Docker's registry: RFC 8288 links with relative targets."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

import pytest

from nango_py.errors import AuthenticationError, ResponseError
from nango_py.http import URL
from tests.servers.faces import BACKENDS, face

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.docker_registry import DockerRegistry
    from tests.servers.faces import Face

pytestmark = pytest.mark.server


class Pipe:
    """A file that can only be read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read


@pytest.fixture(params=BACKENDS)
def nango(request: pytest.FixtureRequest, docker_registry: DockerRegistry) -> Iterator[Face]:
    login = docker_registry.login
    with face(request.param, DOCKER_REGISTRY_URL=docker_registry.url) as nango:
        for user_id, password in (("user-1", docker_registry.password), ("stranger", "wrong")):
            nango.call("register_connection", "docker-registry", user_id, {"username": login, "password": password})
        yield nango


def test_right_login_passes_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "docker-registry", "user-1")

    assert (True, 200) == (result.ok, result.status)


def test_wrong_password_fails_the_check(nango: Face) -> None:
    result = nango.call("check_connection", "docker-registry", "stranger")

    assert (False, 401) == (result.ok, result.status)


def test_walk_follows_relative_links(nango: Face, docker_registry: DockerRegistry) -> None:
    pages = nango.collect("pages", "docker-registry", "user-1", "_catalog", pagination={"limit": 2})

    assert [2, 2, 1] == [len(page.items) for page in pages]
    assert list(docker_registry.repositories) == [name for page in pages for name in page.items]


def test_action_lists_every_repository(nango: Face, docker_registry: DockerRegistry) -> None:
    names = nango.call("trigger_action", "docker-registry", "list-repositories", "user-1", {"page_size": 2})

    assert list(docker_registry.repositories) == names


def test_limit_cuts_a_page(nango: Face, docker_registry: DockerRegistry) -> None:
    asked = {"page_size": 2, "limit": 3}
    names = nango.call("trigger_action", "docker-registry", "list-repositories", "user-1", asked)

    assert list(docker_registry.repositories[:3]) == names


def test_value_is_taken_out_of_the_answer(nango: Face) -> None:
    tags = nango.call("trigger_action", "docker-registry", "list-tags", "user-1", {"repository": "beta"})

    assert ["v1"] == tags


def test_missing_repository_is_a_response_error(nango: Face) -> None:
    with pytest.raises(ResponseError, match="404"):
        nango.call("trigger_action", "docker-registry", "list-tags", "user-1", {"repository": "none"})


def test_wrong_password_is_an_authentication_error(nango: Face) -> None:
    with pytest.raises(AuthenticationError, match="401"):
        nango.call("trigger_action", "docker-registry", "list-repositories", "stranger")


def test_upload_goes_through_the_client(nango: Face) -> None:
    begun = nango.send("docker-registry", "user-1", "POST", "beta/blobs/uploads/")
    location = begun.headers["Location"]
    sent = nango.send("docker-registry", "user-1", "PATCH", location, content=b"x" * 300_000)
    ended = nango.send("docker-registry", "user-1", "DELETE", sent.headers["Location"])

    assert (202, 202, "0-299999", 204) == (
        begun.status_code,
        sent.status_code,
        sent.headers["Range"],
        ended.status_code,
    )


@pytest.mark.parametrize("kind", ["bytes", "path", "pipe"])
def test_file_goes_up_and_comes_down_again(nango: Face, kind: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 20_000)
    digest = f"sha256:{sha256(source.read_bytes()).hexdigest()}"
    begun = nango.send("docker-registry", "user-1", "POST", "beta/blobs/uploads/")
    location = URL(begun.headers["Location"])
    given = {
        "repository": "beta",
        "upload": location.path.rpartition("/")[2],
        "state": location.params["_state"],
        "digest": digest,
    }

    with source.open("rb") as file:
        blob = {"bytes": source.read_bytes(), "path": source, "pipe": Pipe(file)}[kind]
        done = nango.call("trigger_action", "docker-registry", "put-blob", "user-1", {**given, "blob": blob})
    wanted = {"repository": "beta", "digest": digest}
    saved = nango.save("docker-registry", "get-blob", "user-1", wanted, target)

    assert (None, target) == (done, saved)
    assert source.read_bytes() == target.read_bytes()


def test_missing_blob_is_an_error_and_no_download(nango: Face) -> None:
    wanted = {"repository": "beta", "digest": "sha256:" + "0" * 64}
    with pytest.raises(ResponseError, match="blob unknown"):
        nango.call("trigger_action", "docker-registry", "get-blob", "user-1", wanted)
